"""Judge what people do in their sessions: who, what, what is remembered, how risky, and keep it before it is answered.

Events are judged in their order, a batch of them in one go between two turns of the event loop, so that two batches
never see each other half-way. What was judged but could not be kept is forgotten: the caller may send it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.contract.activity import Assessment, AssessRequest, HowKnown
from risk_scorer.core.activity.memory import Around, Memory, Scope
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.known_session import KnownSession, Told
from risk_scorer.core.session_evidence import SIGNALLED, Signalled
from risk_scorer.flows.activity.identify import Identify, Who, mismatch
from risk_scorer.flows.activity.judge import Judge
from risk_scorer.flows.activity.observe import ActivityObserver, facts_of
from risk_scorer.flows.activity.ports import Events, Judgement, Memories, Place

TOGETHER: Final = 250
"""Events between two breaths of the event loop: some milliseconds, so that logins hardly notice a bulk."""
MOST_ON_WAY: Final = 4
"""Batches of one request that are being written while the next is judged."""
WORLD: Final[Place] = ("world", "")
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a mistake of ours raises, as opposed to storage that fails."""

log = structlog.get_logger(__name__)

Answer = Assessment | Refused


def _untold(_answers: Sequence[Answer]) -> None:
    """Nobody counts."""


class AssessActivity:
    """One use case for every way in which events come."""

    def __init__(
        self,
        *,
        identify: Identify,
        observer: ActivityObserver,
        judge: Judge,
        memories: Memories,
        events: Events,
        clock: Clock,
        randomness: Randomness,
        told: Callable[[Sequence[Answer]], None] = _untold,
    ) -> None:
        """`told` hears of what was answered."""
        self._identify = identify
        self._observer = observer
        self._judge = judge
        self._memories = memories
        self._events = events
        self._clock = clock
        self._randomness = randomness
        self._told = told
        self._on_way: dict[tuple[str, str], tuple[Assessment, asyncio.Future[None]]] = {}
        self._new: dict[str, KnownSession] = {}  # sessions that nobody told of, until they are on the disk

    async def one(self, request: AssessRequest, *, may_vouch: bool) -> Assessment:
        """The session's risk after a live event, durably kept. Raises: Refused."""
        [answer] = await self.together([request], may_vouch=may_vouch)
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def many(self, requests: Sequence[AssessRequest], *, may_vouch: bool) -> list[Answer]:
        """An answer or a refusal for each, in order, durably kept. Raises: Refused (503); then some may be kept."""
        pieces = [requests[start : start + TOGETHER] for start in range(0, len(requests), TOGETHER)]
        turns = asyncio.Semaphore(MOST_ON_WAY)

        async def judged(piece: Sequence[AssessRequest]) -> list[Answer]:
            async with turns:
                return await self.together(piece, may_vouch=may_vouch)

        answers = await asyncio.gather(*(judged(piece) for piece in pieces), return_exceptions=True)
        for each in answers:
            if isinstance(each, BaseException):
                raise each
        return [answer for piece in answers if not isinstance(piece, BaseException) for answer in piece]

    async def together(self, requests: Sequence[AssessRequest], *, may_vouch: bool) -> list[Answer]:
        """As `many`, in one go and one transaction. Raises: Refused (503)."""
        who = await self._identify.who(requests, may_vouch=may_vouch)
        seen = self._observer.seen(requests, who, self._event_ids(requests), now=self._clock.now())
        answers = self._known(requests, seen)
        known = [answer for answer in answers if answer is not None]
        judged, places = self._judged(requests, seen, who, answers)
        await self._keep(judged, places)
        await self._settled(known)
        whole = [answer for answer in answers if answer is not None]
        self._told(whole)
        return whole

    def _known(self, requests: Sequence[AssessRequest], seen: Sequence[Seen | Refused]) -> list[Answer | None]:
        """What is answered already: refusals, and the answers of events that came before."""
        answers: list[Answer | None] = [each if isinstance(each, Refused) else None for each in seen]
        asked = [
            (place, each)
            for place, (request, each) in enumerate(zip(requests, seen, strict=True))
            if request.event_id is not None and isinstance(each, Seen)
        ]
        kept = self._events.answers([(each.user_id, each.event_id) for _, each in asked]) if asked else []
        for (place, event), answer in zip(asked, kept, strict=True):
            named = event.user_id, event.event_id
            if answer is not None:
                answers[place] = _again(answer, event)
            elif named in self._on_way:
                answers[place] = _again(self._on_way[named][0], event)
        return answers

    def _judged(
        self,
        requests: Sequence[AssessRequest],
        seen: Sequence[Seen | Refused],
        who: Sequence[Who | Refused],
        answers: list[Answer | None],
    ) -> tuple[list[Judgement], dict[Place, bool]]:
        """Judge those without an answer, in order, and answer them; the places whose memories that changed, true for
        those that are to be written with the events."""
        waiting = [
            (place, event) for place, event in enumerate(seen) if isinstance(event, Seen) and answers[place] is None
        ]
        keys = _keys([event for _, event in waiting])
        kept = self._memories.at(
            [(scope, key) for scope, known in keys.items() for key in known if _is_kept(scope, key)]
        )
        arounds = _arounds(keys, kept)
        judged: list[Judgement] = []
        risky: dict[Place, bool] = {}
        twice: dict[tuple[str, str], Assessment] = {}
        for place, event in waiting:
            whose, named = who[place], (event.user_id, event.event_id)
            if isinstance(whose, Refused):
                continue
            if named in twice:
                answers[place] = _again(twice[named], event)
                continue
            done = self._one(event, whose, requests[place], arounds(event))
            answers[place] = done if isinstance(done, Refused) else done.answer
            if isinstance(done, Judgement):
                judged.append(done)
                twice[named] = done.answer
                if done.answer.action != "allow" and event.session_id:
                    risky["session", event.session_id] = True
        return judged, dict.fromkeys(kept, False) | risky

    def _one(self, event: Seen, who: Who, request: AssessRequest, around: Around) -> Judgement | Refused:
        described = None
        if who.session is None and who.session_id:
            new = self._new.get(who.session_id)
            if new is None:
                event, described = _described(event, around.session, how=who.how)
            elif new.user_id != event.user_id:
                return mismatch()
            elif new.told.began_at:
                event = msgspec.structs.replace(event, began=new.told.began)
        try:
            answer, risk, signal = self._judge(event, around, how=who.how)
        except BUGS as error:
            # One event that trips us up must not hold up all that come after it.
            log.exception("activity_not_judged", reason=type(error).__name__)
            return Refused("internal_error", "Something went wrong on our side.", status=500)
        if described is not None:
            self._new[described.session_id] = described
        return Judgement(
            seen=event,
            client_id="" if who.session is None else who.session.client_id,
            user_agent=request.identity.user_agent,
            answer=answer,
            is_named=request.event_id is not None,
            risk=risk,
            signal=signal,
            described=described,
        )

    async def _keep(self, judged: Sequence[Judgement], changed: Mapping[Place, bool]) -> None:
        """Keep them, whether or not whoever asked still waits. Raises: Refused."""
        if not judged:
            return
        written = self._memories.changed(changed, with_events=[place for place, risky in changed.items() if risky])
        keeping = asyncio.ensure_future(self._kept(judged, changed, written))
        for each in judged:
            if each.is_named:
                self._on_way[each.seen.user_id, each.seen.event_id] = each.answer, keeping
        await asyncio.shield(keeping)

    async def _kept(self, judged: Sequence[Judgement], changed: Mapping[Place, bool], written: Any) -> None:
        try:
            lost = await self._events.keep(judged, written)
        except BaseException:
            self._memories.undo(changed)
            raise
        finally:
            for each in judged:
                self._on_way.pop((each.seen.user_id, each.seen.event_id), None)
                if each.described is not None:
                    self._new.pop(each.described.session_id, None)
        self._memories.settle(written, lost)

    async def _settled(self, answers: Iterable[Answer]) -> None:
        """An answer that somebody else's request is about to keep leaves when it is kept. Raises: Refused."""
        for answer in answers:
            if isinstance(answer, Assessment):
                on_way = self._on_way.get((answer.user_id, answer.event_id))
                if on_way is not None:
                    await asyncio.shield(on_way[1])

    def _event_ids(self, requests: Sequence[AssessRequest]) -> list[str]:
        """The id that each event brings, or a new one; those of a batch share their random part."""
        base = self._randomness.event_id("act")
        if len(requests) == 1:
            return [requests[0].event_id or base]
        return [each.event_id or f"{base}_{position}" for position, each in enumerate(requests)]


