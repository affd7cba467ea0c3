"""Since when an event waits to be told: looked at now and then, for those who watch."""

from typing import Final

from sqlalchemy import select

from auth_gateway.adapters.storage.tables import AuditRow, table_of
from plumbing.statements import Statement, Transaction

_audit = table_of(AuditRow)
_OLDEST: Final = Statement(select(_audit.c.ts).where(_audit.c.waits.is_not(None)).order_by(_audit.c.seq).limit(1))


def oldest_line_at(tx: Transaction) -> float | None:
    """The time of the oldest line that those who listen were not told of; None when there is none."""
    row = tx.one(_OLDEST)
    return None if row is None else float(row[0])
