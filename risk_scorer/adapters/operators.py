"""Who may look at the dashboard: one-time links that the command line prints, and the sessions they open.

Only digests are stored, so that a copied database opens nothing. A link is used up by compare-and-set: of two people
who post the same link at once, one gets in. Fails closed: without the database nobody is signed in.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from plumbing.clock import Clock
from plumbing.credentials import digest
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from plumbing.statements import Statement
from risk_scorer.adapters.tables import operator_links, operator_sessions

LINK_SECONDS = 600.0
SESSION_SECONDS = 8 * 3600.0

ADD_LINK = Statement(insert(operator_links).values(digest=bindparam("digest"), expires_at=bindparam("expires_at")))
USE_LINK = Statement(
    update(operator_links)
    .where(
        operator_links.c.digest == bindparam("of_digest"),
        operator_links.c.used_at.is_(None),
        operator_links.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("used"))
)
ADD_SESSION = Statement(
    insert(operator_sessions).values(
        digest=bindparam("digest"), started_at=bindparam("started_at"), expires_at=bindparam("expires_at")
    )
)
FIND_SESSION = Statement(
    select(operator_sessions.c.expires_at).where(operator_sessions.c.digest == bindparam("of_digest"))
)
END_SESSION = Statement(delete(operator_sessions).where(operator_sessions.c.digest == bindparam("of_digest")))
DROP_OLD_LINKS = Statement(delete(operator_links).where(operator_links.c.expires_at <= bindparam("now")))
DROP_OLD_SESSIONS = Statement(delete(operator_sessions).where(operator_sessions.c.expires_at <= bindparam("now")))


class Operators:
    """One-time links in, sessions out."""

    def __init__(self, database: Database, *, clock: Clock, randomness: Randomness) -> None:
        self._database = database
        self._clock = clock
        self._randomness = randomness

    def new_link_token(self) -> str:
        """A token that opens one session within ten minutes. Durable when it returns."""
        token = self._randomness.token()
        now = self._clock.now()

        def job(tx: Transaction) -> None:
            tx.run(DROP_OLD_LINKS, now=now)
            tx.run(ADD_LINK, digest=digest(token), expires_at=now + LINK_SECONDS)

        self._database.write_sync(job)
        return token

    async def sign_in(self, link_token: str) -> str | None:
        """A session token for an unused link, once; None for any other text."""
        session_token = self._randomness.token()
        now = self._clock.now()

        def job(tx: Transaction) -> bool:
            if tx.run(USE_LINK, of_digest=digest(link_token), now=now, used=now) != 1:
                return False
            tx.run(DROP_OLD_SESSIONS, now=now)
            tx.run(ADD_SESSION, digest=digest(session_token), started_at=now, expires_at=now + SESSION_SECONDS)
            return True

        return session_token if await self._database.write(job) else None

    def is_signed_in(self, session_token: str | None) -> bool:
        """True while the session lives: eight hours, or until sign-out."""
        if not session_token:
            return False
        row = self._database.read(lambda tx: tx.one(FIND_SESSION, of_digest=digest(session_token)))
        return row is not None and float(row[0]) > self._clock.now()

    async def sign_out(self, session_token: str) -> None:
        """End the session here, whatever the browser keeps."""
        await self._database.write(lambda tx: tx.run(END_SESSION, of_digest=digest(session_token)))
