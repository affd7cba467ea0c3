"""The audit trail as a record of what policy decided, read in order and a piece at a time."""

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, exists, func, select

from auth_gateway.adapters.storage.audit import LINE, line_of
from auth_gateway.adapters.storage.tables import AuditRow, UserRow, table_of
from auth_gateway.adapters.storage.tables_risk import UserRiskHistoryRow
from auth_gateway.core.backtest import DECIDED, REPORTED
from auth_gateway.flows.ports.decisions import Decided
from plumbing.statements import Statement, Transaction

_audit, _users = table_of(AuditRow), table_of(UserRow)
_history = table_of(UserRiskHistoryRow)
_verdict, _earlier = _history.alias("verdict"), _history.alias("earlier")


def is_decided() -> ColumnElement[bool]:
    """Whether a line has an answer of policy's in it."""
    return _audit.c.kind.in_([bindparam(None, kind, unique=True) for kind in DECIDED])


BETWEEN = Statement(
    select(_audit.c.seq, func.coalesce(_users.c.username, ""), *LINE)
    .select_from(_audit.outerjoin(_users, _users.c.user_id == _audit.c.user_id))
    .where(
        _audit.c.seq > bindparam("after"),
        _audit.c.ts >= bindparam("since"),
        _audit.c.ts < bindparam("until"),
        is_decided(),
    )
    .order_by(_audit.c.seq)
    .limit(bindparam("most"))
)
REPORTED_SINCE = Statement(
    select(_audit.c.detail).where(
        _audit.c.kind == REPORTED, _audit.c.ts >= bindparam("since"), _audit.c.detail.is_not(None)
    )
)
_is_before = and_(_history.c.user_id == _verdict.c.user_id, _history.c.seq < _verdict.c.seq)
_spoke_between = exists().where(
    _earlier.c.user_id == _verdict.c.user_id,
    _earlier.c.seq < _verdict.c.seq,
    _earlier.c.seq > _history.c.seq,
    _earlier.c.source == bindparam("analyst"),
)
# What was seen of a person since an analyst spoke last: the same that the scorer learns of the verdict.
JUDGED_SINCE = Statement(
    select(_history.c.scored_as, _audit.c.facts)
    .select_from(
        _verdict.join(
            _history, and_(_history.c.user_id == _verdict.c.user_id, _history.c.seq < _verdict.c.seq)
        ).outerjoin(_audit, _audit.c.event_id == _history.c.scored_as)
    )
    .where(
        _verdict.c.source == bindparam("analyst"),
        _verdict.c.reason == bindparam("said"),
        _verdict.c.ts >= bindparam("since"),
        _history.c.scored_as != bindparam("nothing"),
        ~_spoke_between,
    )
)


class _Attempt(msgspec.Struct):
    """Of a line's circumstances, the login that it belongs to."""

    began_as: str = ""


class StoredDecisions:
    """The decisions of the audit trail."""

    def between(self, tx: Transaction, *, after: int, since: float, until: float, most: int) -> list[Decided]:
        """The next lines of that span, in the order in which they were written."""
        found = tx.all(BETWEEN, after=after, since=since, until=until, most=most)
        return [Decided(place=row[0], username=row[1], line=line_of(row[2:])) for row in found]

    def compromised(self, tx: Transaction, *, since: float) -> frozenset[str]:
        """The ids of those sign-ins that were not their owners', as these or an analyst have said since then."""
        reported = frozenset(row[0] for row in tx.all(REPORTED_SINCE, since=since))
        judged = tx.all(JUDGED_SINCE, since=since, analyst="analyst", said="compromised", nothing="")
        return reported.union(_attempt(scored_as, facts) for scored_as, facts in judged)


def _attempt(scored_as: str, facts: bytes | None) -> str:
    """The sign-in that was scored, or that the scored answer belongs to."""
    return (msgspec.json.decode(facts, type=_Attempt).began_as if facts else "") or scored_as
