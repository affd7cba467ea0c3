"""What each person's logins look like: one row a person, the most recently used in memory.

There is one serving process, so its memory is the only cache. Look-ups fail closed: a score made without the history
would mean something else, so an unreadable database is a 503 and the caller challenges. Learning is one durable
transaction by the one writer, with compare-and-set on the row's version, so two outcomes for one person both count,
and each event id counts once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import imported_models, seen_outcomes, user_histories
from risk_scorer.core.history import OWN, UserHistory, decode, encode, learn
from risk_scorer.flows.ports import Lesson

CACHED_USERS = 10_000
"""About 10 kB each."""
IMPORT_ROWS = 1000
"""Histories that one transaction imports, so that the writer is never held for long."""
PRUNE_ROWS = 2000

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
SEE = Statement(
    insert(seen_outcomes).values(event_id=bindparam("event_id"), seen_at=bindparam("seen_at")).on_conflict_do_nothing()
)
_OLD = select(seen_outcomes.c.event_id).where(seen_outcomes.c.seen_at < bindparam("before")).limit(bindparam("up_to"))
PRUNE = Statement(delete(seen_outcomes).where(seen_outcomes.c.event_id.in_(_OLD)))
_IMPORT = insert(user_histories).values(
    user_id=bindparam("user_id"), blob=bindparam("blob"), version=0, updated_at=bindparam("updated_at")
)
IMPORT = Statement(
    _IMPORT.on_conflict_do_update(
        index_elements=["user_id"],
        set_={"blob": _IMPORT.excluded.blob, "updated_at": _IMPORT.excluded.updated_at},
        # What was learned here is newer than any training log: only untouched imports are replaced.
        where=user_histories.c.version == 0,
    )
)
IS_IMPORTED = Statement(
    select(imported_models.c.users).where(imported_models.c.histories_sha256 == bindparam("of_digest"))
)
MARK_IMPORTED = Statement(
    insert(imported_models)
    .values(
        histories_sha256=bindparam("histories_sha256"), users=bindparam("users"), imported_at=bindparam("imported_at")
    )
    .on_conflict_do_nothing()
)

log = structlog.get_logger(__name__)


class _Kept(NamedTuple):
    version: int
    history: UserHistory | None


class ConcurrentChange(Exception):
    """A history changed inside the writer's own transaction: another program writes to this database."""


class ProfileStore:
    """Histories by person. Look-ups and learning belong to the event loop's thread, importing to any other."""

    def __init__(self, database: Database, *, clock: Clock, cached_users: int = CACHED_USERS) -> None:
        self._database = database
        self._clock = clock
        self._cached_users = cached_users
        self._cache: OrderedDict[str, _Kept] = OrderedDict()
        self._is_stale = False

    def get_many(self, user_ids: Sequence[str]) -> list[UserHistory | None]:
        """Each person's history in the given order, None for whoever has none. Raises: Refused."""
        cache = self._cache
        if self._is_stale:
            self._is_stale = False
            cache.clear()
        missing = {user for user in user_ids if user not in cache}
        found = self._read(missing) if missing else {}
        histories = []
        for user in user_ids:
            kept = cache.get(user)
            if kept is None:
                kept = found[user]
            else:
                cache.move_to_end(user)
            histories.append(kept.history)
        for user, kept in found.items():
            self._keep(user, kept)
        return histories

    async def learn(self, lessons: Sequence[Lesson]) -> int:
        """Learn what was not learned before, durably; how many lessons were new. Raises: Refused."""
        now = self._clock.now()
        new, changed = await self._database.write(lambda tx: _learn(tx, lessons, now))
        for user, kept in changed.items():
            self._keep(user, kept)
        return new

    async def prune(self, before: float) -> int:
        """Forget event ids seen before that time (what they taught stays); how many went."""
        total = 0
        while True:
            gone = await self._database.write(lambda tx: tx.run(PRUNE, up_to=PRUNE_ROWS, before=before))
            total += gone
            if gone < PRUNE_ROWS:
                return total

    def import_histories(self, histories_sha256: str, histories: Iterable[tuple[str, bytes]]) -> int:
        """Take the histories that a model brings along, once; how many people. Blocks: not for the event loop.

        Interrupted half-way it starts over the next time, which changes nothing twice.
        """
        if self._database.read(lambda tx: tx.one(IS_IMPORTED, of_digest=histories_sha256)) is not None:
            return 0
        now = self._clock.now()
        users, rest = 0, iter(histories)
        while chunk := list(islice(rest, IMPORT_ROWS)):
            rows = [{"user_id": user, "blob": blob, "updated_at": now} for user, blob in chunk]
            self._database.write_sync(lambda tx, rows=rows: tx.many(IMPORT, rows))  # type: ignore[misc]
            users += len(rows)
        self._database.write_sync(
            lambda tx: tx.run(MARK_IMPORTED, histories_sha256=histories_sha256, users=users, imported_at=now)
        )
        # Only the event loop's thread touches the cache; it drops what it kept before it looks anybody up again.
        self._is_stale = True
        return users

    def _read(self, users: set[str]) -> dict[str, _Kept]:
        return self._database.read(lambda tx: {user: _kept(tx, user) for user in users})

    def _keep(self, user: str, kept: _Kept) -> None:
        cache = self._cache
        older = cache.get(user)
        if older is not None and older.version > kept.version:
            return
        cache[user] = kept
        cache.move_to_end(user)
        while len(cache) > self._cached_users:
            cache.popitem(last=False)


def _kept(tx: Transaction, user: str) -> _Kept:
    row = tx.one(FIND, of_user=user)
    if row is None:
        return _Kept(-1, None)
    try:
        return _Kept(row[1], decode(row[0]))
    except msgspec.MsgspecError:
        # Damaged, or written by another version: treated as somebody new, and told to the operator.
        log.error("history_unreadable")
        return _Kept(row[1], None)


def _learn(tx: Transaction, lessons: Sequence[Lesson], now: float) -> tuple[int, dict[str, _Kept]]:
    """Every new lesson in order, then one row a person; a function of the transaction alone."""
    before: dict[str, _Kept] = {}
    after: dict[str, UserHistory] = {}
    new = 0
    for lesson in lessons:
        # One login may fail at a factor first and pass later: each side counts once.
        side = "own" if lesson.outcome in OWN else "failed"
        if tx.run(SEE, event_id=f"{side}:{lesson.event_id}", seen_at=now) != 1:
            continue
        user = lesson.observation.user_id
        if user not in before:
            before[user] = _kept(tx, user)
        after[user] = learn(after.get(user, before[user].history), lesson.observation, lesson.outcome)
        new += 1
    return new, {user: _store(tx, user, before[user].version, history, now) for user, history in after.items()}


def _store(tx: Transaction, user: str, version: int, history: UserHistory, now: float) -> _Kept:
    blob = encode(history)
    if version < 0:
        done, new_version = tx.run(ADD, user_id=user, blob=blob, updated_at=now), 1
    else:
        done = tx.run(REPLACE, of_user=user, expected_version=version, new_blob=blob, now=now)
        new_version = version + 1
    if done != 1:
        raise ConcurrentChange(user)
    return _Kept(new_version, history)
