"""The session model in use: found in a folder or by a registry's pointer, checked, tried, replaced while we serve.

Without one the learned detectors say that they do not know, and everything else goes on: a session is never refused for
want of a model. A bad new one is refused with a code while the last good one keeps answering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import structlog

from risk_scorer.adapters.lookout import WATCH_SECONDS, Lookout
from risk_scorer.adapters.published_folder import BadPublicKey, PublishedFolder, State, public_keys, read_files
from risk_scorer.adapters.registry_places import PlaceAway
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.core.session_model.artefact import checked_manifest, load
from risk_scorer.core.session_model.model import SessionModel
from risk_scorer.core.session_model.window import Row
from risk_scorer.core.signatures import BadArtefact

UNAVAILABLE: Final = "registry_unavailable"

log = structlog.get_logger(__name__)


class SessionModelSource(Protocol):
    """Where session models come from. Both methods block."""

    def state(self, *, thorough: bool) -> State:
        """What stands there now. Raises: OSError."""
        ...

    def fetch(self) -> SessionModel:
        """The published model, checked. Raises: FileNotFoundError (none), BadPublicKey, BadArtefact, OSError."""
        ...


class NoSource:
    """Nobody has named a place."""

    def state(self, *, thorough: bool) -> State:
        """The same, always."""
        return State(None, None)

    def fetch(self) -> SessionModel:
        """There is none."""
        raise FileNotFoundError


class SessionModelFolder:
    """The model that stands in a folder, SESSION_MODEL_DIR."""

    def __init__(self, model_dir: Path, key_sources: Sequence[str]) -> None:
        self._folder = PublishedFolder(model_dir, key_sources)
        self._model_dir = model_dir
        self._key_sources = key_sources

    def state(self, *, thorough: bool) -> State:
        """As a folder of any model."""
        return self._folder.state(thorough=thorough)

    def fetch(self) -> SessionModel:
        """Read once, then checked, so that nothing is exchanged between the check and the use."""
        return load(read_files(self._model_dir), public_keys(self._key_sources))


class SessionModelRegistry:
    """The model that a registry's pointer `session` names, SESSION_MODEL_REGISTRY."""

    def __init__(self, source: RegistrySource, key_sources: Sequence[str]) -> None:
        """`source` follows the pointer of session models."""
        self._source = source
        self._key_sources = key_sources

    def state(self, *, thorough: bool) -> State:
        """As a registry of any model."""
        return self._source.state(thorough=thorough)

    def fetch(self) -> SessionModel:
        """The files of the version that a believed pointer names, checked as those of a session model."""
        return load(self._source.files(checked_manifest), public_keys(self._key_sources))


class SessionModels:
    """The session model in use, None while there is no good one, and why there is no newer one."""

    def __init__(
        self, source: SessionModelSource, *, in_use: Callable[[SessionModel], None] = lambda model: None
    ) -> None:
        """`in_use` is called with each model that comes into use: what depends on it, as the scale does, follows."""
        self._source = source
        self._in_use = in_use
        self._model: SessionModel | None = None
        self._seen: State | None = None
        self._lookout = Lookout("session-model")
        self.problem: str | None = None
        self.refusals: Counter[str] = Counter()

    def current(self) -> SessionModel | None:
        """The model in use."""
        return self._model

    @property
    def version(self) -> str | None:
        """Its version."""
        return None if self._model is None else self._model.version

    async def start(self) -> None:
        """Take the model before the first answer, if that can be done in a few seconds; else as soon as it can."""
        await self._lookout.send(self.reload)

    async def watch(self, every_seconds: float = WATCH_SECONDS) -> None:
        """Look for another model every two seconds, for ever."""
        await self._lookout.again_and_again(self.look, every_seconds=every_seconds)

    def look(self) -> None:
        """Take the model that is named now, if it is another one. Blocks."""
        before = self._seen
        try:
            now = self._source.state(thorough=self.problem is not None)
        except OSError:
            self._refuse(UNAVAILABLE)
            return
        is_same = before is not None and (now.identity == before.identity if self.problem is None else now == before)
        if not is_same or self.problem == UNAVAILABLE:
            self.reload()

    def reload(self) -> None:
        """Take the model that is named now, if it is good; else the last good one stays. Blocks."""
        try:
            self._seen = self._source.state(thorough=True)
            found = self._source.fetch()
            require_answers(found)
        except FileNotFoundError:
            self.problem = None if self._model is None else "model_missing"
        except BadPublicKey:
            self._refuse("model_keys_unreadable")
        except BadArtefact as error:
            self._refuse(error.code)
        except PlaceAway:
            self._refuse(UNAVAILABLE)
        except OSError:
            self._refuse("model_unreadable")
        except Exception as error:
            # A model that passes every check and still cannot be used must not end the one that can.
            self._refuse("model_unusable", reason=repr(error))
        else:
            self._model, self.problem = found, None
            self._in_use(found)
            log.info("session_model_in_use", model_version=found.version, is_synthetic=found.manifest.is_synthetic)

    def _refuse(self, problem: str, **details: str) -> None:
        if problem != self.problem:
            self.refusals[problem] += 1
            log.warning("session_model_refused", problem=problem, kept_version=self.version, **details)
        self.problem = problem


def require_answers(model: SessionModel) -> None:
    """Tries the model on made-up windows, which also compiles what live scoring runs. Raises: BadArtefact."""
    answers = model.predict(_TRIAL)
    if not all(-1.0 <= each.anomaly_score <= 1.0 for each in answers):
        raise BadArtefact("bad_forest", "the model gives no score for an ordinary window")


def _row(told: Mapping[str, float], hour: int) -> Row:
    return Row(
        user_id="", event_type="view", hour_of_day=hour, day_of_week=2, device_type="desktop",
        session_duration_sec=told["seconds"], events_in_session=told["events"],
    )  # fmt: skip


_TRIAL: Final = tuple(
    _row({"seconds": seconds, "events": events}, hour)
    for seconds, events, hour in ((0.0, 1.0, 0), (300.0, 10.0, 11), (86_400.0, 5_000.0, 23))
)
