"""The model in use: read once into memory, checked, tried, and replaced while we serve when a new one is published.

Fails closed twice over: without a good model nothing is scored (503), and a bad new one is refused while the last good
one keeps answering. Bytes are read once and then checked, so nothing can be exchanged between the check and the use.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from plumbing.refusals import Refused
from risk_scorer.adapters.lookout import WATCH_SECONDS, Lookout
from risk_scorer.adapters.published_folder import BadPublicKey, State, checked_model, public_keys, read_files
from risk_scorer.adapters.registry_places import PlaceAway
from risk_scorer.core.artefact import HISTORIES, BadArtefact, histories
from risk_scorer.core.model import Model

SLOW_SECONDS: Final = 10.0
"""A look that takes longer is told as `model_pending`; it goes on."""
START_SECONDS: Final = 60.0
"""So long the start waits for the first model: a place that hangs must not keep the process from telling so."""
PASSING: Final = frozenset({"registry_unavailable", "model_pending", "model_unreadable", "storage_unavailable"})
"""Refusals that may be over by the next look, whatever stands there."""

log = structlog.get_logger(__name__)
History = tuple[str, bytes]


class ModelSource(Protocol):
    """Where models come from. Both methods block."""

    def state(self, *, thorough: bool) -> State:
        """What stands there now, cheap enough to ask for often; `thorough` after a refusal. Raises: OSError."""
        ...

    def fetch(self) -> tuple[Model, Mapping[str, bytes]]:
        """The published model, checked, and its files.

        Raises: FileNotFoundError (there is none), BadPublicKey, BadArtefact, OSError.
        """
        ...

    def claimed_version(self) -> str | None:
        """The version that stands there by its own word, for telling which one was refused."""
        ...


class Adoption(Protocol):
    """What goes with a model."""

    def prepare(self, model: Model) -> None:
        """Make the model ready to answer."""
        ...

    def bring(self, model: Model, people: Iterable[History]) -> None:
        """Take over each person's encoded history. Raises: Refused, and what `people` raises."""
        ...


class _Superseded(Exception):
    """A newer model has come: the histories of this one need not be taken over."""


class Refusal(NamedTuple):
    """Why the newest model is not in use: a stable code, which version it says it is, and what is wrong with it."""

    code: str
    version: str | None = None
    detail: str = ""


