"""Registered applications."""

import hmac

from sqlalchemy import bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.tables import ClientRow, PendingLoginRow, RefreshFamilyRow, SessionRow, table_of
from auth_gateway.core.context import Client
from plumbing.statements import Statement, Transaction

_clients = table_of(ClientRow)
_sessions = table_of(SessionRow)
_families = table_of(RefreshFamilyRow)
_pending = table_of(PendingLoginRow)
_TRUST = (_clients.c.client_id, _clients.c.may_vouch, _clients.c.may_see_scores)

FIND = Statement(select(*_TRUST, _clients.c.secret_digest).where(_clients.c.client_id == bindparam("id")))
LIST = Statement(select(*_TRUST).order_by(_clients.c.client_id))
ADD = Statement(insert(_clients))
REMOVE = Statement(delete(_clients).where(_clients.c.client_id == bindparam("id")))
END_SESSIONS = Statement(
    update(_sessions)
    .where(_sessions.c.client_id == bindparam("id"), _sessions.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), revoked_reason=bindparam("reason"))
)
END_FAMILIES = Statement(
    update(_families)
    .where(_families.c.client_id == bindparam("id"), _families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
FORGET_PENDING = Statement(delete(_pending).where(_pending.c.client_id == bindparam("id")))


class StoredClients:
    """Registered applications in the database."""

    def authenticate(self, tx: Transaction, client_id: str, secret_digest: bytes) -> Client | None:
        row = tx.one(FIND, id=client_id)
        if row is None or not hmac.compare_digest(row[3], secret_digest):
            return None
        return Client(client_id=row[0], may_vouch=bool(row[1]), may_see_scores=bool(row[2]))

    def add(self, tx: Transaction, client: Client, secret_digest: bytes, now: float) -> bool:
        if tx.one(FIND, id=client.client_id) is not None:
            return False
        tx.run(
            ADD,
            client_id=client.client_id,
            secret_digest=secret_digest,
            may_vouch=client.may_vouch,
            may_see_scores=client.may_see_scores,
            created_at=now,
        )
        return True

    def remove(self, tx: Transaction, client_id: str, *, now: float, reason: str) -> int | None:
        """How many sessions ended with it; None when there is no such client.

        Its sessions, refresh tokens and unfinished logins end too: whoever gets the name next must not inherit them.
        """
        if tx.run(REMOVE, id=client_id) == 0:
            return None
        tx.run(END_FAMILIES, id=client_id, now=now)
        tx.run(FORGET_PENDING, id=client_id)
        return tx.run(END_SESSIONS, id=client_id, now=now, reason=reason)

    def list(self, tx: Transaction) -> list[Client]:
        return [Client(client_id=row[0], may_vouch=bool(row[1]), may_see_scores=bool(row[2])) for row in tx.all(LIST)]
