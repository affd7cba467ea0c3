"""Forgets a registered application: the one statement about clients that the command line alone needs."""

from sqlalchemy import bindparam, delete

from auth_gateway.adapters.storage.tables import ClientRow, table_of
from plumbing.statements import Statement, Transaction

_clients = table_of(ClientRow)

REMOVE = Statement(delete(_clients).where(_clients.c.client_id == bindparam("id")))


def remove_client(tx: Transaction, client_id: str) -> bool:
    """False when there is no such client. Its tokens need no clearing: nobody can prove to be it any more."""
    return tx.run(REMOVE, id=client_id) == 1
