"""Which model shadows: found, checked and tried like the one that decides, and let go when it is taken away.

Unlike there, the last good one does not go on: a shadow that somebody replaced or took away is none. Its histories are
not taken over, for people's are the scorer's own whichever model looks at them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import structlog

from risk_scorer.adapters.lookout import Lookout
from risk_scorer.adapters.model_store import BadPublicKey, ModelSource, State
from risk_scorer.core.model import Model
from risk_scorer.core.signatures import BadArtefact
from risk_scorer.core.trial import require_scores

UNAVAILABLE: Final = "registry_unavailable"

log = structlog.get_logger(__name__)


class NoSource:
    """Nothing shadows."""

    def state(self, *, thorough: bool) -> State:
        """The same, always."""
        return State(None, None)

    def fetch(self) -> tuple[Model, Mapping[str, bytes]]:
        """There is none."""
        raise FileNotFoundError

    def claimed_version(self) -> None:
        """There is none."""


class ShadowModel:
    """The model that shadows now, and why the one that should does not."""

    def __init__(self, source: ModelSource, *, report_only: Collection[str] = ()) -> None:
        """A source without a model is no problem: then none shadows. Rules that are `report_only` move no score of a
        shadow either."""
        self._source = source
        self._report_only = report_only
        self._model: Model | None = None
        self._seen: State | None = None
        self._lookout = Lookout("shadow-model")
        self.problem: str | None = None

    def current(self) -> Model | None:
        """The model that shadows, None while there is none."""
        return self._model

    async def start(self) -> None:
        """Take the model before the first answer, if that can be done in a few seconds; else as soon as it can."""
        await self._lookout.send(self.reload)

    async def watch(self) -> None:
        """Look for another model every two seconds, for ever."""
        await self._lookout.again_and_again(self.look)

    def look(self) -> None:
        """Take the model that is named now, if it is another one. Blocks."""
        before = self._seen
        try:
            now = self._source.state(thorough=self.problem is not None)
        except OSError:
            self.problem = UNAVAILABLE  # who shadows is as it was: a registry that does not answer names nobody else
            return
        is_same = before is not None and (now.identity == before.identity if self.problem is None else now == before)
        if not is_same or self.problem == UNAVAILABLE:
            self.reload()

    def reload(self) -> None:
        """Take the model that is named now, if it is good. Blocks."""
        try:
            self._seen = self._source.state(thorough=True)
            found, _ = self._source.fetch()
            require_scores(found)
        except FileNotFoundError:
            self._use(None)
        except BadPublicKey:
            self._refuse("model_keys_unreadable")
        except BadArtefact as error:
            self._refuse(error.code)
        except OSError as error:
            self.problem = UNAVAILABLE
            log.warning("shadow_not_looked_up", reason=error.strerror)
        except Exception as error:
            # A model that passes every check and still cannot be used must not take the scorer along.
            self._refuse("model_unusable", error=repr(error))
        else:
            self._use(found.reporting_only(self._report_only))

    def _use(self, model: Model | None) -> None:
        before = None if self._model is None else self._model.version
        self._model, self.problem = model, None
        if model is not None or before is not None:
            log.info("shadow_in_use", model_version=None if model is None else model.version)

    def _refuse(self, problem: str, **details: str) -> None:
        self._model, self.problem = None, problem
        log.warning("shadow_refused", problem=problem, **details)
