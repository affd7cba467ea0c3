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
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from plumbing.database import Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import event_places, scored_events

# The first event of an id is what happened: whoever may ask for scores must not replace what a verdict is about.
PLACE = Statement(
    insert(event_places)
    .values(event_key=bindparam("event_key"), row_id=bindparam("row_id"))
    .on_conflict_do_nothing(index_elements=["event_key"])
)
LAST_ROW = Statement(select(func.last_insert_rowid()))
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


def place_last_row(tx: Transaction, event_ids: Iterable[str]) -> None:
    """Say that these events are in the row that was inserted last."""
    row = tx.one(LAST_ROW)
    if row is not None:
        tx.many(PLACE, [{"event_key": event_key(event_id), "row_id": row[0]} for event_id in event_ids])


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
