"""Where in the log an event is: its row by a hash of its id.

The log has many events in one row, because a row costs ten times as much as an event in it. Here an event costs two
integers and no text, which is what makes finding one of months affordable. Of two ids that share a hash (expected once
in four thousand million events) the newer is not found, and never taken for the other: the row tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec
from sqlalchemy import bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import numbers_of
from plumbing.statements import Statement
from risk_scorer.adapters.tables import event_places, scored_events

# The first event of an id is what happened: whoever may ask for scores must not replace what a verdict is about.
PLACE = Statement(
    insert(event_places)
    .values(event_key=bindparam("event_key"), row_id=bindparam("row_id"))
    .on_conflict_do_nothing(index_elements=["event_key"])
)
NO_ROW = 0
"""Where an event is whose row comes later in the same transaction."""

_ASKED = numbers_of(bindparam("keys"))
KNOWN = Statement(select(event_places.c.event_key).where(event_places.c.event_key.in_(_ASKED)))
_NEW = _ASKED.subquery()
CLAIM = Statement(
    insert(event_places)
    .from_select(["event_key", "row_id"], select(_NEW.c.value, literal(NO_ROW)).where(_NEW.c.value.is_not(None)))
    .on_conflict_do_nothing()
    .returning(event_places.c.event_key)
)
SETTLE = Statement(update(event_places).where(event_places.c.event_key.in_(_ASKED)).values(row_id=bindparam("new_row")))
FIND = Statement(
    select(scored_events.c.id, scored_events.c.body)
    .join(event_places, event_places.c.row_id == scored_events.c.id)
    .where(event_places.c.event_key == bindparam("of_key"))
)
FORGET = Statement(
    delete(event_places).where(
        event_places.c.event_key == bindparam("of_key"), event_places.c.row_id == bindparam("of_row")
    )
)


class _Score(msgspec.Struct):
    event_id: str


class _Event(msgspec.Struct):
    score: _Score


_ids = msgspec.json.Decoder(list[_Event])


def place(tx: Transaction, row_id: int, event_ids: Iterable[str]) -> None:
    """Say that these events are in that row."""
    keys = sorted({event_key(event_id) for event_id in event_ids})  # in one order, see `_array`
    tx.many(PLACE, [{"event_key": key, "row_id": row_id} for key in keys])


def known(tx: Transaction, event_ids: Iterable[str]) -> frozenset[str]:
    """Those of the ids that are in the log."""
    keys = {event_key(event_id): event_id for event_id in event_ids}
    rows = tx.all(KNOWN, keys=_array(keys)) if keys else []
    return frozenset(keys[row[0]] for row in rows)


def claim(tx: Transaction, event_ids: Iterable[str]) -> frozenset[str]:
    """Those of the ids that are new, ours alone to `settle`: another process waits to hear whether we do."""
    keys = {event_key(event_id): event_id for event_id in event_ids}
    rows = tx.all(CLAIM, keys=_array(keys)) if keys else []
    return frozenset(keys[row[0]] for row in rows)


def settle(tx: Transaction, row_id: int, event_ids: Iterable[str]) -> None:
    """Say that these events, which were claimed, are in that row."""
    tx.run(SETTLE, keys=_array(map(event_key, event_ids)), new_row=row_id)


def _array(keys: Iterable[int]) -> str:
    """In one order, so that processes that want the same ones do not wait for each other in a circle."""
    return msgspec.json.encode(sorted(keys)).decode()


def row_of(tx: Transaction, event_id: str) -> tuple[int, bytes] | None:
    """The number and the body of the row that should have this event, None when no row does."""
    row = tx.one(FIND, of_key=event_key(event_id))
    return None if row is None else (row[0], row[1])


def forget_row(tx: Transaction, row_id: int, body: bytes) -> None:
    """Forget the places of the events of a row that goes."""
    try:
        found = _ids.decode(body)
    except msgspec.MsgspecError:
        return  # another version's: a place that leads nowhere costs two integers
    tx.many(FORGET, [{"of_key": event_key(each.score.event_id), "of_row": row_id} for each in found])


@lru_cache(maxsize=16_384)
def event_key(event_id: str) -> int:
    """What an event is found by."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), signed=True)
