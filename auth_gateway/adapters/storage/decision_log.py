"""The audit trail as a record of what policy decided, read in order and a piece at a time."""

from sqlalchemy import ColumnElement, bindparam, func, select

from auth_gateway.adapters.storage.audit import LINE, line_of
from auth_gateway.adapters.storage.tables import AuditRow, UserRow, table_of
from auth_gateway.core.backtest import DECIDED, REPORTED
from auth_gateway.flows.ports.decisions import Decided
from plumbing.statements import Statement, Transaction

_audit, _users = table_of(AuditRow), table_of(UserRow)


def _is_decided() -> ColumnElement[bool]:
    return _audit.c.kind.in_([bindparam(None, kind, unique=True) for kind in DECIDED])


BETWEEN = Statement(
    select(_audit.c.seq, func.coalesce(_users.c.username, ""), *LINE)
    .select_from(_audit.outerjoin(_users, _users.c.user_id == _audit.c.user_id))
    .where(
        _audit.c.seq > bindparam("after"),
        _audit.c.ts >= bindparam("since"),
        _audit.c.ts < bindparam("until"),
        _is_decided(),
    )
    .order_by(_audit.c.seq)
    .limit(bindparam("most"))
)
COMPROMISED = Statement(
    select(_audit.c.detail).where(
        _audit.c.kind == REPORTED, _audit.c.ts >= bindparam("since"), _audit.c.detail.is_not(None)
    )
)


class StoredDecisions:
    """The decisions of the audit trail."""

    def between(self, tx: Transaction, *, after: int, since: float, until: float, most: int) -> list[Decided]:
        """The next lines of that span, in the order in which they were written."""
        found = tx.all(BETWEEN, after=after, since=since, until=until, most=most)
        return [Decided(place=row[0], username=row[1], line=line_of(row[2:])) for row in found]

    def compromised(self, tx: Transaction, *, since: float) -> frozenset[str]:
        """The ids of those sign-ins that their owners have said were not theirs, since then."""
        return frozenset(row[0] for row in tx.all(COMPROMISED, since=since))
