"""Which sessions there are: what the gateway told of them, read for every event and kept in memory for a moment.

A process that has the database to itself hears every notice, so what it has in memory is what is known; where several
share one, a session is read again once it is `FRESH_SECONDS` old. Fails closed: an event whose session cannot be
looked up is not judged (503).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Row, Statement
from risk_scorer.adapters.activity.event_rows import CALM
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.adapters.activity.memory_rows import Written, write_memories
from risk_scorer.adapters.tables import known_sessions
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.seen import SessionFacts
from risk_scorer.core.incidents.incident import user_key
from risk_scorer.core.incidents.of_sessions import response_of
from risk_scorer.core.known_session import KnownSession, Told, heard
from risk_scorer.flows.activity.ports import Place

MOST_KEPT: Final = 50_000
"""Sessions in memory: about 1 kB each."""
FRESH_SECONDS: Final = 2.0
"""For so long an ended session may still be taken for a living one where the notice came to another process."""
PRUNE_ROWS: Final = 2000

_table = known_sessions.c
_READ = select(
    _table.session_id, _table.user_id, _table.client_id, _table.state, _table.facts, _table.started_at,
    _table.changed_at, _table.ended_at,
)  # fmt: skip
FIND = Statement(_READ.where(_table.session_id.in_(texts_of(bindparam("ids")))))
ONE = Statement(_READ.where(_table.session_id == bindparam("of_id")).with_for_update())
OF_PERSON = Statement(
    _READ.where(_table.user_id == bindparam("of_user")).order_by(_table.started_at.desc()).limit(bindparam("up_to"))
)
_KEEP = insert(known_sessions).values({column.name: bindparam(column.name) for column in known_sessions.columns})
_NEW = {column.name: _KEEP.excluded[column.name] for column in known_sessions.columns if column.name != "session_id"}
KEEP = Statement(_KEEP.on_conflict_do_update(index_elements=["session_id"], set_=_NEW))
DESCRIBE = Statement(_KEEP.on_conflict_do_nothing(index_elements=["session_id"]))
_OLD = select(_table.session_id).where(_table.changed_at < bindparam("before")).limit(PRUNE_ROWS)
PRUNE = Statement(delete(known_sessions).where(_table.session_id.in_(_OLD)))

log = structlog.get_logger(__name__)
_told = msgspec.msgpack.Decoder(Told)
_encode = msgspec.msgpack.Encoder().encode


class _Kept(NamedTuple):
    session: KnownSession
    read_at: float


class KnownSessions:
    """Sessions by their id. Use it from the event loop."""

    def __init__(
        self, database: Database, *, clock: Clock, is_alone: bool, incidents: IncidentRows | None = None
    ) -> None:
        """`incidents` get what the gateway did into their timelines. `heard` counts the notices that were news."""
        self._database = database
        self._clock = clock
        self._is_alone = is_alone
        self._incidents = incidents
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.heard: Counter[str] = Counter()

    def find(self, session_ids: Iterable[str]) -> dict[str, KnownSession]:
        """Those of them that are known. Raises: Refused."""
        now, found, missing = self._clock.monotonic(), {}, []
        for each in dict.fromkeys(session_ids):
            kept = self._kept.get(each)
            if kept is not None and (self._is_alone or now - kept.read_at < FRESH_SECONDS):
                found[each] = kept.session
            else:
                missing.append(each)
        if missing:
            listed = msgspec.json.encode(missing).decode()
            read = [session_of(row) for row in self._database.read(lambda tx: tx.all(FIND, ids=listed))]
            found.update((each.session_id, each) for each in read)
            self.keep(read)
        return found

    async def hear(
        self,
        notices: Sequence[tuple[SessionNotice, SessionFacts]],
        written: Sequence[Written],
        calmed: Sequence[str],
    ) -> tuple[int, list[Place]]:
        """Hear each, durably and together with what was written of memories, and let the `calmed` sessions stand at no
        risk; how many notices were news, and which memories another process had changed meanwhile. Raises: Refused.
        """
        now = self._clock.now()

        def job(tx: Transaction) -> tuple[list[KnownSession | None], list[Place]]:
            told = [_heard(tx, notice, facts) for notice, facts in notices]
            lost = write_memories(tx, written, now) if written else []
            tx.many(CALM, [{"of_id": session_id, "at": now} for session_id in sorted(calmed)])
            self._note(tx, [notice for (notice, _), new in zip(notices, told, strict=True) if new is not None])
            return told, lost

        told, lost = await self._database.write(job)
        news = [each for each in told if each is not None]
        self.heard.update(notice.state for (notice, _), new in zip(notices, told, strict=True) if new is not None)
        self.keep(news)
        return len(news), lost

    def _note(self, tx: Transaction, news: Sequence[SessionNotice]) -> None:
        if self._incidents is None:
            return
        for notice in sorted(news, key=lambda each: (each.user_id, each.at)):
            text = response_of(notice)
            if text is not None:
                self._incidents.note_response(tx, user_key(notice.user_id), text=text, at=notice.at)

    def keep(self, sessions: Iterable[KnownSession]) -> None:
        """Take these, which are in the database, for what is known."""
        now = self._clock.monotonic()
        for each in sessions:
            self._kept[each.session_id] = _Kept(each, now)
            self._kept.move_to_end(each.session_id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    @property
    def held(self) -> int:
        """How many are in memory."""
        return len(self._kept)

    async def of_person(self, user_id: str, *, up_to: int) -> list[KnownSession]:
        """Their newest ones. Raises: Refused."""
        rows = await self._database.read_in_thread(lambda tx: tx.all(OF_PERSON, of_user=user_id, up_to=up_to))
        return [session_of(row) for row in rows]

    def forget_person(self, user_id: str) -> list[str]:
        """Take nothing for known of this person's sessions, which somebody has just deleted; which those were."""
        gone = [key for key, kept in self._kept.items() if kept.session.user_id == user_id]
        for session_id in gone:
            del self._kept[session_id]
        return gone


