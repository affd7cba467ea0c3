"""Who is signed in at which browser, and which applications have a part in a session."""

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.provider.sweeping import portion
from auth_gateway.adapters.storage.tables import ClientRow, RefreshFamilyRow, SessionRow, table_of
from auth_gateway.adapters.storage.tables_provider import BrowserSessionRow, SessionClientRow
from auth_gateway.core.provider.authorization import BrowserSession
from auth_gateway.core.session import awaits_factor
from plumbing.statements import Statement, Transaction

_browsers = table_of(BrowserSessionRow)
_parts = table_of(SessionClientRow)
_sessions = table_of(SessionRow)
_families = table_of(RefreshFamilyRow)
_clients = table_of(ClientRow)

ADD = Statement(insert(_browsers))
FIND = Statement(select(_browsers).where(_browsers.c.token_digest == bindparam("digest")))
FORGET = Statement(delete(_browsers).where(_browsers.c.token_digest == bindparam("digest")))
SESSIONS_OF = Statement(
    select(_sessions.c.session_id)
    .where(_sessions.c.browser_id == bindparam("browser"), _sessions.c.revoked_at.is_(None))
    .order_by(_sessions.c.created_at, _sessions.c.session_id)
)
# Whoever signs out days later ends the sessions that began at this browser, so it is known as long as one of them runs.
FORGET_EXPIRED = portion(
    _browsers,
    (_browsers.c.expires_at < bindparam("before"))
    & ~select(_sessions)
    .where(
        _sessions.c.browser_id == _browsers.c.browser_id,
        _sessions.c.revoked_at.is_(None),
        _sessions.c.expires_at >= bindparam("before"),
    )
    .exists(),
)

# Who ends the session meanwhile waits, and then finds the part that begins here, to tell its application.
HOLD = Statement(
    select(_sessions.c.revoked_at, _sessions.c.asked_at, _sessions.c.answered_at)
    .where(_sessions.c.session_id == bindparam("id"))
    .with_for_update(key_share=True)
)
_part = upsert(_parts)
_PART_KEY = (_parts.c.session_id, _parts.c.client_id)
# A part that runs keeps its beginning: tokens from before it are those of a part that was ended.
JOIN = Statement(
    _part.on_conflict_do_update(
        index_elements=_PART_KEY,
        set_={"first_at": _part.excluded.first_at, "ended_at": _part.excluded.ended_at},
        where=_parts.c.ended_at.is_not(None),
    )
)
END = Statement(
    _part.on_conflict_do_update(
        index_elements=_PART_KEY, set_={"ended_at": _part.excluded.ended_at}, where=_parts.c.ended_at.is_(None)
    )
)
END_FAMILIES = Statement(
    update(_families)
    .where(
        _families.c.session_id == bindparam("session"),
        _families.c.client_id == bindparam("client"),
        _families.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
)
# A code that was used twice ends the tokens of a part; the application may have a session of its own from it still. One
# that was registered later under the same id is another.
_had_a_part = (
    select(_clients)
    .where(_clients.c.client_id == _parts.c.client_id, _clients.c.created_at <= _parts.c.ended_at)
    .exists()
)
OF_SESSION = Statement(
    select(_parts.c.client_id)
    .where(_parts.c.session_id == bindparam("session"), _parts.c.ended_at.is_(None) | _had_a_part)
    .order_by(_parts.c.first_at, _parts.c.client_id)
)
PART = Statement(
    select(_parts.c.first_at, _parts.c.ended_at).where(
        _parts.c.session_id == bindparam("session"), _parts.c.client_id == bindparam("client")
    )
)
FORGET_ORPHANED = Statement(
    delete(_parts).where(~select(_sessions).where(_sessions.c.session_id == _parts.c.session_id).exists())
)


class StoredBrowserSessions:
    """Signed-in browsers in the database."""

    def add(self, tx: Transaction, session: BrowserSession) -> None:
        tx.run(ADD, **{name: getattr(session, name) for name in session.__struct_fields__})

    def find(self, tx: Transaction, token_digest: bytes) -> BrowserSession | None:
        row = tx.one(FIND, digest=token_digest)
        return None if row is None else BrowserSession(**dict(zip(_browsers.columns.keys(), row, strict=True)))

    def forget(self, tx: Transaction, token_digest: bytes) -> None:
        tx.run(FORGET, digest=token_digest)

    def sessions_of(self, tx: Transaction, browser_id: str) -> list[str]:
        return [row[0] for row in tx.all(SESSIONS_OF, browser=browser_id)]

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)


class StoredSessionClients:
    """Applications' parts in sessions, in the database."""

    def join(self, tx: Transaction, session_id: str, client_id: str, now: float) -> bool:
        held = tx.one(HOLD, id=session_id)
        if held is not None and (held[0] is not None or awaits_factor(held[1], held[2])):
            return False
        tx.run(JOIN, session_id=session_id, client_id=client_id, first_at=now, ended_at=None)
        return True

    def of(self, tx: Transaction, session_id: str) -> list[str]:
        return [row[0] for row in tx.all(OF_SESSION, session=session_id)]

    def end(self, tx: Transaction, session_id: str, client_id: str, now: float) -> bool:
        tx.run(END_FAMILIES, session=session_id, client=client_id, now=now)
        return tx.run(END, session_id=session_id, client_id=client_id, first_at=now, ended_at=now) == 1

    def has_ended(self, tx: Transaction, session_id: str, client_id: str, *, issued_at: int) -> bool:
        row = tx.one(PART, session=session_id, client=client_id)
        if row is None:
            return False
        first_at, ended_at = row
        return ended_at is not None or issued_at < int(first_at)

    def forget_orphaned(self, tx: Transaction) -> int:
        return tx.run(FORGET_ORPHANED)
