"""One person's erasure from what is kept of activity: sessions, their risk, memories, events, answers, tasks,
and incidents.

Memories of roles, services and of everybody stay; where one of them names the person, the name goes.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, select, tuple_, update

from plumbing.database import Database, Transaction
from plumbing.expressions import numbers_of, texts_of
from plumbing.statements import Row, Statement
from risk_scorer.adapters.activity.answers import forget_answers
from risk_scorer.adapters.tables import (
    activity_events,
    activity_memory,
    activity_tasks,
    incident_members,
    incidents,
    known_sessions,
    session_risk,
)
from risk_scorer.core.incidents.incident import user_key

EVENT_ROWS: Final = 2000
"""Events that one transaction deletes, so that the writer is never held for long."""
MEMORY_ROWS: Final = 200

_memory = activity_memory.c
_KNOWN = select(known_sessions.c.session_id).where(known_sessions.c.user_id == bindparam("of_user"))
_RISKY = select(session_risk.c.session_id).where(session_risk.c.user_id == bindparam("of_user"))
SESSIONS = Statement(_KNOWN.union(_RISKY))
FORGET_SESSIONS = Statement(
    delete(activity_memory).where(_memory.scope == "session", _memory.key.in_(texts_of(bindparam("sessions"))))
)
FORGET_PERSON = Statement(delete(activity_memory).where(_memory.scope == "person", _memory.key == bindparam("of_user")))
OF_PERSON = tuple(
    Statement(delete(table).where(table.c.user_id == bindparam("of_user")))
    for table in (known_sessions, session_risk, activity_tasks, incident_members)
)
OWN_INCIDENTS = Statement(delete(incidents).where(incidents.c.key == bindparam("of_key")))
EVENTS = Statement(
    select(activity_events.c.id, activity_events.c.event_id)
    .where(activity_events.c.user_id == bindparam("of_user"))
    .limit(EVENT_ROWS)
)
UNDO_EVENTS = Statement(delete(activity_events).where(activity_events.c.id.in_(numbers_of(bindparam("ids")))))
SHARED = Statement(
    select(_memory.scope, _memory.key, _memory.packed)
    .where(
        _memory.scope != "person",
        _memory.scope != "session",
        tuple_(_memory.scope, _memory.key) > tuple_(bindparam("after_scope"), bindparam("after_key")),
    )
    .order_by(_memory.scope, _memory.key)
    .limit(MEMORY_ROWS)
)
HELD = Statement(
    select(_memory.packed)
    .where(_memory.scope == bindparam("in_scope"), _memory.key == bindparam("of_key"))
    .with_for_update()
)
REWRITE = Statement(
    update(activity_memory)
    .where(_memory.scope == bindparam("in_scope"), _memory.key == bindparam("of_key"))
    .values(packed=bindparam("left"), version=_memory.version + 1)
)


def erase_activity(database: Database, user_id: str) -> int:
    """Delete what is kept of this person's activity; how many rows. Blocks: not for the event loop. Raises: Refused."""
    gone = database.write_sync(lambda tx: _own(tx, user_id))
    while deleted := database.write_sync(lambda tx: _events(tx, user_id)):
        gone += deleted
    after = ("", "")

    def page(tx: Transaction) -> list[Row]:
        return tx.all(SHARED, after_scope=after[0], after_key=after[1])

    while rows := database.read(page):
        named = [(row[0], row[1]) for row in rows if user_id.encode() in bytes(row[2])]
        for place in named:
            gone += database.write_sync(lambda tx, place=place: _unnamed(tx, place, user_id))  # type: ignore[misc]
        after = (rows[-1][0], rows[-1][1])
    return gone


def _own(tx: Transaction, user_id: str) -> int:
    sessions = sorted(row[0] for row in tx.all(SESSIONS, of_user=user_id))
    gone = tx.run(FORGET_SESSIONS, sessions=msgspec.json.encode(sessions).decode())
    gone += tx.run(FORGET_PERSON, of_user=user_id)
    gone += tx.run(OWN_INCIDENTS, of_key=user_key(user_id))
    return gone + sum(tx.run(statement, of_user=user_id) for statement in OF_PERSON)


def _events(tx: Transaction, user_id: str) -> int:
    rows = tx.all(EVENTS, of_user=user_id)
    forget_answers(tx, ((user_id, row[1]) for row in rows))
    return tx.run(UNDO_EVENTS, ids=msgspec.json.encode([row[0] for row in rows]).decode())


def _unnamed(tx: Transaction, place: tuple[str, str], user_id: str) -> int:
    row = tx.one(HELD, in_scope=place[0], of_key=place[1])
    if row is None:
        return 0
    stored = bytes(row[0])
    left = without(stored, user_id)
    return 0 if left == stored else tx.run(REWRITE, in_scope=place[0], of_key=place[1], left=left)


def without(packed: bytes, name: str) -> bytes:
    """The same memory without what is kept under that name, and with nothing where a text is it."""
    return msgspec.msgpack.encode(_scrubbed(msgspec.msgpack.decode(packed), name))


def _scrubbed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(part, name) for key, part in value.items() if key != name}
    if isinstance(value, list):
        return [_scrubbed(part, name) for part in value]
    return "" if value == name else value
