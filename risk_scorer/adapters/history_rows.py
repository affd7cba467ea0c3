"""The rows of histories, read and written inside one transaction. What is learned is decided by who opens them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import LargeBinary, bindparam, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import is_shared, texts_of
from plumbing.statements import Statement, Value
from risk_scorer.adapters.tables import user_histories
from risk_scorer.core.history import UserHistory, decode, encode

NOBODY_YET: Final = b""
"""What is stored for somebody of whom nothing is known, so that there is a row to hold."""

_ASKED = texts_of(bindparam("users"))
_ROW = (user_histories.c.user_id, user_histories.c.blob, user_histories.c.version)
FIND = Statement(select(*_ROW).where(user_histories.c.user_id == bindparam("of_user")))
FIND_MANY = Statement(select(*_ROW).where(user_histories.c.user_id.in_(_ASKED.order_by(None))))
HOLD = Statement(
    select(*_ROW)
    .where(user_histories.c.user_id.in_(_ASKED.order_by(None)))
    .order_by(user_histories.c.user_id)
    .with_for_update(key_share=True)
)
_MISSING = _ASKED.subquery()
MAKE_ROOM = Statement(
    insert(user_histories)
    .from_select(
        ["user_id", "blob", "version", "updated_at"],
        select(_MISSING.c.value, literal(NOBODY_YET, LargeBinary), literal(0), literal(0.0)).where(is_shared()),
    )
    .on_conflict_do_nothing()
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
    """A history changed while it was held: another program writes to this database."""


def kept_of(tx: Transaction, users: Iterable[str]) -> dict[str, Kept]:
    """The stored histories of these people, whom nobody is kept from changing."""
    asked = list(dict.fromkeys(users))
    rows = tx.all(FIND, of_user=asked[0]) if len(asked) == 1 else tx.all(FIND_MANY, users=_array(asked))
    return {user: Kept(-1, None) for user in asked} | {row[0]: _decoded(row[1], row[2]) for row in rows}


def _held(tx: Transaction, users: list[str]) -> dict[str, Kept]:
    """The same, and other processes wait with theirs until our transaction ends."""
    rows = tx.all(HOLD, users=_array(users))
    found = {row[0]: _decoded(row[1], row[2]) for row in rows}
    missing = [user for user in users if user not in found]
    if missing and tx.run(MAKE_ROOM, users=_array(missing)) != len(missing):
        # Somebody else has made some of the rows since; where writers take turns nobody has, and none are made.
        found |= {row[0]: _decoded(row[1], row[2]) for row in tx.all(HOLD, users=_array(missing))}
    elif missing:
        found |= {user: Kept(0, None) for user in missing}
    return {user: found.get(user) or Kept(-1, None) for user in users}


def _array(users: list[str]) -> str:
    return msgspec.json.encode(users).decode()


def _decoded(blob: bytes, version: int) -> Kept:
    if blob == NOBODY_YET:
        return Kept(version, None)
    try:
        return Kept(version, decode(blob))
    except msgspec.MsgspecError:
        # Damaged, or written by another version: treated as somebody new, and told to the operator.
        log.error("history_unreadable")
        return Kept(version, None)


class OpenHistories:
    """The histories that a transaction changes: each is read once, and written once when it is done.

    They are held from the first look on, and `hold` takes many at once. Whatever else is decided about a person's
    logins is read after that: so it is what stands when the history changes, whichever process changes it.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._before: dict[str, Kept] = {}
        self._after: dict[str, UserHistory | None] = {}

    def hold(self, users: Iterable[str]) -> None:
        """These people's histories are ours until the transaction ends."""
        new = sorted(set(users) - self._before.keys())
        if new:
            found = _held(self._tx, new)
            self._before |= found
            self._after |= {user: each.history for user, each in found.items()}

    def of(self, user: str) -> UserHistory | None:
        """The person's history as this transaction has it by now."""
        self.hold([user])
        return self._after[user]

    def put(self, user: str, history: UserHistory | None) -> None:
        """What `of` gave has become this."""
        self._after[user] = history

    def write(self, now: float) -> dict[str, Kept]:
        """Store what changed; the new rows, for whoever keeps them in memory. Raises: ConcurrentChange."""
        added: list[dict[str, Value]] = []
        replaced: list[dict[str, Value]] = []
        changed: dict[str, Kept] = {}
        for user, after in self._after.items():
            before = self._before[user]
            if after is None or after is before.history or after == before.history:
                continue
            if before.version < 0:
                added.append({"user_id": user, "blob": encode(after), "updated_at": now})
            else:
                blob = encode(after)
                replaced.append({"of_user": user, "expected_version": before.version, "new_blob": blob, "now": now})
            changed[user] = Kept(max(before.version, 0) + 1, after)
        if any(rows != 1 for rows in (*self._tx.each(ADD, added), *self._tx.each(REPLACE, replaced))):
            raise ConcurrentChange
        return changed