def _again(answer: Assessment, event: Seen) -> Answer:
    """The answer that an event of this id had; what it says of another session is no answer for this one."""
    if answer.session_id == event.session_id:
        return answer
    text = "An event in another session of this person has this id."
    return Refused("event_id_taken", text, status=409, evidence={"field": "$.event_id"})


def _keys(events: Sequence[Seen]) -> dict[Scope, Iterable[str]]:
    """Whose memories belong to these events, each once."""
    return {
        "person": dict.fromkeys([each.user_id for each in events]),
        "session": dict.fromkeys([each.session_id for each in events]),
        "peers": dict.fromkeys([each.peers for each in events]),
        "service": dict.fromkeys([each.service for each in events]),
        "world": ("",),
        "trace": dict.fromkeys([each.trace_id for each in events]),
    }


def _arounds(keys: Mapping[Scope, Iterable[str]], kept: Mapping[Place, Memory]) -> Callable[[Seen], Around]:
    """What is around each event; what nobody keeps is empty, and each event's own."""
    known = {scope: {key: kept.get((scope, key)) for key in each} for scope, each in keys.items()}
    people, sessions, peers, services = known["person"], known["session"], known["peers"], known["service"]
    traces, world = known["trace"], kept.get(WORLD, {})

    def around(event: Seen) -> Around:
        session, trace = sessions[event.session_id], traces[event.trace_id]
        return Around(
            people[event.user_id],  # type: ignore[arg-type] # all people, peers and services are kept
            {} if session is None else session,
            peers[event.peers],  # type: ignore[arg-type]
            services[event.service],  # type: ignore[arg-type]
            world,
            {} if trace is None else trace,
        )

    return around


def _is_kept(scope: Scope, key: str) -> bool:
    """Nobody's session and trace is not."""
    return key != "" or scope not in ("session", "trace")


def _described(event: Seen, session: Memory, *, how: HowKnown) -> tuple[Seen, KnownSession | None]:
    """The event, and with the first one the session that nobody told of, which began as that says."""
    if SIGNALLED in session:
        return event, None
    session[SIGNALLED] = Signalled()
    facts = facts_of(event)
    known = KnownSession(
        session_id=event.session_id,
        user_id=event.user_id,
        state="vouched" if how == "vouched" else "started",
        told=Told(began=facts, began_at=event.ts) if how == "vouched" else Told(),
        started_at=event.ts,
        changed_at=event.ts,
    )
    return (msgspec.structs.replace(event, began=facts), known) if how == "vouched" else (event, known)
