"""The audit trail as a queue of events."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Float, Integer, bindparam, func, literal_column, select, tuple_, update

from auth_gateway.adapters.storage.audit import LINE, line_of
from auth_gateway.adapters.storage.tables import AuditRow, UserRow, table_of
from auth_gateway.core.vocabulary import told_kinds
from auth_gateway.flows.ports.events import Logged
from plumbing.expressions import turn
from plumbing.statements import Row, Statement, Transaction

DISTRIBUTING: Final = int.from_bytes(b"rgevents")
"""What our gateways agree to hold while they distribute from one PostgreSQL database."""


_audit, _users = table_of(AuditRow), table_of(UserRow)
_logged = select(_audit.c.seq, func.coalesce(_users.c.username, ""), *LINE).select_from(
    _audit.outerjoin(_users, _users.c.user_id == _audit.c.user_id)
)

TURN = Statement(select(turn(DISTRIBUTING)))
WAITING = Statement(_logged.where(_audit.c.waits.is_not(None)).order_by(_audit.c.seq).limit(bindparam("most")))
TOLD = Statement(
    update(_audit).where(_audit.c.seq == bindparam("place"), _audit.c.waits.is_not(None)).values(waits=None)
)
# From place to place on the index of times, whose condition stands here too.
BETWEEN = Statement(
    _logged.where(
        _audit.c.kind != literal_column("'token.refreshed'"),
        tuple_(_audit.c.ts, _audit.c.seq) > tuple_(bindparam("since", type_=Float), bindparam("after", type_=Integer)),
        _audit.c.ts < bindparam("until"),
        _audit.c.kind.in_([bindparam(None, kind, unique=True) for kind in told_kinds()]),
    )
    .order_by(_audit.c.ts, _audit.c.seq)
    .limit(bindparam("most"))
)


class StoredEventLog:
    """The waiting lines of the audit trail."""

    def takes_turn(self, tx: Transaction) -> bool:
        return tx.one(TURN) == (1,)

    def waiting(self, tx: Transaction, limit: int) -> list[Logged]:
        return [_read(row) for row in tx.all(WAITING, most=limit)]

    def told(self, tx: Transaction, seqs: Sequence[int]) -> int:
        return tx.many(TOLD, [{"place": seq} for seq in seqs])

    def between(self, tx: Transaction, since: float, until: float, *, after: int, limit: int) -> list[Logged]:
        return [_read(row) for row in tx.all(BETWEEN, since=since, until=until, after=after, most=limit)]


def _read(row: Row) -> Logged:
    return Logged(row[0], line_of(row[2:]), row[1])
