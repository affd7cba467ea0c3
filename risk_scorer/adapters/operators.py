"""Who may look at the console: one-time links that the command line prints, people whom the gateway vouches for, and
the sessions that both open.

Only digests are stored, so that a copied database opens nothing. A link is used up by compare-and-set: of two people
who post the same link at once, one gets in. What somebody may do whom the gateway vouches for is looked up each time,
so that a role that was taken away is gone with the next click. Fails closed: without the database nobody is signed in.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BindParameter, bindparam, delete, insert, select, update

from plumbing.clock import Clock
from plumbing.credentials import digest
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from plumbing.statements import Row, Statement
from risk_scorer.adapters.tables import operator_links, operator_roles, operator_sessions
from risk_scorer.core.console.operator import BY_LINK, ROLES, Operator, Role, role_named
from risk_scorer.flows.console.ports import Proof

LINK_SECONDS: Final = 600.0
SESSION_SECONDS: Final = 8 * 3600.0
FORM: Final = "form "
USUAL_NAME: Final = "operator"

_link, _session, _role = operator_links.c, operator_sessions.c, operator_roles.c
_OF_DIGEST: Final[BindParameter[bytes]] = bindparam("of_digest")
ADD_LINK = Statement(
    insert(operator_links).values(
        digest=bindparam("digest"), expires_at=bindparam("expires_at"), role=bindparam("role"), name=bindparam("name")
    )
)
USE_LINK = Statement(
    update(operator_links)
    .where(_link.digest == _OF_DIGEST, _link.used_at.is_(None), _link.expires_at > bindparam("now"))
    .values(used_at=bindparam("used"))
)
LINK = Statement(select(_link.role, _link.name).where(_link.digest == _OF_DIGEST))
ADD_SESSION = Statement(insert(operator_sessions))
FIND_SESSION = Statement(
    select(
        _session.expires_at, _session.started_at, _session.way, _session.name, _session.role, _session.subject,
        _session.proved_at, _session.level, _session.masked,
    ).where(_session.digest == _OF_DIGEST)
)  # fmt: skip
HINT = Statement(select(_session.id_token).where(_session.digest == _OF_DIGEST))
MASK = Statement(update(operator_sessions).where(_session.digest == _OF_DIGEST).values(masked=bindparam("is_on")))
END_SESSION = Statement(delete(operator_sessions).where(_session.digest == _OF_DIGEST))
END_OF_SESSION = Statement(delete(operator_sessions).where(_session.gateway_session == bindparam("of_session")))
END_OF_PERSON = Statement(
    delete(operator_sessions).where(_session.way == "gateway", _session.subject == bindparam("of_subject"))
)
DROP_OLD_LINKS = Statement(delete(operator_links).where(_link.expires_at <= bindparam("now")))
DROP_OLD_SESSIONS = Statement(delete(operator_sessions).where(_session.expires_at <= bindparam("now")))
ROLES_OF = Statement(
    select(_role.role).where((_role.name == bindparam("of_name")) | (_role.name == bindparam("of_subject")))
)


class Operators:
    """One-time links and proofs in, sessions out."""

    def __init__(self, database: Database, *, clock: Clock, randomness: Randomness) -> None:
        self._database = database
        self._clock = clock
        self._randomness = randomness

    def new_link_token(self, role: Role = "reader", name: str = USUAL_NAME) -> str:
        """A token that opens one session within ten minutes. Durable when it returns."""
        token = self._randomness.token()
        now = self._clock.now()

        def job(tx: Transaction) -> None:
            tx.run(DROP_OLD_LINKS, now=now)
            tx.run(ADD_LINK, digest=digest(token), expires_at=now + LINK_SECONDS, role=role, name=name)

        self._database.write_sync(job)
        return token

    async def sign_in(self, link_token: str) -> str | None:
        """A session token for an unused link, once; None for any other text."""
        session_token = self._randomness.token()
        now = self._clock.now()

        def job(tx: Transaction) -> bool:
            if tx.run(USE_LINK, of_digest=digest(link_token), now=now, used=now) != 1:
                return False
            role, name = tx.one(LINK, of_digest=digest(link_token)) or (None, None)
            self._add(tx, session_token, now, way="link", name=f"{BY_LINK}{name or USUAL_NAME}", role=role or ROLES[0])
            return True

        return session_token if await self._database.write(job) else None

    async def open(self, proof: Proof) -> str:
        """A session token for somebody whom the gateway vouches for."""
        session_token = self._randomness.token()
        now = self._clock.now()
        known: dict[str, str | float | None] = {
            "subject": proof.subject,
            "proved_at": proof.proved_at,
            "level": proof.level,
            "gateway_session": proof.session_id,
            "id_token": proof.id_token,
        }
        await self._database.write(
            lambda tx: self._add(tx, session_token, now, way="gateway", name=proof.name, role=None, **known)
        )
        return session_token

    def is_signed_in(self, session_token: str | None) -> bool:
        """True while the session lives (eight hours, or until sign-out) and its person has a role."""
        found = self.operator(session_token)
        return found is not None and found.role is not None

    def operator(self, session_token: str | None) -> Operator | None:
        """Whose session this is, None when it is none or over; without a role where they have none any more."""
        if not session_token:
            return None
        of_digest = digest(session_token)

        def job(tx: Transaction) -> tuple[Row | None, Role | None]:
            row = tx.one(FIND_SESSION, of_digest=of_digest)
            by_gateway = row is not None and row[2] == "gateway"
            return row, _best(tx, name=row[3], subject=row[5]) if row is not None and by_gateway else None

        row, role = self._database.read(job)
        if row is None or float(row[0]) <= self._clock.now():
            return None
        return _operator(row, role, form_token=form_token_of(session_token))

    def role_of(self, proof: Proof) -> Role | None:
        """What the person may do here: the stronger of the roles of their subject and of their user name."""
        return self._database.read(lambda tx: _best(tx, name=proof.name, subject=proof.subject))

    def id_token_of(self, session_token: str) -> str | None:
        """The ID token that the session began with, where it was the gateway's."""
        row = self._database.read(lambda tx: tx.one(HINT, of_digest=digest(session_token)))
        return None if row is None or row[0] is None else str(row[0])

    async def veil(self, session_token: str, *, is_on: bool) -> None:
        """Whether this session shows addresses whole."""
        of_digest = digest(session_token)
        await self._database.write(lambda tx: tx.run(MASK, of_digest=of_digest, is_on=int(is_on)))

    async def sign_out(self, session_token: str) -> None:
        """End the session here, whatever the browser keeps."""
        await self._database.write(lambda tx: tx.run(END_SESSION, of_digest=digest(session_token)))

    async def end_of(self, *, session_id: str, subject: str) -> int:
        """End what stands on this session of the gateway's, or, without one, all of the person; how many."""
        if session_id:
            return await self._database.write(lambda tx: tx.run(END_OF_SESSION, of_session=session_id))
        return await self._database.write(lambda tx: tx.run(END_OF_PERSON, of_subject=subject))

    def _add(self, tx: Transaction, token: str, now: float, **known: str | float | None) -> None:
        tx.run(DROP_OLD_SESSIONS, now=now)
        absent = dict.fromkeys(("subject", "proved_at", "level", "gateway_session", "id_token", "masked"))
        tx.run(
            ADD_SESSION,
            digest=digest(token),
            started_at=now,
            expires_at=now + SESSION_SECONDS,
            **{**absent, **known},
        )


def form_token_of(session_token: str) -> str:
    """What the forms of this session bring back: nobody can make it who does not have the cookie."""
    return digest(FORM + session_token).hex()[:32]


def _best(tx: Transaction, *, name: str, subject: str) -> Role | None:
    found = [role_named(row[0]) for row in tx.all(ROLES_OF, of_name=name, of_subject=subject)]
    return max((role for role in found if role is not None), key=ROLES.index, default=None)


def _operator(row: Row, role: Role | None, *, form_token: str) -> Operator:
    _, started_at, way, name, own_role, subject, proved_at, level, masked = row
    by_gateway = way == "gateway"
    return Operator(
        name=name or f"{BY_LINK}{USUAL_NAME}",
        role=role if by_gateway else role_named(own_role) or ROLES[0],
        way="gateway" if by_gateway else "link",
        proved_at=float(started_at if proved_at is None else proved_at),
        level=level or "",
        is_masked=bool(masked),
        form_token=form_token,
        subject=subject or "",
    )
