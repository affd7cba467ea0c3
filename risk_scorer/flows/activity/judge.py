"""From an event with its memories to what is answered, kept and told of it: calls the engine, once."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import msgspec

from plumbing.clock import Clock
from risk_scorer.contract.activity import Assessment, HowKnown, Signal, recommended
from risk_scorer.contract.assessment import risk_level
from risk_scorer.contract.signals import MAX_SIGNAL_REASONS, SessionRiskSignal, SignalReason
from risk_scorer.core.activity.engine import Engine, Judged
from risk_scorer.core.activity.evidence import NAME, Evidence
from risk_scorer.core.activity.memory import Around
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.session_evidence import SIGNALLED, Signalled
from risk_scorer.flows.activity.ports import Risk

RANK: Final = {"allow": 0, "step_up": 1, "reset_session": 2, "logout": 3, "freeze": 4}
"""How strong a response is; the gateway hears of each rise once."""
LONGEST_REASON: Final = 256
ALONE_SECONDS: Final = 1800
"""As long as evidence takes to fade to a half."""

_encode = msgspec.json.Encoder().encode

EngineNow = Callable[[], Engine]
"""The engine in use: with a newly promoted session model it is another one."""
Likelihood = Callable[[Seen, Around], float | None]
"""How likely the session is an attack by a learned model, 0-1; None while there is none."""


def unpredicted(_seen: Seen, _around: Around) -> None:
    """No model predicts."""


class Judge:
    """Judges one event after the other."""

    def __init__(self, engine: EngineNow, *, clock: Clock, likelihood: Likelihood = unpredicted) -> None:
        self._engine = engine
        self._clock = clock
        self._likelihood = likelihood
        self._said: tuple[Engine, list[Signal]] | None = None

    def __call__(
        self, seen: Seen, around: Around, *, how: HowKnown
    ) -> tuple[Assessment, Risk | None, SessionRiskSignal | None]:
        """The answer, the session's risk where it is more than nothing, and the signal where it has risen."""
        engine, now = self._engine(), self._clock.now()
        judged = engine.assess(seen, around)
        answer = Assessment(
            event_id=seen.event_id,
            user_id=seen.user_id,
            session_id=seen.session_id,
            total_score=judged.total_score,
            risk_level=risk_level(judged.total_score),
            action=recommended(judged.total_score),
            signals=engine.signals(judged) if judged.found else self._quiet(engine, judged),
            unknown=list(judged.unknown),
            attack_likelihood=self._likelihood(seen, around),
            identity=how,
            model_version=engine.scale.name,
            ts_scored=now,
        )
        risk, signal = self._told(answer, judged, around, now)
        return answer, risk, signal

    def _quiet(self, engine: Engine, judged: Judged) -> list[Signal]:
        """What is said of a session against which nothing is held: always the same."""
        if self._said is None or self._said[0] is not engine:
            self._said = engine, engine.signals(judged)
        return self._said[1]

    def _told(
        self, answer: Assessment, judged: Judged, around: Around, now: float
    ) -> tuple[Risk | None, SessionRiskSignal | None]:
        session = around.session
        told: Signalled = session.get(SIGNALLED) or session.setdefault(SIGNALLED, Signalled())
        rank, signal = RANK[answer.action], None
        if rank > told.rank:
            told.rank = rank
            signal = signal_of(answer, told, now)
        if not (judged.found or told.is_kept) or not answer.session_id:
            return None, signal
        told.is_kept = True
        evidence: Evidence = session[NAME]
        risk = Risk(
            session_id=answer.session_id,
            user_id=answer.user_id,
            score=answer.total_score,
            nats=judged.nats,
            signals=_encode(answer.signals),
            attack_likelihood=answer.attack_likelihood,
            model_version=answer.model_version,
            told=told.rank,
            events=evidence.events,
            started_at=evidence.began,
            updated_at=now,
        )
        return risk, signal


def signal_of(answer: Assessment, told: Signalled, now: float) -> SessionRiskSignal:
    """What the gateway is told of this rise; the same rise of the same session has the same id, whoever finds it."""
    # Without a session nothing says what was told before: then once in so many seconds is enough.
    whose = answer.session_id or f"{answer.user_id}\0{now // ALONE_SECONDS}"
    named = f"{whose}\0{told.pardons}\0{told.rank}"
    return SessionRiskSignal(
        signal_id=f"sig_{blake2b(named.encode(), digest_size=15).hexdigest()}",
        session_id=answer.session_id,
        user_id=answer.user_id,
        score=answer.total_score,
        level=answer.risk_level,
        recommended=answer.action,
        reasons=tuple(map(_reason, answer.signals[:MAX_SIGNAL_REASONS])),
        observed_at=now,
    )


def _reason(signal: Signal) -> SignalReason:
    return SignalReason(code=signal.code, points=max(0.0, signal.points), text=signal.text[:LONGEST_REASON])