def prune_sessions(tx: Transaction, before: float) -> int:
    """Forget sessions that nothing was heard of since that time, some at a time; how many went."""
    return tx.run(PRUNE, before=before)


def describe(tx: Transaction, sessions: Iterable[KnownSession]) -> None:
    """Keep sessions that a caller described, unless somebody told of them meanwhile."""
    tx.many(DESCRIBE, [_row(each) for each in sorted(sessions, key=lambda each: each.session_id)])


def session_of(row: Row) -> KnownSession:
    """The session of a row."""
    return KnownSession(
        session_id=row[0], user_id=row[1], client_id=row[2], state=row[3], told=_read(bytes(row[4])),
        started_at=row[5], changed_at=row[6], ended_at=row[7],
    )  # fmt: skip


def _read(facts: bytes) -> Told:
    try:
        return _told.decode(facts)
    except msgspec.MsgspecError:
        log.warning("session_facts_unreadable")  # another version's: unknown, which is not safe
        return Told()


def _heard(tx: Transaction, notice: SessionNotice, facts: SessionFacts) -> KnownSession | None:
    row = tx.one(ONE, of_id=notice.session_id)
    if row is None:
        first = heard(None, notice, facts)
        if tx.run(DESCRIBE, **_row(first)):
            return first
        row = tx.one(ONE, of_id=notice.session_id)  # another process heard of it first
    known = None if row is None else session_of(row)
    now_known = heard(known, notice, facts)
    if now_known == known:
        return None
    tx.run(KEEP, **_row(now_known))
    return now_known


def _row(session: KnownSession) -> dict[str, str | bytes | float | None]:
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "client_id": session.client_id,
        "state": session.state,
        "facts": _encode(session.told),
        "started_at": session.started_at,
        "changed_at": session.changed_at,
        "ended_at": session.ended_at,
    }