class ModelStore:
    """The current model, and why there is none or no newer one."""

    def __init__(self, source: ModelSource, adoption: Adoption, *, report_only: Collection[str] = ()) -> None:
        """The histories of the first model are taken over before it answers; later ones follow the swap.

        Rules that are `report_only` move no score, whatever model comes.
        """
        self._source = source
        self._adoption = adoption
        self._report_only = report_only
        self._model: Model | None = None
        self._good: State | None = None
        self._seen: State | None = None
        self._bringing: threading.Thread | None = None
        self._to_bring: tuple[Model, bytes] | None = None
        self._lookout = Lookout("models", late=self._refuse_late)
        self._lock = threading.Lock()
        self.refusal: Refusal | None = Refusal("model_missing")

    def current(self) -> Model | None:
        """The model in use, None while there is no good one."""
        return self._model

    @property
    def problem(self) -> str | None:
        """The code of why the newest model is not in use."""
        return None if self.refusal is None else self.refusal.code

    async def start(self) -> None:
        """Take the published model before the first answer, if that can be done in a minute."""
        await self._lookout.send(self.reload, patience_seconds=START_SECONDS)

    async def watch(self, every_seconds: float = WATCH_SECONDS) -> None:
        """Look for a newly published model every two seconds, for ever."""
        await self._lookout.again_and_again(self.look, every_seconds=every_seconds, patience_seconds=SLOW_SECONDS)

    def look(self) -> None:
        """Take what was newly published, and tell when the place does not answer. Blocks: for a thread."""
        self._bring_on()
        try:
            now = self._source.state(thorough=self.refusal is not None)
        except OSError as error:
            self._refuse(Refusal("registry_unavailable", detail=error.strerror or type(error).__name__))
            return
        except Exception as error:
            # Looking goes on whatever stands there; a thread that died would tell nobody.
            log.exception("model_look_failed")
            self._refuse(Refusal("model_unusable", detail=type(error).__name__))
            return
        if self.refusal is None:
            if now.identity is not None and (self._seen is None or now.identity != self._seen.identity):
                self.reload()
        elif self._good is not None and now == self._good:
            log.info("model_stands", model_version=self._model and self._model.version)
            self.refusal, self._seen = None, now
        elif now != self._seen or self.refusal.code in PASSING:
            self.reload()

    def reload(self) -> bool:
        """Take the published model if it is good; True when it is in use now.

        Blocks: for the start and for a thread.
        """
        refusal = self._taken()
        if refusal is not None:
            self._refuse(refusal)
        return refusal is None

    def _taken(self) -> Refusal | None:
        try:
            self._seen = self._source.state(thorough=True)
            model, files = self._source.fetch()
            self._use(model.reporting_only(self._report_only), files[HISTORIES])
        except FileNotFoundError:
            return Refusal("model_missing")
        except BadPublicKey:
            return Refusal("model_keys_unreadable")
        except BadArtefact as error:
            return Refusal(error.code, self._claimed(), error.message)
        except PlaceAway as error:
            return Refusal("registry_unavailable", detail=error.strerror or "")
        except OSError as error:
            return Refusal("model_unreadable", detail=error.strerror or "")
        except Refused as error:
            return Refusal(error.code, self._claimed(), error.message)
        except Exception as error:
            # A model that passes every check and still cannot be used must not end the one that can.
            log.warning("model_failed", reason=repr(error))
            return Refusal("model_unusable", self._claimed(), type(error).__name__)
        return None

    def _use(self, model: Model, stored: bytes) -> None:
        people = histories(stored)
        self._adoption.prepare(model)
        is_first = self._model is None
        if is_first:
            self._adoption.bring(model, people)
        self._model, self._good, self.refusal = model, self._seen, None
        log.info("model_in_use", model_version=model.version)
        if not is_first:
            with self._lock:
                self._to_bring = (model, stored)
            self._bring_on()

    def _refuse(self, refusal: Refusal) -> None:
        if refusal != self.refusal or refusal.code == "model_missing":
            kept = self._model.version if self._model else None
            log.warning(
                "model_refused",
                problem=refusal.code,
                refused_version=refusal.version,
                detail=refusal.detail,
                kept_version=kept,
            )
        self.refusal = refusal

    def _claimed(self) -> str | None:
        try:
            return self._source.claimed_version()
        except (OSError, BadArtefact):
            return None

    def _refuse_late(self, seconds: float) -> None:
        self._refuse(Refusal("model_pending", detail=f"no answer for {seconds:g} s"))

    def _bring_on(self) -> None:
        """Take over on a thread of its own the histories that wait to be, unless that is under way."""
        with self._lock:
            if self._to_bring is None or (self._bringing is not None and self._bringing.is_alive()):
                return
            self._bringing = threading.Thread(target=self._bring, name="histories", daemon=True)
            self._bringing.start()

    def _bring(self) -> None:
        while (wanted := self._to_bring) is not None:
            model, stored = wanted
            try:
                self._adoption.bring(model, self._while_wanted(wanted, histories(stored)))
            except _Superseded:
                continue
            except Refused as refused:
                log.warning("histories_wait", reason=refused.code)  # the next look tries again
                return
            except Exception as error:
                log.error("histories_not_taken_over", model_version=model.version, reason=repr(error))
            with self._lock:
                if self._to_bring is wanted:
                    self._to_bring = None

    def _while_wanted(self, wanted: tuple[Model, bytes], people: Iterable[History]) -> Iterator[History]:
        for person in people:
            if self._to_bring is not wanted:
                raise _Superseded
            yield person


__all__ = [
    "Adoption",
    "BadPublicKey",
    "ModelSource",
    "ModelStore",
    "Refusal",
    "State",
    "checked_model",
    "public_keys",
    "read_files",
]
