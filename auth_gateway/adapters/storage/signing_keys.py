"""Signing keys, oldest first; the private halves are sealed before they come here."""

from sqlalchemy import bindparam, delete, insert, or_, select, update

from auth_gateway.adapters.storage.tables import SigningKeyRow, table_of
from auth_gateway.flows.ports import SigningKeyRecord
from plumbing.statements import Statement, Transaction

_keys = table_of(SigningKeyRow)

LIST = Statement(select(_keys).order_by(_keys.c.activates_at, _keys.c.kid))
ADD = Statement(insert(_keys))
# A key whose end is only announced can end earlier: an emergency does not wait for a rotation that is under way.
RETIRE = Statement(
    update(_keys)
    .where(_keys.c.kid == bindparam("key"), or_(_keys.c.retired_at.is_(None), _keys.c.retired_at > bindparam("now")))
    .values(retired_at=bindparam("now"))
)
REMOVE = Statement(delete(_keys).where(_keys.c.kid == bindparam("key")))
FORGET_RETIRED = Statement(delete(_keys).where(_keys.c.retired_at < bindparam("before")))


class StoredSigningKeys:
    """Signing keys in the database."""

    def list(self, tx: Transaction) -> list[SigningKeyRecord]:
        return [SigningKeyRecord(**dict(zip(_keys.columns.keys(), row, strict=True))) for row in tx.all(LIST)]

    def add(self, tx: Transaction, key: SigningKeyRecord) -> None:
        tx.run(
            ADD,
            kid=key.kid,
            sealed_private=key.sealed_private,
            public_jwk=key.public_jwk,
            created_at=key.created_at,
            activates_at=key.activates_at,
            retired_at=key.retired_at,
        )

    def retire(self, tx: Transaction, kid: str, now: float) -> bool:
        return tx.run(RETIRE, key=kid, now=now) == 1

    def remove(self, tx: Transaction, kid: str) -> None:
        tx.run(REMOVE, key=kid)

    def forget_retired(self, tx: Transaction, retired_before: float) -> int:
        return tx.run(FORGET_RETIRED, before=retired_before)
