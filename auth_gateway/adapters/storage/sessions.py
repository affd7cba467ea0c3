"""Sessions."""

from sqlalchemy import bindparam, case, delete, insert, or_, select, update

from auth_gateway.adapters.storage.tables import SessionRow, table_of
from auth_gateway.core.session import Session
from plumbing.statements import Row, Statement, Transaction

_sessions = table_of(SessionRow)

ADD = Statement(insert(_sessions))
FIND = Statement(select(_sessions).where(_sessions.c.session_id == bindparam("id")))
RECENT = Statement(select(_sessions).order_by(_sessions.c.created_at.desc()).limit(bindparam("most")))
OF_USER = Statement(
    select(_sessions).where(_sessions.c.user_id == bindparam("user")).order_by(_sessions.c.created_at.desc())
)
REVOKE = Statement(
    update(_sessions)
    .where(_sessions.c.session_id == bindparam("id"), _sessions.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), revoked_reason=bindparam("reason"))
)
_rests = _sessions.c.answered_at.is_(None) | (_sessions.c.answered_at < _sessions.c.asked_at)
ASK = Statement(
    update(_sessions)
    .where(
        _sessions.c.session_id == bindparam("id"),
        _sessions.c.revoked_at.is_(None),
        or_(_sessions.c.asked_at.is_(None), _sessions.c.answered_at >= _sessions.c.asked_at),
        or_(_sessions.c.answered_at.is_(None), _sessions.c.answered_at < bindparam("observed")),
    )
    .values(asked_at=bindparam("now"))
)
# The clocks of two gateways differ: an answer is never older than its question.
ANSWER = Statement(
    update(_sessions)
    .where(
        _sessions.c.session_id == bindparam("id"),
        _sessions.c.revoked_at.is_(None),
        _sessions.c.asked_at.is_not(None),
        _rests,
    )
    .values(
        answered_at=case((_sessions.c.asked_at > bindparam("now"), _sessions.c.asked_at), else_=bindparam("now")),
        amr=bindparam("new_amr"),
        acr=bindparam("new_acr"),
    )
)
SEE = Statement(
    update(_sessions)
    .where(_sessions.c.session_id == bindparam("id"), _sessions.c.last_seen_at < bindparam("now"))
    .values(last_seen_at=bindparam("now"))
)
FORGET_ENDED = Statement(delete(_sessions).where(_sessions.c.expires_at < bindparam("before")))


class StoredSessions:
    """Sessions in the database."""

    def add(self, tx: Transaction, session: Session) -> None:
        tx.run(
            ADD,
            session_id=session.session_id,
            user_id=session.user_id,
            client_id=session.client_id,
            amr=session.amr,
            acr=session.acr,
            auth_time=session.auth_time,
            ip=session.ip,
            user_agent=session.user_agent,
            device_digest=session.device_digest,
            risk_score=session.risk_score,
            created_at=session.created_at,
            expires_at=session.expires_at,
            revoked_at=session.revoked_at,
            revoked_reason=session.revoked_reason,
            ja4=session.ja4,
            is_vouched=session.is_vouched,
            country=session.country,
            browser_id=session.browser_id,
            place=session.place,
            last_seen_at=session.last_seen_at,
            asked_at=session.asked_at,
            answered_at=session.answered_at,
        )

    def find(self, tx: Transaction, session_id: str) -> Session | None:
        row = tx.one(FIND, id=session_id)
        return None if row is None else _session(row)

    def recent(self, tx: Transaction, limit: int) -> list[Session]:
        return [_session(row) for row in tx.all(RECENT, most=limit)]

    def of_user(self, tx: Transaction, user_id: str) -> list[Session]:
        return [_session(row) for row in tx.all(OF_USER, user=user_id)]

    def revoke(self, tx: Transaction, session_id: str, *, now: float, reason: str) -> bool:
        return tx.run(REVOKE, id=session_id, now=now, reason=reason) == 1

    def ask(self, tx: Transaction, session_id: str, *, now: float, observed_at: float) -> bool:
        return tx.run(ASK, id=session_id, now=now, observed=observed_at) == 1

    def answer(self, tx: Transaction, session_id: str, *, now: float, amr: str, acr: str) -> bool:
        return tx.run(ANSWER, id=session_id, now=now, new_amr=amr, new_acr=acr) == 1

    def see(self, tx: Transaction, session_id: str, now: float) -> None:
        tx.run(SEE, id=session_id, now=now)

    def forget_ended(self, tx: Transaction, ended_before: float) -> int:
        return tx.run(FORGET_ENDED, before=ended_before)


def _session(row: Row) -> Session:
    return Session(**dict(zip(_sessions.columns.keys(), row, strict=True)))
