"""The rows of histories, read and written inside one transaction. What is learned is decided by who opens them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import LargeBinary, bindparam, case, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import is_shared, texts_of
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.tables import user_histories
from risk_scorer.core.history import UserHistory, decode, encode

NOBODY_YET: Final = b""
"""What is stored for somebody of whom nothing is known, so that there is a row to hold."""

_ASKED = texts_of(bindparam("users"))
_ROW = (user_histories.c.user_id, user_histories.c.blob, user_histories.c.version)
FIND = Statement(select(*_ROW).where(user_histories.c.user_id == bindparam("of_user")))
FIND_MANY = Statement(select(*_ROW).where(user_histories.c.user_id.in_(_ASKED.order_by(None))))
_UNLIKE = (user_histories.c.user_id, user_histories.c.digest)
UNLIKE = Statement(
    select(*_UNLIKE, case((user_histories.c.digest == bindparam("known"), null()), else_=user_histories.c.blob)).where(
        user_histories.c.user_id == bindparam("of_user")
    )
)
_KNOWN = user_histories.c.digest.in_(texts_of(bindparam("known")).order_by(None))
UNLIKE_MANY = Statement(
    select(*_UNLIKE, case((_KNOWN, null()), else_=user_histories.c.blob)).where(
        user_histories.c.user_id.in_(_ASKED.order_by(None))
    )
)
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


class Written(NamedTuple):
    """A history that was just stored, and the bytes that it is stored as."""

    version: int
    history: UserHistory
    stored: bytes


class ConcurrentChange(Exception):
    """A history changed while it was held: another program writes to this database."""


def kept_of(tx: Transaction, users: Iterable[str]) -> dict[str, Kept]:
    """The stored histories of these people, whom nobody is kept from changing."""
    asked = list(dict.fromkeys(users))
    rows = tx.all(FIND, of_user=asked[0]) if len(asked) == 1 else tx.all(FIND_MANY, users=_array(asked))
    return {user: Kept(-1, None) for user in asked} | {row[0]: _decoded(row[1], row[2]) for row in rows}


def rows_unlike(tx: Transaction, users: Collection[str], known: list[str]) -> list[Row]:
    """Of each of these people whose history is stored: who, its digest, and its bytes, None where the digest is one of
    those that are known. The digest is None where the database keeps none.
    """
    if len(users) > 1 or len(known) > 1:
        return tx.all(UNLIKE_MANY, users=_array(list(users)), known=_array(known))
    return tx.all(UNLIKE, of_user=next(iter(users)), known=known[0] if known else None)


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
    return Kept(version, readable(blob))


def readable(stored: bytes) -> UserHistory | None:
    """The history that is stored so. What is damaged, or written by another version, is told to the operator, and
    its person is treated as somebody new.
    """
    if stored == NOBODY_YET:
        return None
    try:
        return decode(stored)
    except msgspec.MsgspecError:
        log.error("history_unreadable")
        return None


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

    def write(self, now: float) -> dict[str, Written]:
        """Store what changed; the new rows, for whoever keeps them in memory. Raises: ConcurrentChange."""
        added: list[dict[str, Value]] = []
        replaced: list[dict[str, Value]] = []
        changed: dict[str, Written] = {}
        for user, after in self._after.items():
            before = self._before[user]
            if after is None or after is before.history or after == before.history:
                continue
            blob = encode(after)
            if before.version < 0:
                added.append({"user_id": user, "blob": blob, "updated_at": now})
            else:
                replaced.append({"of_user": user, "expected_version": before.version, "new_blob": blob, "now": now})
            changed[user] = Written(max(before.version, 0) + 1, after, blob)
        if any(rows != 1 for rows in (*self._tx.each(ADD, added), *self._tx.each(REPLACE, replaced))):
            raise ConcurrentChange
        return changed
