"""How sessions and people stand: what an analyst, a console or the gateway asks. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from plumbing.bodies import refuse_unsafe_text
from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.activity import Action, SessionScore, Signal, recommended
from risk_scorer.contract.assessment import RiskLevel, risk_level
from risk_scorer.core.activity.evidence import NAME, Evidence
from risk_scorer.core.activity.memory import Memory
from risk_scorer.core.known_session import KnownSession, State
from risk_scorer.flows.activity.judge import EngineNow
from risk_scorer.flows.activity.ports import Memories, Risk, Sessions

MOST_SESSIONS: Final = 50
MOST_EVENTS: Final = 50
RESPONSES: Final[Mapping[Action, str]] = {
    "allow": "Nothing to do.",
    "step_up": "Ask the person for a second factor before anything else; watch what follows.",
    "reset_session": "End this session and let the person sign in again; look at what it did meanwhile.",
    "logout": "End all sessions of the person and ask them; take back what was changed or exported.",
    "freeze": "Freeze the account until it is reviewed; treat it as taken over, and keep the evidence.",
}
"""What an analyst should do at each recommended response."""

_signals = msgspec.json.Decoder(list[Signal])


class SessionNow(Struct, frozen=True, kw_only=True):
    """A session in a person's summary; `score` is that of its last event."""

    session_id: str
    client_id: str
    state: State
    started_at: float
    ended_at: float | None
    score: float
    risk_level: RiskLevel
    events: int


class EventSeen(Struct, frozen=True, kw_only=True):
    """An event in a person's summary, its endpoint as a template."""

    ts: float
    session_id: str
    method: str
    endpoint: str
    service: str
    status: int
    score: float


class PersonActivity(Struct, frozen=True, kw_only=True):
    """What is known of what a person does: the highest risk of sessions that run, the newest sessions and events, and
    which detectors know something of the person.
    """

    user_id: str
    score: float
    risk_level: RiskLevel
    signals: list[Signal]
    sessions: list[SessionNow]
    events: list[EventSeen]
    known_to: list[str]


class History(Protocol):
    async def of_person(self, user_id: str, *, events: int, sessions: int) -> tuple[Sequence[Any], Sequence[Risk]]:
        """Their newest events, as rows, and risks, newest first. Raises: Refused."""
        ...

    def risks(self, session_ids: Sequence[str]) -> Mapping[str, Risk]:
        """How those of the sessions stand of which more than nothing is kept. Raises: Refused."""
        ...


class KnownOfPerson(Sessions, Protocol):
    async def of_person(self, user_id: str, *, up_to: int) -> Sequence[KnownSession]:
        """Their newest sessions. Raises: Refused."""
        ...


class Standing:
    """Answers from what is remembered and kept."""

    def __init__(
        self,
        *,
        engine: EngineNow,
        sessions: KnownOfPerson,
        memories: Memories,
        history: History,
        clock: Clock,
        likelihood: Callable[[Memory], float | None],
    ) -> None:
        """`likelihood` is how likely a session is an attack by a learned model, 0-1; None while there is none."""
        self._engine = engine
        self._sessions = sessions
        self._memories = memories
        self._history = history
        self._clock = clock
        self._likelihood = likelihood

    def session(self, session_id: str) -> SessionScore:
        """How the session stands now: what was found fades. Raises: Refused (404 `unknown_session`, 503)."""
        refuse_unsafe_text(session_id, "$.session_id")
        known = self._sessions.find([session_id]).get(session_id)
        risk = self._history.risks([session_id]).get(session_id)
        if known is None and risk is None:
            raise Refused("unknown_session", "There is no such session.", status=404)
        engine, memory = self._engine(), self._memories.at([("session", session_id)])["session", session_id]
        judged = engine.standing(memory, self._clock.now())
        evidence = memory.get(NAME)
        signals = engine.signals(judged)
        started_at = known.started_at if known is not None else 0.0
        likelihood = self._likelihood(memory)
        return SessionScore(
            session_id=session_id,
            score=judged.total_score,
            risk_level=risk_level(judged.total_score),
            signals=signals,
            reasons=[each.text for each in signals if each.nats > 0.0],
            attack_likelihood=risk.attack_likelihood if likelihood is None and risk is not None else likelihood,
            recommended_response=RESPONSES[recommended(judged.total_score)],
            events=evidence.events if isinstance(evidence, Evidence) else 0,
            started_at=started_at or (risk.started_at if risk is not None else 0.0),
        )

    async def person(self, user_id: str) -> PersonActivity:
        """What is known of what the person does; of somebody who is not known, nothing. Raises: Refused."""
        refuse_unsafe_text(user_id, "path.user_id")
        now = self._clock.now()
        sessions = [each.as_of(now) for each in await self._sessions.of_person(user_id, up_to=MOST_SESSIONS)]
        rows, risks = await self._history.of_person(user_id, events=MOST_EVENTS, sessions=MOST_SESSIONS)
        by_session = {risk.session_id: risk for risk in risks}
        ended = {each.session_id for each in sessions if each.ended_at is not None}
        running = [risk for risk in risks if risk.session_id not in ended]
        worst = max(running, key=lambda risk: risk.score, default=None)
        memory = self._memories.at([("person", user_id)])["person", user_id]
        return PersonActivity(
            user_id=user_id,
            score=0.0 if worst is None else worst.score,
            risk_level=risk_level(0.0 if worst is None else worst.score),
            signals=[] if worst is None else _signals.decode(worst.signals),
            sessions=[_now(each, by_session.get(each.session_id)) for each in sessions],
            events=[
                EventSeen(ts=r[0], session_id=r[1], method=r[2], endpoint=r[3], service=r[4], status=r[5], score=r[6])
                for r in rows
            ],
            known_to=sorted(memory),
        )


def _now(session: KnownSession, risk: Risk | None) -> SessionNow:
    score = 0.0 if risk is None else risk.score
    return SessionNow(
        session_id=session.session_id,
        client_id=session.client_id,
        state=session.state,
        started_at=session.started_at,
        ended_at=session.ended_at,
        score=score,
        risk_level=risk_level(score),
        events=0 if risk is None else risk.events,
    )
