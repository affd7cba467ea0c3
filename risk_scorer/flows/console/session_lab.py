"""The lab's sessions: requests that were never made, judged one after the other by the flow that judges real ones, on
copies of what is remembered. Reads; writes, counts, learns and tells nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.contract.activity import Assessment, AssessRequest
from risk_scorer.core.activity.memory import Memory
from risk_scorer.core.activity.seen import peers_of
from risk_scorer.core.console.session_answer import SessionTrial, Step, answered
from risk_scorer.core.console.session_scenes import (
    INVENTED_DAYS,
    SceneName,
    SeenPerson,
    day_asks,
    invented_session,
    scene,
)
from risk_scorer.core.console.supposed_login import BadSupposition
from risk_scorer.core.console.supposed_session import (
    SUPPOSED_SESSION,
    Ask,
    SupposedSession,
    asks_of,
    notice_of,
    request_of,
)
from risk_scorer.core.known_session import heard
from risk_scorer.core.observation import BadEvent, moment
from risk_scorer.flows.activity.assess import AssessActivity
from risk_scorer.flows.activity.identify import Identify
from risk_scorer.flows.activity.judge import EngineNow, Judge, Likelihood
from risk_scorer.flows.activity.observe import ActivityObserver
from risk_scorer.flows.activity.ports import Place
from risk_scorer.flows.console.lab import Lab
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.console.supposed_ports import CopiedMemories, KeptForTheTry, NoTokensHere, SupposedSessions

DAY: Final = 86_400.0
EARLIER_SECONDS: Final = 1500.0
"""An invented person begins up to two hours earlier on some days than on others."""
DAYS_TOGETHER: Final = 10
"""Invented days between two breaths of the event loop: a hundred and twenty requests."""


class People(Protocol):
    async def person(self, user_id: str) -> SeenPerson:
        """What is stored of what they do. Raises: Refused."""
        ...


class Remembered(Protocol):
    async def copies(self, places: Iterable[Place]) -> Mapping[Place, Memory]:
        """Copies of what is remembered there; nothing moves. Raises: Refused."""
        ...


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """One supposed session, judged. `trial` is None where the gateway could not say, and `problem` says why."""

    session: SupposedSession
    began: float
    steps: tuple[Step, ...]
    trial: SessionTrial | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLab:
    """One use case: try a session without anybody's memory noticing."""

    lab: Lab
    people: People
    remembered: Remembered
    observer: ActivityObserver
    engine: EngineNow
    likelihood: Likelihood
    gateway: Gateway
    clock: Clock
    randomness: Randomness

    async def made(self, name: SceneName, user: str) -> SupposedSession:
        """The scene for this user, from what they do where that is known. Raises: Refused."""
        seen = await self.people.person(user) if user else SeenPerson()
        if seen.login is not None and seen.usual is not None:
            return scene(name, seen.login, seen.usual)
        return scene(name, await self.lab.usual(user), invented_session())

    async def tried(self, session: SupposedSession) -> SessionAnswer:
        """The risk after each request, and what the gateway would do. Raises: BadSupposition; Refused (422, 503)."""
        asks, session = asks_of(session.asks), await self._placed(session)
        began = self._began(session, asks)
        requests = _requests(session, asks, began, SUPPOSED_SESSION)
        seen = await self.people.person(session.user)
        trying = await self._trying(session, asks, seen)
        if session.past == "invented":
            await trying.live(session, began)
        trying.begin(session, began, SUPPOSED_SESSION, roles=seen.roles, privileges=seen.privileges)
        answers, told = await trying.judged(requests)
        steps = [
            Step(number=number, ask=ask, answer=answer, is_told=answer.event_id in told)
            for number, (ask, answer) in enumerate(zip(asks, answers, strict=True), 1)
        ]
        trial, problem = await self._trial([step.answer.total_score for step in steps if step.is_told])
        return SessionAnswer(session=session, began=began, steps=answered(steps, trial), trial=trial, problem=problem)

    async def _placed(self, session: SupposedSession) -> SupposedSession:
        """With addresses where a veiled session gives networks."""
        own, other = [await self.lab.address_of(session.user, text) for text in (session.ip, session.other_ip)]
        return msgspec.structs.replace(session, ip=own, other_ip=other)

    def _began(self, session: SupposedSession, asks: Sequence[Ask]) -> float:
        now = self.clock.now()
        if not session.time:
            return now - asks[-1].seconds
        try:
            return moment(session.time, now=now, field="time")
        except BadEvent as bad:
            raise BadSupposition("time", f"This is no moment: {bad.message}.") from None

    async def _trying(self, session: SupposedSession, asks: Sequence[Ask], seen: SeenPerson) -> Trying:
        """All that the flow stands on, with copies of what it would have found."""
        places: dict[Place, None] = {("world", ""): None, ("peers", peers_of(seen.roles or ())): None}
        places |= {("service", ask.service): None for ask in asks}
        if session.past != "invented":
            places["person", session.user] = None
        return Trying(
            observer=self.observer,
            judge=Judge(self.engine, clock=self.clock, likelihood=self.likelihood),
            memories=CopiedMemories(await self.remembered.copies(places)),
            clock=self.clock,
            randomness=self.randomness,
        )

    async def _trial(self, scores: Sequence[float]) -> tuple[SessionTrial | None, str]:
        """What the gateway's marks answer to signals of these scores, or why that is not known."""
        if not scores:
            return SessionTrial(responses=[], report_only=False), ""
        try:
            body = {"scores": list(scores)}
            return await self.gateway.ask("POST", "/policy/try-sessions", SessionTrial, body=body), ""
        except Refused as refused:
            return None, refused.message


