"""Copies of histories near where they are asked for: in this process, and in Redis for all of them.

No copy is believed for what it is. PostgreSQL keeps a digest of each history, and says it with every look-up: the copy
that has it is the history that is committed, whoever made the copy and however long ago. So nothing has to be taken
back when a history changes, a write that Redis lost makes a copy useless and never old, and whoever can write to Redis
can make nobody familiar. Fails to PostgreSQL, which then gives the history itself.

SQLite keeps no digests, and gives bytes from its own pages at next to no cost: there every look-up reads them, and the
copy is used that was made of the same ones.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol

from plumbing.database import Database
from risk_scorer.adapters.history_rows import Written, readable, rows_unlike
from risk_scorer.core.history import UserHistory

DIGEST_CHARACTERS: Final = 32
"""128 bits: nobody finds another history with a digest that is there already."""


def digest_of(stored: bytes) -> str:
    """What PostgreSQL has beside a history that is stored so (migration 0007)."""
    return sha256(stored).hexdigest()[:DIGEST_CHARACTERS]


MEMORY: Final = "memory"
REDIS: Final = "redis"
DATABASE: Final = "database"


class SharedCopies(Protocol):
    """Copies that several processes share. Whatever becomes of them, asking costs a bounded time and raises nothing."""

    def get(self, users: Sequence[str]) -> list[bytes]:
        """What there is of these people, in any order; it may be anything."""
        ...

    def keep(self, copies: Mapping[str, bytes]) -> None:
        """Have these for some time, for whoever asks next."""
        ...

    def forget(self, user: str) -> None:
        """Have nothing of this person."""
        ...


class NoSharedCopies:
    """Without Redis each process has its own."""

    def get(self, users: Sequence[str]) -> list[bytes]:
        """Nothing."""
        return []

    def keep(self, copies: Mapping[str, bytes]) -> None:
        """Nothing is kept."""

    def forget(self, user: str) -> None:
        """There is nothing."""


class HotHistories:
    """The copies of this process, as many as `most`, and behind them the shared ones. For one thread."""

    def __init__(self, *, most: int, shared: SharedCopies | None = None) -> None:
        self._most = most
        self._shared = shared or NoSharedCopies()
        self._own: OrderedDict[str, tuple[str, UserHistory]] = OrderedDict()
        self.found: Counter[str] = Counter({MEMORY: 0, REDIS: 0, DATABASE: 0})
        """How many histories were found where."""

    def read(self, database: Database, users: Collection[str]) -> dict[str, UserHistory | None]:
        """The history of each of these people as it is committed; None for whoever has none. Raises: Refused."""
        if not users:
            return {}
        candidates = self._candidates(users)
        known = list(candidates)
        rows = database.read(lambda tx: rows_unlike(tx, users, known))
        found: dict[str, UserHistory | None] = dict.fromkeys(users)
        fresh: dict[str, bytes] = {}
        for user, kept_digest, stored in rows:
            digest = digest_of(stored) if kept_digest is None else kept_digest
            candidate = candidates[digest] if stored is None else candidates.get(digest) or stored
            history = readable(candidate) if isinstance(candidate, bytes) else candidate
            self.found[_place(candidate, stored)] += 1
            found[user] = history
            if history is not None:
                self._remember(user, digest, history)
                if kept_digest is not None and stored is not None:
                    fresh[user] = stored
        if fresh:
            self._shared.keep(fresh)
        return found

    def keep(self, changed: Mapping[str, Written]) -> None:
        """These were just stored; of all histories they are the likeliest to be asked for."""
        for user, written in changed.items():
            self._remember(user, digest_of(written.stored), written.history)
        if changed and self._most:
            self._shared.keep({user: written.stored for user, written in changed.items()})

    def forget(self, user: str) -> None:
        """Have nothing of this person."""
        self._own.pop(user, None)
        self._shared.forget(user)

    def _candidates(self, users: Collection[str]) -> dict[str, UserHistory | bytes]:
        """What may be the histories of these people, by its digest."""
        found: dict[str, UserHistory | bytes] = {}
        missing: list[str] = []
        for user in users:
            known = self._own.get(user)
            if known is None:
                missing.append(user)
            else:
                found[known[0]] = known[1]
        if missing:
            found |= {digest_of(stored): stored for stored in self._shared.get(missing)}
        return found

    def _remember(self, user: str, digest: str, history: UserHistory) -> None:
        self._own[user] = (digest, history)
        self._own.move_to_end(user)
        while len(self._own) > self._most:
            self._own.popitem(last=False)


def _place(candidate: UserHistory | bytes, stored: bytes | None) -> str:
    if not isinstance(candidate, bytes):
        return MEMORY
    return REDIS if candidate is not stored else DATABASE
