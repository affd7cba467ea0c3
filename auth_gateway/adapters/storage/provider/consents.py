"""What people agreed to give applications."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import ConsentRow
from auth_gateway.core.provider.authorization import Consent
from plumbing.statements import Statement, Transaction

_consents = table_of(ConsentRow)
_consent = upsert(_consents)

FIND = Statement(
    select(_consents).where(_consents.c.user_id == bindparam("user"), _consents.c.client_id == bindparam("client"))
)
PUT = Statement(
    _consent.on_conflict_do_update(
        index_elements=(_consents.c.user_id, _consents.c.client_id),
        set_={"scope": _consent.excluded.scope, "granted_at": _consent.excluded.granted_at},
    )
)
OF_USER = Statement(select(_consents).where(_consents.c.user_id == bindparam("user")).order_by(_consents.c.client_id))
REMOVE = Statement(
    delete(_consents).where(_consents.c.user_id == bindparam("user"), _consents.c.client_id == bindparam("client"))
)


class StoredConsents:
    """Consents in the database."""

    def find(self, tx: Transaction, user_id: str, client_id: str) -> Consent | None:
        row = tx.one(FIND, user=user_id, client=client_id)
        return None if row is None else Consent(**dict(zip(_consents.columns.keys(), row, strict=True)))

    def of_user(self, tx: Transaction, user_id: str) -> list[Consent]:
        names = _consents.columns.keys()
        return [Consent(**dict(zip(names, row, strict=True))) for row in tx.all(OF_USER, user=user_id)]

    def remove(self, tx: Transaction, user_id: str, client_id: str) -> bool:
        return tx.run(REMOVE, user=user_id, client=client_id) == 1

    def put(self, tx: Transaction, consent: Consent) -> None:
        tx.run(
            PUT,
            user_id=consent.user_id,
            client_id=consent.client_id,
            scope=consent.scope,
            granted_at=consent.granted_at,
        )
