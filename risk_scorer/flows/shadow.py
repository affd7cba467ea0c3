"""A second model scores the same logins after their answers have left. It decides nothing and delays nobody.

What the active model was shown (facts, history, pressure) is handed over as it was at that moment, so a version gives
the same score to the bit whether it decides, shadows, or scores in bulk. Scoring runs on a thread of its own, few
logins at a time and with pauses, because Python runs one thread at a time. Fails open on all sides: where more comes
than the shadow can take, the rest is dropped and counted; a model that fails again and again is shut off and told.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from time import perf_counter
from typing import Final, NamedTuple, Protocol

import numpy as np
import structlog

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.shadow import ShadowScore
from risk_scorer.core.assessments import in_hundredths
from risk_scorer.core.facts import Pressure
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_many

MOST_WAITING: Final = 4096
"""Logins that may wait for the shadow: a few seconds of what it can take, and tens of megabytes at the most."""
TOGETHER: Final = 16
"""Logins scored in one go: less than a millisecond, which is about as long as an answer may be held up by it."""
LINGER_SECONDS: Final = 0.25
"""From a login's answer to its shadow score: answers leave first, and what comes at about one time is scored and kept
together, for what a piece and a commit cost by themselves is most of it."""
REST: Final = 2.0
"""So many times as long as the scoring took is rested, so that a shadow takes a third of a processor at the most."""
LATE_SECONDS: Final = 0.005
BUSY_SECONDS: Final = 0.1
"""So long is rested at least when the rest before ended so late: then those who answer want the processor."""
SLOW_SECONDS: Final = 5.0
FAILURES_IN_A_ROW: Final = 3

FAILING, TOO_SLOW = "shadow_failing", "shadow_too_slow"

log = structlog.get_logger(__name__)


class ShadowModels(Protocol):
    def current(self) -> Model | None:
        """The model that shadows, None while there is none."""
        ...


class ShadowLog(Protocol):
    def keep(self, scores: Sequence[ShadowScore]) -> None:
        """Keep these soon; never waits and never fails."""
        ...

    def forget_person(self, user_id: str) -> None:
        """Nothing of this person is written from here any more."""
        ...


class _Login(NamedTuple):
    seen: Observation
    history: UserHistory | None
    around: Pressure
    answer: RiskScore


class NotFiniteError(Exception):
    """The shadow gave something that is no score."""


class Shadow:
    """What waits for the shadow, and what became of it. Belongs to the event loop."""

    def __init__(
        self, *, models: ShadowModels, log: ShadowLog, told: Callable[[Sequence[ShadowScore]], None] = lambda _: None
    ) -> None:
        """`told` hears of what was scored."""
        self._models = models
        self._log = log
        self._told = told
        self._waiting: deque[_Login] = deque()
        self._in_hand: list[_Login] = []
        self._has_come = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._failures = 0
        self._off: tuple[str, str] | None = None
        self.counts: Counter[str] = Counter(scored=0, dropped=0, failed=0)
        """Logins by what became of them."""

    @property
    def problem(self) -> str | None:
        """Why the model that should shadow was shut off, None when it was not."""
        model = self._models.current()
        return self._off[1] if self._off is not None and model is not None and model.version == self._off[0] else None

    @property
    def waiting(self) -> int:
        """Logins that wait to be scored."""
        return len(self._waiting)

    def model(self) -> Model | None:
        """The model that shadows now."""
        return None if self.problem is not None else self._models.current()

    def offer(
        self,
        observations: Sequence[Observation],
        histories: Sequence[UserHistory | None],
        around: Sequence[Pressure],
        answers: Sequence[RiskScore],
    ) -> None:
        """Have these logins scored later, if a model shadows and there is room; never waits and never fails."""
        if self.model() is None:
            return
        room = MOST_WAITING - len(self._waiting)
        self.counts["dropped"] += max(0, len(answers) - room)
        if room > 0:
            self._waiting.extend(list(map(_Login, observations, histories, around, answers))[:room])
            self._has_come.set()

    def forget_person(self, user_id: str) -> None:
        """Score and write nothing of this person that waits; what is kept already is not looked at."""
        for kept in (self._waiting, self._in_hand):
            left = [each for each in kept if each.seen.user_id != user_id]
            if len(left) < len(kept):
                kept.clear()
                kept.extend(left)
        self._log.forget_person(user_id)

    async def run(self) -> None:
        """Score what waits, for ever."""
        try:
            while True:
                await self._has_come.wait()
                late = await _slept(LINGER_SECONDS)
                while self._waiting:
                    began = perf_counter()
                    await self._piece()
                    late = await _slept(rest_seconds(perf_counter() - began, late))
                self._has_come.clear()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _piece(self) -> None:
        """Score some of what waits and hand it to the log."""
        model = self.model()
        piece = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if model is None:  # it was taken away meanwhile
            return
        self._in_hand = list(piece)
        began = perf_counter()
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, scores_of, model, piece)
        except Exception as error:
            # Whatever a model raises is its own: it must not end the task that others will be scored by.
            self._fail(model, FAILING, len(piece), reason=repr(error))
        else:
            if perf_counter() - began > SLOW_SECONDS:
                self._fail(model, TOO_SLOW, 0)
            else:
                self._failures = 0
            # Whoever was erased while their login was being scored is in hand no more.
            left = {id(each) for each in self._in_hand}
            scores = [each for each, login in zip(found, piece, strict=True) if id(login) in left]
            self.counts["scored"] += len(scores)
            self._log.keep(scores)
            self._told(scores)
        self._in_hand = []

    def _fail(self, model: Model, problem: str, logins: int, **details: str) -> None:
        self.counts["failed"] += logins
        self._failures += 1
        log.warning("shadow_piece_failed", problem=problem, model_version=model.version, **details)
        if self._failures >= FAILURES_IN_A_ROW:
            self._off, self._failures = (model.version, problem), 0
            self._waiting.clear()
            log.error("shadow_off", problem=problem, model_version=model.version)


def rest_seconds(took: float, late: float) -> float:
    """How long to rest after a piece that took so long, when the rest before it ended so late."""
    return max(REST * took, BUSY_SECONDS if late > LATE_SECONDS else 0.0)


async def _slept(seconds: float) -> float:
    """Sleeps so long; how much longer it was."""
    began = perf_counter()
    await asyncio.sleep(seconds)
    return perf_counter() - began - seconds


def scores_of(model: Model, logins: Sequence[_Login]) -> list[ShadowScore]:
    """What the model makes of these logins. Raises NotFiniteError for a score that is none."""
    seen = [each.seen for each in logins]
    scored = score_many(model, seen, [each.history for each in logins], [each.around for each in logins])
    hundredths = in_hundredths(scored.score)
    if not np.isfinite(hundredths).all():
        raise NotFiniteError
    return [
        ShadowScore(
            event_id=each.seen.event_id,
            user_id=each.seen.user_id,
            success=each.seen.success,
            ts_scored=each.answer.ts_scored,
            active_version=each.answer.model_version,
            active_score=each.answer.risk_score,
            version=version,
            score=shown / 100.0,
        )
        for each, shown, version in zip(logins, hundredths.tolist(), repeat(model.version), strict=False)
    ]
