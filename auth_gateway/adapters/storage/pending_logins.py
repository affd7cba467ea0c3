"""Unfinished logins."""

from sqlalchemy import Float, bindparam, case, delete, insert, select, text, update

from auth_gateway.adapters.storage.tables import PendingLoginRow, table_of
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.push import Verdict
from plumbing.statements import Row, Statement, Transaction

_pending = table_of(PendingLoginRow)

ADD = Statement(insert(_pending))
FIND = Statement(select(_pending).where(_pending.c.token_digest == bindparam("challenge")))
COUNT_ATTEMPT = Statement(
    update(_pending)
    .where(
        _pending.c.token_digest == bindparam("challenge"),
        _pending.c.client_id == bindparam("client"),
        _pending.c.attempts_left > 0,
        _pending.c.consumed_at.is_(None),
        _pending.c.expires_at > bindparam("now"),
    )
    .values(attempts_left=_pending.c.attempts_left - 1)
)
CONSUME = Statement(
    update(_pending)
    .where(_pending.c.token_digest == bindparam("challenge"), _pending.c.consumed_at.is_(None))
    .values(consumed_at=bindparam("now"))
)
KEEP_UNTIL = Statement(
    update(_pending)
    .where(
        _pending.c.token_digest == bindparam("challenge"),
        _pending.c.attempts_left > 0,
        _pending.c.consumed_at.is_(None),
        _pending.c.expires_at > bindparam("now"),
    )
    .values(
        expires_at=case(
            (_pending.c.expires_at > bindparam("until", type_=Float), _pending.c.expires_at),
            else_=bindparam("until", type_=Float),
        )
    )
)
_AWAITS_WORD = (
    _pending.c.token_digest == bindparam("challenge"),
    _pending.c.push == "waiting",
    _pending.c.attempts_left > 0,
    _pending.c.consumed_at.is_(None),
    _pending.c.expires_at > bindparam("now"),
)
FIND_ASKED = Statement(
    select(_pending).where(
        _pending.c.challenge_id == bindparam("id"),
        text("pending_logins.push <> ''"),  # as the index says it
    )
)
APPROVE = Statement(update(_pending).where(*_AWAITS_WORD).values(push="approved"))
REFUSE = Statement(
    update(_pending)
    .where(*_AWAITS_WORD)
    .values(push=bindparam("verdict"), incident_id=bindparam("incident"), consumed_at=bindparam("now", type_=Float))
)
POLL = Statement(update(_pending).where(*_AWAITS_WORD).values(polled_at=bindparam("now", type_=Float)))
FORGET_EXPIRED = Statement(delete(_pending).where(_pending.c.expires_at < bindparam("before")))


class StoredPendingLogins:
    """Unfinished logins in the database."""

    def add(self, tx: Transaction, pending: PendingLogin) -> None:
        tx.run(ADD, **{name: getattr(pending, name) for name in pending.__struct_fields__})

    def find(self, tx: Transaction, token_digest: bytes) -> PendingLogin | None:
        return _read(tx.one(FIND, challenge=token_digest))

    def find_asked(self, tx: Transaction, challenge_id: str) -> PendingLogin | None:
        return _read(tx.one(FIND_ASKED, id=challenge_id))

    def approve(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        return tx.run(APPROVE, challenge=token_digest, now=now) == 1

    def refuse(self, tx: Transaction, token_digest: bytes, verdict: Verdict, *, incident_id: str, now: float) -> bool:
        return tx.run(REFUSE, challenge=token_digest, verdict=verdict, incident=incident_id, now=now) == 1

    def poll(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        return tx.run(POLL, challenge=token_digest, now=now) == 1

    def count_attempt(self, tx: Transaction, token_digest: bytes, *, client_id: str, now: float) -> bool:
        return tx.run(COUNT_ATTEMPT, challenge=token_digest, client=client_id, now=now) == 1

    def consume(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        return tx.run(CONSUME, challenge=token_digest, now=now) == 1

    def keep_until(self, tx: Transaction, token_digest: bytes, expires_at: float, *, now: float) -> bool:
        return tx.run(KEEP_UNTIL, challenge=token_digest, until=expires_at, now=now) == 1

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)


def _read(row: Row | None) -> PendingLogin | None:
    return None if row is None else PendingLogin(**dict(zip(_pending.columns.keys(), row, strict=True)))
