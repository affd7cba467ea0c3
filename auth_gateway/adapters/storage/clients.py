"""Registered applications."""

import hmac

from sqlalchemy import bindparam, insert, select

from auth_gateway.adapters.storage.tables import ClientRow, table_of
from auth_gateway.core.context import Client
from plumbing.statements import Statement, Transaction

_clients = table_of(ClientRow)
_TRUST = (_clients.c.client_id, _clients.c.may_vouch, _clients.c.may_see_scores)

FIND = Statement(select(*_TRUST, _clients.c.secret_digest).where(_clients.c.client_id == bindparam("id")))
LIST = Statement(select(*_TRUST).order_by(_clients.c.client_id))
ADD = Statement(insert(_clients))


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

    def list(self, tx: Transaction) -> list[Client]:
        return [Client(client_id=row[0], may_vouch=bool(row[1]), may_see_scores=bool(row[2])) for row in tx.all(LIST)]
