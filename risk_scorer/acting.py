"""Joins the parts that judge what people do in their sessions. No rule lives here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from plumbing.refusals import Refused
from risk_scorer.adapters.activity.event_store import EventStore
from risk_scorer.adapters.activity.gateway_tokens import GatewayTokens, NoTokens
from risk_scorer.adapters.activity.known_sessions import KnownSessions
from risk_scorer.adapters.activity.memory_store import FLUSH_SECONDS, MemoryStore
from risk_scorer.adapters.activity.task_rows import TaskRows
from risk_scorer.adapters.issuer_keys import IssuerKeys
from risk_scorer.assembly import Scorer
from risk_scorer.contract.prediction import Anomaly, BehaviourRow
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.memory import Part, Scope
from risk_scorer.core.session_evidence import SIGNALLED, Signalled
from risk_scorer.flows.activity.assess import AssessActivity
from risk_scorer.flows.activity.hear import HearSessions
from risk_scorer.flows.activity.identify import Identify
from risk_scorer.flows.activity.judge import Judge
from risk_scorer.flows.activity.observe import ActivityObserver
from risk_scorer.flows.activity.ports import Place
from risk_scorer.flows.activity.standing import Standing
from risk_scorer.flows.activity.tasks import AssessLater
from risk_scorer.incident_desk import incident_rows
from risk_scorer.session_modelling import SessionModelling, session_modelling_of
from webhooks.fetching import Fetcher

SESSIONS_A_PERSON: Final = 2
"""Of the sessions in memory, for each person in memory: a computer and a telephone."""
MOST_PEERS, MOST_SERVICES, MOST_TRACES = 1_000, 1_000, 20_000
"""Traces are small and soon over; people have few kinds of roles, and companies some hundreds of services."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Acting:
    """The parts of one running scorer that judge activity."""

    tokens: GatewayTokens | NoTokens
    sessions: KnownSessions
    memories: MemoryStore
    events: EventStore
    tasks: TaskRows
    assess: AssessActivity
    later: AssessLater
    hear: HearSessions
    standing: Standing
    learned: SessionModelling

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What every process that judges activity does for ever."""
        return [self._flush_again_and_again(), self.later.run(), self.learned.follow()]

    async def keep_the_rest(self) -> None:
        """Write what was learned and is not written yet; for the end of the process."""
        try:
            await self.memories.flush()
        except Refused as refused:
            log.warning("memories_not_kept", reason=refused.code, waiting=self.memories.waiting)

    def forget_person(self, user_id: str) -> None:
        """Have nothing of this person in memory."""
        sessions: list[Place] = [("session", session_id) for session_id in self.sessions.forget_person(user_id)]
        self.memories.forget([("person", user_id), *sessions])
        self.memories.forget_name(user_id)

    def predict(self, rows: Sequence[BehaviourRow]) -> Sequence[Anomaly] | None:
        """How unusual each window is, None while there is no model that says so. Raises: Refused."""
        return self.learned.predict(rows, self.memories)

    async def _flush_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.keep_the_rest()


def acting_of(scorer: Scorer) -> Acting:
    """The parts, as the settings say; nothing runs yet."""
    settings, clock, database = scorer.settings, scorer.clock, scorer.database
    is_alone = not scorer.profiles.has_company
    learned = session_modelling_of(settings)
    sessions = KnownSessions(database, clock=clock, is_alone=is_alone, incidents=incident_rows(scorer))
    memories = _memories(scorer, learned.engine(), is_alone=is_alone)
    events = EventStore(
        database,
        clock=clock,
        incidents=incident_rows(scorer),
        tells_gateway=settings.session_signal_url is not None,
        wake_delivery=scorer.delivery.wake,
    )
    tokens = _tokens(scorer)
    observer, identify = ActivityObserver(scorer.lookups.observer), Identify(sessions=sessions, tokens=tokens)
    assess = AssessActivity(
        identify=identify,
        observer=observer,
        judge=Judge(learned.engine, clock=clock, likelihood=learned.likelihood),
        memories=memories,
        events=events,
        clock=clock,
        randomness=scorer.randomness,
        told=scorer.metrics.judged,
    )
    tasks = TaskRows(database, clock=clock, most=settings.activity_tasks_max)
    return Acting(
        tokens=tokens,
        sessions=sessions,
        memories=memories,
        events=events,
        tasks=tasks,
        assess=assess,
        later=AssessLater(
            assess=assess, identify=identify, observer=observer, tasks=tasks, clock=clock, randomness=scorer.randomness
        ),
        hear=HearSessions(observer=observer, sessions=sessions, memories=memories),
        standing=Standing(
            engine=learned.engine,
            sessions=sessions,
            memories=memories,
            history=events,
            clock=clock,
            likelihood=learned.likelihood_now,
        ),
        learned=learned,
    )


def _memories(scorer: Scorer, engine: Engine, *, is_alone: bool) -> MemoryStore:
    people = scorer.settings.activity_people_in_memory
    most: dict[Scope, int] = {
        "person": people,
        "session": SESSIONS_A_PERSON * people,
        "peers": MOST_PEERS,
        "service": MOST_SERVICES,
        "world": 1,
        "trace": MOST_TRACES,
    }
    memories = MemoryStore(
        scorer.database,
        clock=scorer.clock,
        parts=lambda scope: _parts(engine, scope),
        most=most,
        is_alone=is_alone,
    )
    _watch(scorer, memories)
    return memories


def _watch(scorer: Scorer, memories: MemoryStore) -> None:
    look = scorer.meters.look
    look(
        "riskgate_activity_memories",
        "What detectors remember that is at hand, by scope.",
        ["scope"],
        lambda: [((scope,), count) for scope, count in memories.held.items()],
        of="process",
    )
    look(
        "riskgate_activity_memories_lost_total",
        "Memories that another process had changed, or that found no place.",
        [],
        lambda: [((), memories.lost)],
        of="process",
    )


def _parts(engine: Engine, scope: Scope) -> dict[str, type[Part]]:
    """What detectors remember, and of a session what the gateway was told."""
    own: dict[str, type[Part]] = {SIGNALLED: Signalled} if scope == "session" else {}
    return engine.parts(scope) | own


def _tokens(scorer: Scorer) -> GatewayTokens | NoTokens:
    issuer = scorer.settings.gateway_issuer
    if issuer is None:
        return NoTokens()
    # The gateway is ours, and usually where nobody else comes.
    keys = IssuerKeys(Fetcher(allow_private=True), clock=scorer.clock, issuer=issuer)
    return GatewayTokens(keys, clock=scorer.clock, issuer=issuer)