class Trying:
    """One try: the flow of activity on memories that are copies, and events that nobody keeps."""

    def __init__(
        self,
        *,
        observer: ActivityObserver,
        judge: Judge,
        memories: CopiedMemories,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._observer = observer
        self._sessions = SupposedSessions()
        self._kept = KeptForTheTry()
        self._assess = AssessActivity(
            identify=Identify(sessions=self._sessions, tokens=NoTokensHere()),
            observer=observer,
            judge=judge,
            memories=memories,
            events=self._kept,
            clock=clock,
            randomness=randomness,
        )

    def begin(
        self,
        session: SupposedSession,
        began: float,
        session_id: str,
        *,
        roles: tuple[str, ...] | None = None,
        privileges: tuple[str, ...] | None = None,
    ) -> None:
        """Its owner signs in. Raises: BadSupposition; Refused (422)."""
        notice = notice_of(session, began=began, session_id=session_id, roles=roles, privileges=privileges)
        self._sessions.add(heard(None, notice, self._observer.began(notice)))

    async def live(self, session: SupposedSession, until: float) -> None:
        """The days before of an invented person, whose habits are learned as anybody's are. Raises: Refused."""
        requests: list[AssessRequest] = []
        for day in range(INVENTED_DAYS):
            session_id = f"{SUPPOSED_SESSION}-{day}"
            began = until - (INVENTED_DAYS - day) * DAY - day % 5 * EARLIER_SECONDS
            self.begin(session, began, session_id)
            requests += _requests(session, day_asks(day), began, session_id)
            if day % DAYS_TOGETHER == DAYS_TOGETHER - 1:
                await self.judged(requests)
                requests.clear()
                await asyncio.sleep(0)

    async def judged(self, requests: Sequence[AssessRequest]) -> tuple[list[Assessment], set[str]]:
        """The answers in their order, and of which events the gateway would be told. Raises: Refused."""
        self._kept.judged.clear()
        answers = []
        for answer in await self._assess.together(requests, may_vouch=False):
            if isinstance(answer, Refused):
                raise answer
            answers.append(answer)
        return answers, {each.seen.event_id for each in self._kept.judged if each.signal is not None}


def _requests(session: SupposedSession, asks: Sequence[Ask], began: float, session_id: str) -> list[AssessRequest]:
    return [
        request_of(session, ask, began=began, session_id=session_id, event_id=f"{session_id}-{number}")
        for number, ask in enumerate(asks, 1)
    ]
