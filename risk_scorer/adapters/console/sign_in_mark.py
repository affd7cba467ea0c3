"""The mark up to where the log was taken to the console's rows. Whoever holds it is the only one to write them."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import scored_events, sign_in_progress
from risk_scorer.core.console.progress import Progress

NAME: Final = "log"

_log, _mark = scored_events.c, sign_in_progress.c
FIND = Statement(select(_mark.log_id, _mark.holes, _mark.version).where(_mark.name == NAME))
HOLD = Statement(select(_mark.version).where(_mark.name == NAME).with_for_update())
BEGIN = Statement(insert(sign_in_progress).values(name=NAME, log_id=0, holes="[]", version=0).on_conflict_do_nothing())
MOVE = Statement(
    update(sign_in_progress)
    .where(_mark.name == NAME)
    .values(log_id=bindparam("new_id"), holes=bindparam("new_holes"), version=_mark.version + 1)
)
INTERRUPT = Statement(update(sign_in_progress).where(_mark.name == NAME).values(version=_mark.version + 1))
_END = select(func.coalesce(func.max(_log.id), 0)).scalar_subquery()
STEP_BACK = Statement(
    update(sign_in_progress)
    .where(_mark.name == NAME)
    .values(log_id=case((_mark.log_id > _END, _END), else_=_mark.log_id), version=_mark.version + 1)
)

BEHIND = Statement(select(_log.ts_scored).where(_log.id > bindparam("taken")).order_by(_log.id).limit(1))

_holes = msgspec.json.Decoder(tuple[tuple[int, float], ...])


def begin(tx: Transaction) -> None:
    """Make the mark, before the first row, unless there is one."""
    tx.run(BEGIN)


def mark(tx: Transaction) -> tuple[Progress, int] | None:
    """How far the log was taken, and the version of that; None while there is no mark."""
    row = tx.one(FIND)
    return None if row is None else (Progress(row[0], _holes.decode(row[1])), row[2])


def is_ours(tx: Transaction, version: int) -> bool:
    """Whether the mark is still of that version; then it is held until the transaction ends."""
    held = tx.one(HOLD)
    return held is not None and held[0] == version


def move(tx: Transaction, progress: Progress) -> None:
    """The log was taken so far; the version is one more."""
    tx.run(MOVE, new_id=progress.log_id, new_holes=msgspec.json.encode(progress.holes).decode())


def interrupt(tx: Transaction) -> None:
    """Make void what was read and is not written yet: the version is one more."""
    tx.run(INTERRUPT)


def step_back(tx: Transaction) -> None:
    """For whoever deletes rows of the log: a file gives the numbers of its newest rows again, to other logins."""
    tx.run(STEP_BACK)


def behind_since(tx: Transaction) -> float | None:
    """When the oldest login was scored that is in the log and in no row yet, whether any was ever taken or none; None
    where all are."""
    found = mark(tx)
    row = tx.one(BEHIND, taken=0 if found is None else found[0].log_id)
    return None if row is None else float(row[0])
