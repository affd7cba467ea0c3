"""Identifiers that count once, and tokens that count no more. Both are decided by their primary keys."""

from sqlalchemy import bindparam, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import RevokedTokenRow, SeenOnceRow
from plumbing.statements import Statement, Transaction

_seen = table_of(SeenOnceRow)
_revoked = table_of(RevokedTokenRow)

SEE = Statement(upsert(_seen).on_conflict_do_nothing(index_elements=(_seen.c.digest,)))
FORGET_SEEN = expired(_seen)
REVOKE = Statement(upsert(_revoked).on_conflict_do_nothing(index_elements=(_revoked.c.jti,)))
IS_REVOKED = Statement(select(literal(1)).select_from(_revoked).where(_revoked.c.jti == bindparam("id")))
FORGET_REVOKED = expired(_revoked)


class StoredSeenOnce:
    """Identifiers that were seen, in the database."""

    def first(self, tx: Transaction, digest: bytes, expires_at: float) -> bool:
        return tx.run(SEE, digest=digest, expires_at=expires_at) == 1

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_SEEN, before=expired_before)


class StoredRevokedTokens:
    """Revoked access tokens in the database."""

    def add(self, tx: Transaction, jti: str, expires_at: float) -> None:
        tx.run(REVOKE, jti=jti, expires_at=expires_at)

    def holds(self, tx: Transaction, jti: str) -> bool:
        return tx.one(IS_REVOKED, id=jti) is not None

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_REVOKED, before=expired_before)
