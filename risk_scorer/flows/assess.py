"""Score what is reported: look up, score, record, announce.

The answer leaves only after its announcement is durable.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import structlog

from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from plumbing.timing import Timed, untimed
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.rules import RuleFacts, RuleReport
from risk_scorer.core.assessments import assessments
from risk_scorer.core.facts import Pressure
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import RULE_TEXTS
from risk_scorer.core.rules import RULES
from risk_scorer.core.scoring import Scored, score_many
from risk_scorer.flows.announce import high_risk_message
from risk_scorer.flows.observe import Observer, Where
from risk_scorer.flows.ports import Announcement, EventLog, Histories, Models, ScoredEvent
from risk_scorer.flows.surroundings import Surroundings
from risk_scorer.flows.together import Together

CHUNK = 250
"""Events between two breaths of the event loop: a few milliseconds, so that other requests hardly notice a bulk."""
ASKED_SECONDS = 1.0
"""For so long after somebody asked for a score a stream takes smaller pieces."""
MODEL_RETRY_SECONDS = 5

BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a mistake of ours raises, as opposed to storage that fails."""

log = structlog.get_logger(__name__)

Render = Callable[[list[RiskScore]], None]
Take = Callable[[int, Sequence[ScoredEvent | Refused]], None]
Beside = Callable[
    [Sequence[Observation], Sequence[UserHistory | None], Sequence[Pressure], Sequence[RiskScore]], object
]
"""Gets logins with everything that their scores were made from, and the scores; never waits and never fails."""


Watch = Callable[[Model, Sequence[Observation], Scored], None]


def _unwatched(_model: Model, _observations: Sequence[Observation], _scored: Scored) -> None:
    """Nobody counts."""


def _untold(_scores: Sequence[RiskScore]) -> None:
    """Nobody wants to know."""


def _alone(*_logins: object) -> None:
    """No other model looks."""


