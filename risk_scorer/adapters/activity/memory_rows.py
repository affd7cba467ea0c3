"""What detectors remember, on disk: packed, each row with the version that whoever writes it must have read.

Where several scorers share a database and two of them judge one session at once, the slower one finds another version.
Of a session it then adds its evidence to what is there, so no risk is lost; of a person, a role or a service it leaves
what is there, so a baseline has learned one event less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import structlog
from sqlalchemy import bindparam, delete, literal, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Statement, Value
from risk_scorer.adapters.tables import activity_memory
from risk_scorer.core.activity.memory import SCOPES, packed
from risk_scorer.core.session_evidence import joined
from risk_scorer.flows.activity.ports import Place

PRUNE_ROWS: Final = 2000

_table = activity_memory.c
_OF = [
    select(literal(scope).label("scope"), _table.key, _table.version, _table.packed).where(
        _table.scope == scope, _table.key.in_(texts_of(bindparam(scope)))
    )
    for scope in SCOPES
]
FIND = Statement(union_all(*_OF))
BEGIN = Statement(
    insert(activity_memory)
    .values({column.name: bindparam(column.name) for column in activity_memory.columns})
    .on_conflict_do_nothing(index_elements=["scope", "key"])
)
_THIS = (_table.scope == bindparam("of_scope"), _table.key == bindparam("of_key"))
WRITE = Statement(
    update(activity_memory)
    .where(*_THIS, _table.version == bindparam("read_version"))
    .values(packed=bindparam("now_packed"), version=bindparam("new_version"), updated_at=bindparam("at"))
)
HELD = Statement(select(_table.version, _table.packed).where(*_THIS).with_for_update())
_OLD = (
    select(_table.key)
    .where(_table.scope == bindparam("in_scope"), _table.updated_at < bindparam("before"))
    .limit(PRUNE_ROWS)
)
PRUNE = Statement(delete(activity_memory).where(_table.scope == bindparam("in_scope"), _table.key.in_(_OLD)))

log = structlog.get_logger(__name__)


class Written(msgspec.Struct, frozen=True, gc=False):
    """A memory to write: where, what, the version that was read (0: none was there) and the one that it has now."""

    place: Place
    packed: bytes
    read_version: int
    version: int


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A memory as it stands in its row."""

    version: int
    packed: bytes


def stored_at(tx: Transaction, places: Iterable[Place]) -> dict[Place, Stored]:
    """What is stored at those of the places where something is."""
    keys: dict[str, list[str]] = {scope: [] for scope in SCOPES}
    for scope, key in places:
        keys[scope].append(key)
    asked = {scope: msgspec.json.encode(found).decode() for scope, found in keys.items()}
    return {(row[0], row[1]): Stored(row[2], bytes(row[3])) for row in tx.all(FIND, **asked)}


def write_memories(tx: Transaction, written: Sequence[Written], now: float) -> list[Place]:
    """Write each whose row is as it was read; the places of those that are not. A lost session leaves its evidence."""
    ordered = sorted(written, key=lambda each: each.place)  # in one order: processes tie no knots
    new = [each for each in ordered if not each.read_version]
    known = [each for each in ordered if each.read_version]
    lost = _beaten(new, tx.each(BEGIN, [_begun(each, now) for each in new])) if new else []
    lost += _beaten(known, tx.each(WRITE, [_rewritten(each, now) for each in known])) if known else []
    for each in lost:
        if each.place[0] == "session":
            _leave_evidence(tx, each, now)
    return [each.place for each in lost]


def _beaten(tried: Sequence[Written], counts: Sequence[int]) -> list[Written]:
    return [each for each, count in zip(tried, counts, strict=True) if count == 0]


def _begun(each: Written, now: float) -> dict[str, Value]:
    scope, key = each.place
    return {"scope": scope, "key": key, "packed": each.packed, "version": each.version, "updated_at": now}


def _rewritten(each: Written, now: float) -> dict[str, Value]:
    scope, key = each.place
    return {
        "of_scope": scope,
        "of_key": key,
        "read_version": each.read_version,
        "now_packed": each.packed,
        "new_version": each.version,
        "at": now,
    }


def _leave_evidence(tx: Transaction, ours: Written, now: float) -> None:
    scope, key = ours.place
    row = tx.one(HELD, of_scope=scope, of_key=key)
    if row is None:
        return  # somebody erased it
    try:
        both = joined(bytes(row[1]), ours.packed)
    except msgspec.MsgspecError:
        log.warning("memory_unreadable", scope=scope)
        return
    tx.run(
        WRITE,
        of_scope=scope,
        of_key=key,
        read_version=row[0],
        now_packed=packed(both),
        new_version=row[0] + 1,
        at=now,
    )


def prune_memories(tx: Transaction, scope: str, before: float) -> int:
    """Forget memories of that scope that were last written before that time; how many went."""
    return tx.run(PRUNE, in_scope=scope, before=before)
