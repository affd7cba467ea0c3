"""What each person's logins look like: one row a person, the most recently used in memory.

A process that has the database to itself keeps them in memory; where several share one, `cached_users` is 0, and each
look-up asks for what all of them have learned (`hot_histories` for less than reading it all). Look-ups fail closed: a
score made without the history would mean something else, so an unreadable database is a 503 and the caller challenges.
Learning is one durable transaction that holds the rows it changes, so two outcomes for one person both count, and each
event id counts once, whichever processes learn them. What an operator found out about a login holds for its later
outcomes too.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.console.told_words import say_outcomes
from risk_scorer.adapters.history_rows import Kept, OpenHistories, Written, kept_of
from risk_scorer.adapters.hot_histories import HotHistories
from risk_scorer.adapters.lesson_rows import Told, lessons_since, prune, see
from risk_scorer.adapters.tables import imported_models, user_histories
from risk_scorer.adapters.verdict_rows import OpenVerdicts
from risk_scorer.core.history import OWN, UserHistory, learn_taught
from risk_scorer.core.verdicts import Taught, taught_by
from risk_scorer.flows.ports import Lesson

CACHED_USERS = 10_000
"""About 10 kB each."""
IMPORT_ROWS = 1000
"""Histories that one transaction imports, so that the writer is never held for long."""
PRUNE_ROWS = 2000
LATE_SECONDS = 10.0
"""How much later than its own stamp a lesson of another process may be committed, clocks that differ included."""

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

Listener = Callable[[Sequence[Taught]], object]


class ProfileStore:
    """Histories by person. Look-ups and learning belong to the event loop's thread, importing to any other."""

    def __init__(
        self, database: Database, *, clock: Clock, cached_users: int = CACHED_USERS, hot: HotHistories | None = None
    ) -> None:
        """`hot` are the copies that a process has which is not alone."""
        self._database = database
        self._clock = clock
        self._cached_users = cached_users
        self._cache: OrderedDict[str, Kept] = OrderedDict()
        self._is_stale = False
        self._listeners: list[tuple[Listener, bool]] = []
        self.has_company = cached_users == 0
        self._hot = hot or HotHistories(most=0)
        self._told: dict[str, float] = {}
        self._told_until = clock.now()

    def get_many(self, user_ids: Sequence[str]) -> list[UserHistory | None]:
        """Each person's history in the given order, None for whoever has none. Raises: Refused."""
        if self.has_company:
            found_now = self._hot.read(self._database, dict.fromkeys(user_ids))
            return [found_now[user] for user in user_ids]
        cache = self._cache
        if self._is_stale:
            self._is_stale = False
            cache.clear()
        missing = {user for user in user_ids if user not in cache}
        found = self._read(missing) if missing else {}
        histories = []
        for user in user_ids:
            known = cache.get(user)
            if known is None:
                known = found[user]
            else:
                cache.move_to_end(user)
            histories.append(known.history)
        for user, stored in found.items():
            self._keep(user, stored)
        return histories

    async def learn(self, lessons: Sequence[Lesson]) -> int:
        """Learn what was not learned before, durably; how many lessons were new. Raises: Refused."""
        now = self._clock.now()
        keys = [_told(each).key for each in lessons]
        # Ours before they are committed: `hear_others` may read them before we are told that they are.
        ours = dict.fromkeys((key for key in keys if key not in self._told), now) if self.has_company else {}
        self._told |= ours
        heard: list[Taught] = []
        fresh: frozenset[str] = frozenset()
        try:
            new, changed, heard, fresh = await self._database.write(lambda tx: _learn(tx, lessons, now))
        finally:
            for key in ours.keys() - fresh:
                self._told.pop(key, None)
        self.keep(changed)
        for listener, _ in self._listeners:
            listener(heard)
        return new

    async def hear_others(self) -> int:
        """Tell of the lessons that other processes have learned since; how many. Raises: Refused."""
        now = self._clock.now()
        since = min(now, self._told_until) - LATE_SECONDS
        rows = await asyncio.to_thread(list, lessons_since(self._database, since))
        news = [(key, seen_at, taught) for seen_at, key, taught in rows if key not in self._told]
        self._told |= {key: seen_at for key, seen_at, _ in news}
        self._told = {key: seen_at for key, seen_at in self._told.items() if seen_at >= since - LATE_SECONDS}
        self._told_until = now
        for listener, hears_others in self._listeners:
            if hears_others and news:
                listener([taught for _, _, taught in news])
        return len(news)

    def listen(self, listener: Listener, *, hears_others: bool = False) -> None:
        """Tell this one of each outcome's lesson once, when it is on the disk, on the event loop; of those that other
        processes learn, too, where it `hears_others`.

        After a restart `recent_lessons` tells the same ones.
        """
        self._listeners.append((listener, hears_others))

    def recent_lessons(self, since: float) -> Iterator[Taught]:
        """What was taught by outcomes that came in from that time on, in their order. Blocks while it reads.

        A lesson is told even when a verdict has taken it back since. Raises: Refused.
        """
        for seen_at, key, taught in lessons_since(self._database, since):
            if self.has_company and seen_at >= self._told_until - 2 * LATE_SECONDS:
                self._told[key] = seen_at
            yield taught

    def keep(self, changed: Mapping[str, Written]) -> None:
        """Take these histories, which somebody has just stored, for what is known."""
        if self.has_company:
            self._hot.keep(changed)
            return
        for user, written in changed.items():
            self._keep(user, Kept(written.version, written.history))

    def forget(self, user: str) -> None:
        """Take nothing for known of this person, whose history somebody has just deleted."""
        self._cache.pop(user, None)
        self._hot.forget(user)

    async def prune(self, before: float) -> int:
        """Forget event ids seen before that time (what they taught stays); how many went."""
        total = 0
        while True:
            gone = await self._database.write(lambda tx: prune(tx, before=before, up_to=PRUNE_ROWS))
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

    def _read(self, users: set[str]) -> dict[str, Kept]:
        return self._database.read(lambda tx: kept_of(tx, users))

    def _keep(self, user: str, stored: Kept) -> None:
        cache = self._cache
        older = cache.get(user)
        if older is not None and older.version > stored.version:
            return
        cache[user] = stored
        cache.move_to_end(user)
        while len(cache) > self._cached_users:
            cache.popitem(last=False)


def _learn(
    tx: Transaction, lessons: Sequence[Lesson], now: float
) -> tuple[int, dict[str, Written], list[Taught], frozenset[str]]:
    """Every new lesson in order, then one row a person; a function of the transaction alone.

    How many were learned, the changed histories, and the lessons that were heard for the first time, with their keys:
    what a verdict keeps from being learned was heard all the same.
    """
    histories, new = OpenHistories(tx), 0
    histories.hold(lesson.observation.user_id for lesson in lessons)
    told = [_told(lesson) for lesson in lessons]
    heard = see(tx, told, now)
    verdicts = OpenVerdicts(tx, [each.login_id for each in heard if each.taught.outcome in OWN])
    for each in heard:
        taught = each.taught
        if taught.outcome in OWN:
            new += verdicts.taught_late(histories, each.login_id, taught)
        else:
            histories.put(taught.user_id, learn_taught(histories.of(taught.user_id), taught))
            new += 1
    keys = frozenset(each.key for each in heard)
    say_outcomes(tx, [lesson for lesson, each in zip(lessons, told, strict=True) if each.key in keys], now)
    return new, histories.write(now), [each.taught for each in heard], keys


def _told(lesson: Lesson) -> Told:
    seen = lesson.observation
    return Told(lesson.event_id, seen.event_id, taught_by(seen, lesson.outcome))
