"""The event store: what was done, how risky its session was then, and what is to be told of it, in one transaction.

Durable: an answer leaves once its event, its session's risk, the signal to the gateway and the memory of a risky
session are on the disk. Fails closed: where the database does not take them, the caller gets a 503 and nothing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Row
from risk_scorer.adapters.activity.answers import answer_key, answer_of, keep_keys, kept_under
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from risk_scorer.adapters.activity.event_rows import (
    OF_PERSON,
    RISKS,
    RISKS_OF_PERSON,
    append,
    keep_risks,
    risk_of,
)
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.adapters.activity.known_sessions import describe
from risk_scorer.adapters.activity.memory_rows import Written, write_memories
from risk_scorer.contract.activity import Assessment
from risk_scorer.core.incidents.incident import Sighting
from risk_scorer.core.incidents.of_sessions import session_sighting
from risk_scorer.flows.activity.ports import Judgement, Place, Risk


class EventStore:
    """Keeps events, and finds what was kept. Use it from the event loop."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        incidents: IncidentRows,
        tells_gateway: bool,
        wake_delivery: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._signals = SignalOutbox()
        self._incidents = incidents
        self._tells_gateway = tells_gateway
        self._wake_delivery = wake_delivery

    def answers(self, named: Sequence[tuple[str, str]]) -> Sequence[Assessment | None]:
        """What was answered for each (person, event id). Raises: Refused."""
        keys = [answer_key(user, event) for user, event in named]
        kept = self._database.read(lambda tx: kept_under(tx, keys)) if keys else {}
        if not kept:
            return [None] * len(named)
        asked = [(user, event, kept.get(key)) for (user, event), key in zip(named, keys, strict=True)]
        return self._database.read(
            lambda tx: [None if found is None else answer_of(tx, user, event, found) for user, event, found in asked]
        )

    async def keep(self, judged: Sequence[Judgement], written: Sequence[Written]) -> list[Place]:
        """Keep all of it, durably; which memories another process had changed meanwhile. Raises: Refused."""
        now = self._clock.now()
        new_ids = {each.signal.signal_id: self._incidents.new_id() for each in judged if each.signal is not None}
        lost = await self._database.write(lambda tx: self._kept(tx, judged, written, now, new_ids))
        if any(each.signal is not None for each in judged):
            self._wake_delivery()
        return lost

    def _kept(
        self,
        tx: Transaction,
        judged: Sequence[Judgement],
        written: Sequence[Written],
        now: float,
        new_ids: Mapping[str, str],
    ) -> list[Place]:
        fresh = _fresh(tx, judged)
        described = {each.described.session_id: each.described for each in fresh if each.described is not None}
        if described:
            describe(tx, described.values())
        append(tx, fresh)
        lost = write_memories(tx, written, now) if written else []
        contested = frozenset(key for scope, key in lost if scope == "session")
        keep_risks(tx, (each.risk for each in fresh if each.risk is not None), contested)
        if self._tells_gateway:
            # Two processes may find the same rise of a session's risk: its id is the same, and once is once.
            self._signals.telling([each.signal for each in fresh if each.signal is not None])(tx)
        for sighting, new_id in _sightings(fresh, new_ids):
            self._incidents.sight(tx, sighting, new_id=new_id)
        return lost

    def risks(self, session_ids: Sequence[str]) -> dict[str, Risk]:
        """How those of the sessions stand of which more than nothing is kept. Raises: Refused."""
        listed = msgspec.json.encode(session_ids).decode()
        rows = self._database.read(lambda tx: tx.all(RISKS, ids=listed))
        return {row[0]: risk_of(row) for row in rows}

    async def of_person(self, user_id: str, *, events: int, sessions: int) -> tuple[list[Row], list[Risk]]:
        """Their newest events and risks, newest first. Raises: Refused."""

        def job(tx: Transaction) -> tuple[list[Row], list[Row]]:
            return (
                tx.all(OF_PERSON, of_user=user_id, up_to=events),
                tx.all(RISKS_OF_PERSON, of_user=user_id, up_to=sessions),
            )

        newest, risks = await self._database.read_in_thread(job)
        return newest, [risk_of(row) for row in risks]


def _sightings(judged: Sequence[Judgement], new_ids: Mapping[str, str]) -> list[tuple[Sighting, str]]:
    """What is an incident, in the order in which several processes lock them without a knot."""
    signals = [each.signal for each in judged if each.signal is not None]
    found = [(session_sighting(each), new_ids[each.signal_id]) for each in signals]
    return sorted(((each, new_id) for each, new_id in found if each is not None), key=lambda pair: pair[0].key)


def _fresh(tx: Transaction, judged: Sequence[Judgement]) -> list[Judgement]:
    """Those that nobody else has kept meanwhile; of a repeated event the first counts."""
    named = [each for each in judged if each.is_named]
    if not named:
        return list(judged)
    new = keep_keys(tx, [(answer_key(each.seen.user_id, each.seen.event_id), each.seen.ts) for each in named])
    known = {id(each) for each, is_new in zip(named, new, strict=True) if not is_new}
    return [each for each in judged if id(each) not in known] if known else list(judged)