class Assess:
    """One use case in two sizes, with the same numbers in both: a single event is a batch of one."""

    def __init__(
        self,
        *,
        models: Models,
        observer: Observer,
        histories: Histories,
        surroundings: Surroundings,
        log: EventLog,
        clock: Clock,
        randomness: Randomness,
        tenant: str,
        announce_from: float | None,
        looking_up: Timed = untimed,
        told: Callable[[Sequence[RiskScore]], None] = _untold,
        beside: Beside = _alone,
        watched: Watch = _unwatched,
    ) -> None:
        """`looking_up` measures each look-up of histories; `told` hears of what was answered; `beside` gets the logins
        among it, not what was only asked about, and `watched` what their scores were made of."""
        self._models = models
        self._observer = observer
        self._histories = histories
        self._surroundings = surroundings
        self._log = log
        self._clock = clock
        self._randomness = randomness
        self._tenant = tenant
        self._announce_from = announce_from
        self._looking_up = looking_up
        self._told = told
        self._beside = beside
        self._watched = watched
        self._asked_at = -math.inf
        self._scored, self._matched = 0, np.zeros(len(RULES), dtype=np.int64)
        self._together = Together(lambda observations: self._scores(self._model(), observations))

    async def one(self, event: LoginEvent) -> RiskScore:
        """The score of a live login. Raises: Refused (422 bad event, 503 no model or no storage)."""
        self._asked_at = self._clock.monotonic()
        self._model()
        [observation] = self._observations([event], lambda _: "$")
        score = await self._together.score(observation)
        await self._record([ScoredEvent(event=event, score=score)])
        return score

    async def many(self, events: Sequence[LoginEvent], *, announce: bool, path: str, render: Render) -> None:
        """Score all or none; `render` gets the answers in order, piece by piece.

        `path` is the list's place in the body. What is scored again is a question and no login, so it is shown among
        the recent ones and not kept in the log, unless it is to be announced.
        """
        self._asked_at = self._clock.monotonic()
        model = self._model()
        # What nobody asks for again is let go at once: the next piece takes its place in the processor's caches.
        kept: deque[RiskScore] = deque(maxlen=None if announce else self._log.shown_at_most)
        for start in range(0, len(events), CHUNK):
            where = partial(_place, path, start)
            seen = self._observations(events[start : start + CHUNK], where)
            piece = self._scores(model, seen, are_logins=announce)
            render(piece)
            kept.extend(piece)
            await asyncio.sleep(0)
        newest = events[len(events) - len(kept) :]
        scored = [ScoredEvent(event=event, score=score) for event, score in zip(newest, kept, strict=True)]
        if announce:
            await self._record(scored)
        else:
            self._log.show(scored)

    async def each(self, events: Sequence[LoginEvent], *, together: int, take: Take) -> None:
        """Score what can be scored; `take` gets where a piece begins, and for each event of it, in order, its score or
        why it has none. Keeps and tells nothing.

        `together` is how many are scored between two breaths of the event loop while somebody else waits for scores.

        Raises: Refused (503 no model or no storage).
        """
        model = self._model()
        start = 0
        while start < len(events):
            end = start + (together if self._is_asked() else max(together, CHUNK))
            # As for a bulk: what was taken is let go before the next piece needs its place in the caches.
            take(start, self._piece(model, events[start:end]))
            start = end
            await asyncio.sleep(0)

    def _is_asked(self) -> bool:
        """Whether somebody asked for a score a moment ago: then the next one may be about to."""
        return self._clock.monotonic() - self._asked_at < ASKED_SECONDS

    @property
    def shown_at_most(self) -> int:
        """How many of the newest events are shown."""
        return self._log.recent_at_most

    def announcements(self, scored: Sequence[ScoredEvent]) -> list[Announcement]:
        """What is told of those whose score is high enough."""
        mark = self._announce_from
        if mark is None:
            return []
        return [high_risk_message(each, tenant=self._tenant) for each in scored if each.score.risk_score >= mark]

    def rules(self) -> RuleReport:
        """Every rule with its weight and how often it matches. Raises: Refused (503 no model)."""
        model = self._model()
        known = model.manifest.rules
        weights, counts = model.rules.weight.tolist(), self._matched.tolist()
        return RuleReport(
            model_version=model.version,
            scored=self._scored,
            rules=[
                RuleFacts(
                    name=name,
                    text=RULE_TEXTS[name],
                    weight=known[name].weight,
                    report_only=weight == 0.0,
                    match_rate=known[name].match_rate,
                    matched=matched,
                )
                for name, weight, matched in zip(RULES, weights, counts, strict=True)
            ],
        )

    def _model(self) -> Model:
        model = self._models.current()
        if model is None:
            raise Refused(
                "model_unavailable",
                "There is no model to score with.",
                status=503,
                retry_after_seconds=MODEL_RETRY_SECONDS,
            )
        return model

    def _observations(self, events: Sequence[LoginEvent], where: Where) -> list[Observation]:
        return self._observer.observations(events, self._event_ids(events), now=self._clock.now(), where=where)

    def _scores(self, model: Model, observations: list[Observation], *, are_logins: bool = True) -> list[RiskScore]:
        with self._looking_up():
            histories = self._histories.get_many([seen.user_id for seen in observations])
        around = self._surroundings.around(observations)
        scored = score_many(model, observations, histories, around)
        self._scored += len(observations)
        self._matched += (scored.matches > 0.0).sum(axis=0)
        answers = assessments(model, observations, histories, scored, ts=self._clock.now())
        self._told(answers)
        if are_logins:
            self._beside(observations, histories, around, answers)
            self._watched(model, observations, scored)
        return answers

    def _piece(self, model: Model, events: Sequence[LoginEvent]) -> list[ScoredEvent | Refused]:
        """These events together; when one of them cannot be scored, each by itself."""
        try:
            scores = self._scores(model, self._observations(events, lambda _: "$"))
        except Refused as refused:
            if refused.status != 422:
                raise
            answer = refused
        except BUGS as error:
            # One event that trips us up must not hold up all that come after it.
            log.exception("event_not_scored", events=len(events), reason=type(error).__name__)
            answer = Refused("internal_error", "Something went wrong on our side.", status=500)
        else:
            return [ScoredEvent(event=event, score=score) for event, score in zip(events, scores, strict=True)]
        if len(events) == 1:
            return [answer]
        return [each for event in events for each in self._piece(model, [event])]

    def _event_ids(self, events: Sequence[LoginEvent]) -> list[str]:
        """The id that each event brings, or a new one; those of a batch share their random part."""
        base = self._randomness.event_id("evt")
        if len(events) == 1:
            return [events[0].event_id or base]
        return [event.event_id or f"{base}_{position}" for position, event in enumerate(events)]

    async def _record(self, scored: Sequence[ScoredEvent]) -> None:
        messages = self.announcements(scored)
        if messages:
            await self._log.record_and_announce(scored, messages)
        elif scored:
            self._log.record(scored)


def _place(path: str, start: int, position: int) -> str:
    """The path of an event in the body."""
    return f"{path}[{start + position}]"
