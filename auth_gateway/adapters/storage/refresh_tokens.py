"""Refresh tokens and their families: the hottest tables, so each step is one statement on the primary key."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.tables import RefreshFamilyRow, RefreshTokenRow, SessionRow, UserRow, table_of
from auth_gateway.adapters.storage.tables_risk import UserRiskRow
from auth_gateway.core.rotation import Held, Presented
from auth_gateway.core.session import RefreshFamily, RefreshToken, Refusals
from plumbing.statements import Statement, Transaction

_tokens = table_of(RefreshTokenRow)
_successors = _tokens.alias("successor")
_families = table_of(RefreshFamilyRow)
_sessions = table_of(SessionRow)
_users = table_of(UserRow)
_risks = table_of(UserRiskRow)

START = Statement(insert(_families))
ADD = Statement(insert(_tokens))
_PRESENTED = (
    _tokens.c.family_id,
    _tokens.c.expires_at,
    _tokens.c.used_at,
    _successors.c.used_at,
    _families.c.client_id,
    _families.c.revoked_at,
    _sessions.c.session_id,
    _sessions.c.amr,
    _sessions.c.acr,
    _sessions.c.auth_time,
    _sessions.c.expires_at,
    _sessions.c.revoked_at,
    _users.c.user_id,
    _users.c.is_frozen,
    _families.c.kind,
    _families.c.scope,
    _families.c.audience,
    _families.c.jkt,
    _families.c.claims,
    _sessions.c.last_seen_at,
    _sessions.c.asked_at,
    _sessions.c.answered_at,
)
_HELD = (
    _users.c.username,
    _sessions.c.created_at,
    _sessions.c.ip,
    _sessions.c.user_agent,
    _sessions.c.device_digest,
    _sessions.c.ja4,
    _sessions.c.is_vouched,
    _sessions.c.country,
    _families.c.first_ip,
    _families.c.first_user_agent,
    _families.c.first_device_digest,
    _families.c.first_ja4,
    _families.c.created_at,
    _sessions.c.risk_score,
    _risks.c.value,
    _risks.c.at,
    _risks.c.is_held,
)


_in_context = (
    _tokens.join(_families, _families.c.family_id == _tokens.c.family_id)
    .join(_sessions, _sessions.c.session_id == _families.c.session_id)
    .join(_users, _users.c.user_id == _sessions.c.user_id)
    .outerjoin(_successors, _successors.c.token_digest == _tokens.c.successor_digest)
)


def _looked_up(*columns: ColumnElement[Any], where_from: FromClause = _in_context) -> Statement:
    return Statement(select(*columns).select_from(where_from).where(_tokens.c.token_digest == bindparam("presented")))


PRESENT = _looked_up(*_PRESENTED)
# The person's risk comes along: a look of its own would cost every refresh a tenth more.
_beside_risk = _in_context.outerjoin(_risks, _risks.c.user_id == _users.c.user_id)
HOLD = _looked_up(*_PRESENTED, *_HELD, where_from=_beside_risk)
USE = Statement(
    update(_tokens)
    .where(_tokens.c.token_digest == bindparam("presented"), _tokens.c.used_at.is_(None))
    .values(used_at=bindparam("now"), successor_digest=bindparam("next"))
)
REVOKE_FAMILY = Statement(
    update(_families)
    .where(_families.c.family_id == bindparam("family"), _families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
REVOKE_SESSION = Statement(
    update(_families)
    .where(_families.c.session_id == bindparam("session"), _families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
# Held until the commit, so that no refusal of another process goes uncounted.
REFUSED = Statement(
    select(_families.c.refusals, _families.c.refused_since)
    .where(_families.c.family_id == bindparam("family"))
    .with_for_update(key_share=True)
)
REFUSE = Statement(
    update(_families)
    .where(_families.c.family_id == bindparam("family"))
    .values(refusals=bindparam("count"), refused_since=bindparam("since"))
)
CLAIMS_OF = Statement(
    select(_families.c.claims)
    .where(
        _families.c.session_id == bindparam("session"),
        _families.c.client_id == bindparam("client"),
        _families.c.revoked_at.is_(None),
    )
    .order_by(_families.c.created_at.desc())
    .limit(1)
)
EXPIRED = Statement(
    select(_tokens.c.token_digest).where(_tokens.c.expires_at < bindparam("before")).limit(bindparam("most"))
)
FORGET = Statement(delete(_tokens).where(_tokens.c.token_digest == bindparam("old")))
FORGET_FAMILIES = Statement(
    delete(_families).where(~select(_sessions).where(_sessions.c.session_id == _families.c.session_id).exists())
)


class StoredRefreshTokens:
    """Refresh tokens and families in the database."""

    def start(self, tx: Transaction, family: RefreshFamily) -> None:
        first = family.first_seen
        tx.run(
            START,
            family_id=family.family_id,
            session_id=family.session_id,
            client_id=family.client_id,
            created_at=family.created_at,
            revoked_at=family.revoked_at,
            refusals=family.refusals.count,
            refused_since=family.refusals.since,
            kind=family.kind,
            scope=family.scope,
            audience=family.audience,
            jkt=family.jkt,
            claims=family.claims,
            first_ip=first.ip if first else None,
            first_user_agent=first.user_agent if first else None,
            first_device_digest=first.device_digest if first else None,
            first_ja4=first.ja4 if first else None,
        )

    def add(self, tx: Transaction, token: RefreshToken) -> None:
        tx.run(
            ADD,
            token_digest=token.token_digest,
            family_id=token.family_id,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            successor_digest=token.successor_digest,
            used_at=token.used_at,
        )

    def present(self, tx: Transaction, token_digest: bytes) -> Presented | None:
        row = tx.one(PRESENT, presented=token_digest)
        return None if row is None else Presented(*row)

    def hold(self, tx: Transaction, token_digest: bytes) -> Held | None:
        row = tx.one(HOLD, presented=token_digest)
        return None if row is None else Held(*row)

    def use(self, tx: Transaction, token_digest: bytes, *, successor_digest: bytes, now: float) -> bool:
        return tx.run(USE, presented=token_digest, next=successor_digest, now=now) == 1

    def revoke_family(self, tx: Transaction, family_id: str, *, now: float) -> bool:
        return tx.run(REVOKE_FAMILY, family=family_id, now=now) == 1

    def revoke_session(self, tx: Transaction, session_id: str, *, now: float) -> int:
        return tx.run(REVOKE_SESSION, session=session_id, now=now)

    def count_refusal(self, tx: Transaction, family_id: str, *, now: float) -> int:
        row = tx.one(REFUSED, family=family_id)
        refusals = (Refusals() if row is None else Refusals(*row)).one_more(now)
        tx.run(REFUSE, family=family_id, count=refusals.count, since=refusals.since)
        return refusals.count

    def claims_of(self, tx: Transaction, session_id: str, client_id: str) -> str | None:
        row = tx.one(CLAIMS_OF, session=session_id, client=client_id)
        return None if row is None else row[0]

    def expired(self, tx: Transaction, expired_before: float, limit: int) -> list[bytes]:
        return [row[0] for row in tx.all(EXPIRED, before=expired_before, most=limit)]

    def forget(self, tx: Transaction, token_digests: Sequence[bytes]) -> int:
        return tx.many(FORGET, [{"old": old} for old in token_digests])

    def forget_orphaned_families(self, tx: Transaction) -> int:
        return tx.run(FORGET_FAMILIES)
