"""Enrolled authenticators and known devices."""

from sqlalchemy import bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.tables import KnownDeviceRow, TotpFactorRow, table_of
from auth_gateway.core.account import Factor
from plumbing.statements import Statement, Transaction

_factors = table_of(TotpFactorRow)
_devices = table_of(KnownDeviceRow)

FIND = Statement(select(_factors).where(_factors.c.user_id == bindparam("user")))
REMOVE = Statement(delete(_factors).where(_factors.c.user_id == bindparam("user")))
REMOVE_ONE = Statement(
    delete(_factors).where(_factors.c.user_id == bindparam("user"), _factors.c.factor_id == bindparam("factor"))
)
ADD = Statement(insert(_factors))
USE_STEP = Statement(
    update(_factors)
    .where(_factors.c.factor_id == bindparam("factor"), _factors.c.last_used_step < bindparam("step"))
    .values(last_used_step=bindparam("step"))
)

SEE_AGAIN = Statement(
    update(_devices)
    .where(_devices.c.user_id == bindparam("user"), _devices.c.device_digest == bindparam("device"))
    .values(last_seen_at=bindparam("now"))
)
MEET = Statement(insert(_devices))
FORGET_UNSEEN = Statement(delete(_devices).where(_devices.c.last_seen_at < bindparam("since")))


class StoredFactors:
    """TOTP factors in the database."""

    def find(self, tx: Transaction, user_id: str) -> Factor | None:
        row = tx.one(FIND, user=user_id)
        if row is None:
            return None
        factor_id, _, sealed_secret, last_used_step, created_at = row
        return Factor(
            factor_id=factor_id,
            user_id=user_id,
            sealed_secret=sealed_secret,
            last_used_step=last_used_step,
            created_at=created_at,
        )

    def put(self, tx: Transaction, factor: Factor) -> None:
        tx.run(REMOVE, user=factor.user_id)
        tx.run(
            ADD,
            factor_id=factor.factor_id,
            user_id=factor.user_id,
            sealed_secret=factor.sealed_secret,
            last_used_step=factor.last_used_step,
            created_at=factor.created_at,
        )

    def remove(self, tx: Transaction, user_id: str, factor_id: str) -> bool:
        return tx.run(REMOVE_ONE, user=user_id, factor=factor_id) == 1

    def use_step(self, tx: Transaction, factor_id: str, step: int) -> bool:
        return tx.run(USE_STEP, factor=factor_id, step=step) == 1


class StoredKnownDevices:
    """Known devices in the database."""

    def remember(self, tx: Transaction, user_id: str, device_digest: bytes, now: float) -> None:
        if tx.run(SEE_AGAIN, user=user_id, device=device_digest, now=now) == 0:
            tx.run(MEET, user_id=user_id, device_digest=device_digest, first_seen_at=now, last_seen_at=now)

    def forget_unseen(self, tx: Transaction, unseen_since: float) -> int:
        return tx.run(FORGET_UNSEEN, since=unseen_since)
