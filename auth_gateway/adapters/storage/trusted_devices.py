"""Browsers that their owners trust."""

from sqlalchemy import bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_factors import TrustedDeviceRow
from auth_gateway.core.factor import TrustedDevice
from plumbing.statements import Row, Statement, Transaction

_trusted = table_of(TrustedDeviceRow)

ADD = Statement(insert(_trusted))
FIND = Statement(select(_trusted).where(_trusted.c.token_digest == bindparam("digest")))
OF_USER = Statement(
    select(_trusted)
    .where(_trusted.c.user_id == bindparam("user"), _trusted.c.revoked_at.is_(None))
    .order_by(_trusted.c.created_at.desc(), _trusted.c.device_id)
)
REVOKE = Statement(
    update(_trusted)
    .where(
        _trusted.c.user_id == bindparam("user"),
        _trusted.c.device_id == bindparam("device"),
        _trusted.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
)
REVOKE_ALL = Statement(
    update(_trusted)
    .where(_trusted.c.user_id == bindparam("user"), _trusted.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
FORGET_EXPIRED = Statement(delete(_trusted).where(_trusted.c.expires_at < bindparam("before")))


class StoredTrustedDevices:
    """Trusted browsers in the database. Who looks one up compares its time: rows stay until they are swept."""

    def add(self, tx: Transaction, device: TrustedDevice) -> None:
        tx.run(ADD, **{name: getattr(device, name) for name in device.__struct_fields__})

    def find(self, tx: Transaction, token_digest: bytes) -> TrustedDevice | None:
        row = tx.one(FIND, digest=token_digest)
        return None if row is None else _device(row)

    def of_user(self, tx: Transaction, user_id: str) -> list[TrustedDevice]:
        return [_device(row) for row in tx.all(OF_USER, user=user_id)]

    def revoke(self, tx: Transaction, user_id: str, device_id: str, now: float) -> bool:
        return tx.run(REVOKE, user=user_id, device=device_id, now=now) == 1

    def revoke_all(self, tx: Transaction, user_id: str, now: float) -> int:
        return tx.run(REVOKE_ALL, user=user_id, now=now)

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)


def _device(row: Row) -> TrustedDevice:
    return TrustedDevice(**dict(zip(_trusted.columns.keys(), row, strict=True)))
