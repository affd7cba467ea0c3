"""The rows of histories, read and written inside one transaction. What is learned is decided by who opens them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from plumbing.database import Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import user_histories
from risk_scorer.core.history import UserHistory, decode, encode

FIND = Statement(
    select(user_histories.c.blob, user_histories.c.version).where(user_histories.c.user_id == bindparam("of_user"))
)
ADD = Statement(
    insert(user_histories)
    .values(user_id=bindparam("user_id"), blob=bindparam("blob"), version=1, updated_at=bindparam("updated_at"))
    .on_conflict_do_nothing()
)
REPLACE = Statement(
    update(user_histories)
    .where(user_histories.c.user_id == bindparam("of_user"), user_histories.c.version == bindparam("expected_version"))
    .values(blob=bindparam("new_blob"), version=user_histories.c.version + 1, updated_at=bindparam("now"))
)

log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    """A history as it is stored; version -1 and None for somebody without a row."""

    version: int
    history: UserHistory | None


class ConcurrentChange(Exception):
    """A history changed inside the writer's own transaction: another program writes to this database."""


def kept(tx: Transaction, user: str) -> Kept:
    """The stored history of a person."""
    row = tx.one(FIND, of_user=user)
    if row is None:
        return Kept(-1, None)
    try:
        return Kept(row[1], decode(row[0]))
    except msgspec.MsgspecError:
        # Damaged, or written by another version: treated as somebody new, and told to the operator.
        log.error("history_unreadable")
        return Kept(row[1], None)


class OpenHistories:
    """The histories that a transaction changes: each is read once, and written once when it is done."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._before: dict[str, Kept] = {}
        self._after: dict[str, UserHistory | None] = {}

    def of(self, user: str) -> UserHistory | None:
        """The person's history as this transaction has it by now."""
        if user not in self._before:
            self._before[user] = found = kept(self._tx, user)
            self._after[user] = found.history
        return self._after[user]

    def put(self, user: str, history: UserHistory | None) -> None:
        """What `of` gave has become this."""
        self._after[user] = history

    def write(self, now: float) -> dict[str, Kept]:
        """Store what changed; the new rows, for whoever keeps them in memory. Raises: ConcurrentChange."""
        changed = {}
        for user, history in self._after.items():
            before = self._before[user]
            if history is not None and history is not before.history and history != before.history:
                changed[user] = _stored(self._tx, user, before.version, history, now)
        return changed


def _stored(tx: Transaction, user: str, version: int, history: UserHistory, now: float) -> Kept:
    blob = encode(history)
    if version < 0:
        done, new_version = tx.run(ADD, user_id=user, blob=blob, updated_at=now), 1
    else:
        done = tx.run(REPLACE, of_user=user, expected_version=version, new_blob=blob, now=now)
        new_version = version + 1
    if done != 1:
        raise ConcurrentChange(user)
    return Kept(new_version, history)
