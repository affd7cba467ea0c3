"""Codes that were mailed for challenges, by their keyed digests."""

from sqlalchemy import bindparam, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_factors import MailedCodeRow
from plumbing.statements import Statement, Transaction

_codes = table_of(MailedCodeRow)

SEND = Statement(
    upsert(_codes)
    .values(
        challenge_digest=bindparam("challenge"),
        code_digest=bindparam("code"),
        sends=1,
        sent_at=bindparam("now"),
        expires_at=bindparam("until"),
    )
    .on_conflict_do_update(
        index_elements=(_codes.c.challenge_digest,),
        set_={
            "code_digest": bindparam("code"),
            "sends": _codes.c.sends + 1,
            "sent_at": bindparam("now"),
            "expires_at": bindparam("until"),
        },
        where=_codes.c.sends < bindparam("most"),
    )
)
MATCHES = Statement(
    select(literal(1))
    .select_from(_codes)
    .where(
        _codes.c.challenge_digest == bindparam("challenge"),
        _codes.c.code_digest == bindparam("code"),
        _codes.c.expires_at > bindparam("now"),
    )
)
FORGET_EXPIRED = expired(_codes)


class StoredMailedCodes:
    """Mailed codes in the database."""

    def sent(
        self, tx: Transaction, challenge_digest: bytes, code_digest: bytes, *, now: float, expires_at: float, most: int
    ) -> bool:
        return tx.run(SEND, challenge=challenge_digest, code=code_digest, now=now, until=expires_at, most=most) == 1

    def matches(self, tx: Transaction, challenge_digest: bytes, code_digest: bytes, now: float) -> bool:
        return tx.one(MATCHES, challenge=challenge_digest, code=code_digest, now=now) is not None

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)
