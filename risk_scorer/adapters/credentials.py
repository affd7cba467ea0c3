"""Which services may call, and what they may do. Digests only; revocation holds within a few seconds.

The table is small and read on every request, so it is kept in memory and re-read when older than two seconds, or for a
credential that is not in it when older than a tenth: a new one counts at once, and a flood of invented ones costs ten
reads a second. Fails closed: when it can no longer be re-read, known credentials are honoured for five seconds in all
and then nobody is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, insert, select, update

from plumbing.clock import Clock
from plumbing.credentials import digest, new_credential
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.tables import credentials
from risk_scorer.flows.ports import Caller

PREFIX = "rgs"
MADE = re.compile(rf"{PREFIX}_[A-Za-z0-9_-]{{43}}")
SCOPES = ("score", "outcomes", "feedback", "read", "erase", "activity", "vouch")
"""Who has `activity` reports what people do in sessions that we know of; who has `vouch`, in others too."""
FRESH_SECONDS = 2.0
UNKNOWN_SECONDS = 0.1
STALE_SECONDS = 5.0

ADD = Statement(
    insert(credentials).values(
        name=bindparam("name"),
        digest=bindparam("digest"),
        scopes=bindparam("scopes"),
        created_at=bindparam("created_at"),
    )
)
TAKEN = Statement(select(credentials.c.name).where(credentials.c.name == bindparam("of_name")))
ACTIVE = Statement(
    select(credentials.c.digest, credentials.c.name, credentials.c.scopes).where(credentials.c.revoked_at.is_(None))
)
LISTED = Statement(
    select(credentials.c.name, credentials.c.scopes, credentials.c.created_at, credentials.c.revoked_at).order_by(
        credentials.c.created_at
    )
)
REVOKE = Statement(
    update(credentials)
    .where(credentials.c.name == bindparam("of_name"), credentials.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


class NameTaken(Exception):
    """A credential of that name exists, revoked or not: names stand in audit trails and are not used twice."""


class WeakCredential(Exception):
    """A given credential is not `rgs_` and 43 letters, digits, dashes or underscores: 256 bits that nobody guesses."""


class Credentials:
    """The callers' credentials: made and revoked by the command line, looked up by the service."""

    def __init__(self, database: Database, *, clock: Clock, randomness: Randomness) -> None:
        self._database = database
        self._clock = clock
        self._randomness = randomness
        self._callers: dict[bytes, Caller] = {}
        self._read_at = float("-inf")

    def caller(self, text: str) -> Caller | None:
        """Who holds this credential, or None. Raises: Refused when the table has not been readable for five seconds."""
        key = digest(text)
        kept_seconds = FRESH_SECONDS if key in self._callers else UNKNOWN_SECONDS
        if self._clock.monotonic() - self._read_at > kept_seconds:
            self._reread()
        return self._callers.get(key)

    def _reread(self) -> None:
        now = self._clock.monotonic()
        try:
            rows = self._database.read(lambda tx: tx.all(ACTIVE))
        except Refused:
            if now - self._read_at > STALE_SECONDS:
                raise
            return
        self._callers = {bytes(row[0]): Caller(name=row[1], scopes=frozenset(row[2].split())) for row in rows}
        self._read_at = now

    def add(self, name: str, scopes: Iterable[str]) -> str:
        """A new credential's text, shown once and never stored. Raises: NameTaken."""
        text, stored = new_credential(self._randomness, PREFIX)
        self._keep(name, scopes, stored)
        return text

    def take(self, name: str, scopes: Sequence[str], text: str) -> None:
        """Keep one that was made elsewhere, in the form of ours; given again it changes nothing.

        Raises: NameTaken, WeakCredential.
        """
        if not MADE.fullmatch(text):
            raise WeakCredential
        stored = digest(text)
        active = self._database.read(lambda tx: tx.all(ACTIVE))
        if (stored, name, " ".join(scopes)) not in {(bytes(row[0]), row[1], row[2]) for row in active}:
            self._keep(name, scopes, stored)

    def _keep(self, name: str, scopes: Iterable[str], stored: bytes) -> None:
        now = self._clock.now()

        def job(tx: Transaction) -> bool:
            if tx.one(TAKEN, of_name=name) is not None:
                return False
            tx.run(ADD, name=name, digest=stored, scopes=" ".join(scopes), created_at=now)
            return True

        if not self._database.write_sync(job):
            raise NameTaken(name)

    def revoke(self, name: str) -> bool:
        """True when an active credential of that name was revoked."""
        now = self._clock.now()
        return self._database.write_sync(lambda tx: tx.run(REVOKE, of_name=name, now=now)) == 1

    def listed(self) -> list[tuple[str, list[str], float, float | None]]:
        """(name, scopes, created, revoked or None) of every credential, oldest first."""
        return [(row[0], row[1].split(), row[2], row[3]) for row in self._database.read(lambda tx: tx.all(LISTED))]
