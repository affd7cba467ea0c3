"""Recovery codes, by their keyed digests."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, func, insert, select, update

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_factors import RecoveryCodeRow
from plumbing.statements import Statement, Transaction

_codes = table_of(RecoveryCodeRow)

FORGET = Statement(delete(_codes).where(_codes.c.user_id == bindparam("user")))
ADD = Statement(insert(_codes))
LEFT = Statement(
    select(func.count()).select_from(_codes).where(_codes.c.user_id == bindparam("user"), _codes.c.used_at.is_(None))
)
USE = Statement(
    update(_codes)
    .where(_codes.c.user_id == bindparam("user"), _codes.c.code_digest == bindparam("code"), _codes.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
)


class StoredRecoveryCodes:
    """Recovery codes in the database."""

    def replace(self, tx: Transaction, user_id: str, code_digests: Sequence[bytes], now: float) -> None:
        tx.run(FORGET, user=user_id)
        for each in code_digests:
            tx.run(ADD, user_id=user_id, code_digest=each, created_at=now, used_at=None)

    def left(self, tx: Transaction, user_id: str) -> int:
        row = tx.one(LEFT, user=user_id)
        return 0 if row is None else int(row[0])

    def use(self, tx: Transaction, user_id: str, code_digest: bytes, now: float) -> bool:
        return tx.run(USE, user=user_id, code=code_digest, now=now) == 1
