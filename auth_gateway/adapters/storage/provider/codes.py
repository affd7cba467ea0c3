"""Authorization codes by their digest; a spent one stays a while, so that its second use is noticed."""

from sqlalchemy import bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import AuthorizationCodeRow
from auth_gateway.core.provider.authorization import AuthorizationCode
from plumbing.statements import Statement, Transaction

_codes = table_of(AuthorizationCodeRow)

ADD = Statement(insert(_codes))
FIND = Statement(select(_codes).where(_codes.c.code_digest == bindparam("digest")))
SPEND = Statement(
    update(_codes)
    .where(_codes.c.code_digest == bindparam("digest"), _codes.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
FORGET_SESSION = Statement(delete(_codes).where(_codes.c.session_id == bindparam("session")))
FORGET_EXPIRED = expired(_codes)


class StoredAuthorizationCodes:
    """Authorization codes in the database."""

    def add(self, tx: Transaction, code: AuthorizationCode) -> None:
        tx.run(ADD, **{name: getattr(code, name) for name in code.__struct_fields__})

    def find(self, tx: Transaction, code_digest: bytes) -> AuthorizationCode | None:
        row = tx.one(FIND, digest=code_digest)
        return None if row is None else AuthorizationCode(**dict(zip(_codes.columns.keys(), row, strict=True)))

    def spend(self, tx: Transaction, code_digest: bytes, now: float) -> bool:
        return tx.run(SPEND, digest=code_digest, now=now) == 1

    def forget_session(self, tx: Transaction, session_id: str) -> None:
        tx.run(FORGET_SESSION, session=session_id)

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)
