"""What people did at the console, in the database: written before it is done, and what became of it afterwards."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement, Value
from risk_scorer.adapters.tables import console_audit
from risk_scorer.flows.console.ports import Act, ActRow

NEWEST: Final = 2**62
BEGUN: Final = "begun"
_row = console_audit.c
_COLUMNS: Final = tuple(column for column in _row if column.name != "id")
BEGIN = Statement(
    insert(console_audit).values({column.name: bindparam(column.name) for column in _COLUMNS}).returning(_row.id)
)
END = Statement(
    update(console_audit)
    .where(_row.id == bindparam("of_id"))
    .values(result=bindparam("new_result"), ended_at=bindparam("now"))
)
_OF: Final = {name: _row[name] == bindparam(f"of_{name}") for name in ("subject", "operator")}


def _page(*named: str) -> Statement:
    """Each has an index that has its rows in their order."""
    wanted = [_row.id < bindparam("before"), *(_OF[name] for name in named)]
    return Statement(select(console_audit).where(*wanted).order_by(_row.id.desc()).limit(bindparam("most")))


PAGES: Final[dict[tuple[str, ...], Statement]] = {
    named: _page(*named) for named in ((), ("subject",), ("operator",), ("subject", "operator"))
}
ERASED: Final = "(erased)"
ERASE = Statement(
    update(console_audit).where(_row.subject == bindparam("of_user")).values(subject=ERASED, reason=ERASED)
)
"""Who did what and when stays; to whom, and what was said of them, does not."""
PRUNE = Statement(
    delete(console_audit).where(
        _row.id.in_(select(_row.id).where(_row.at < bindparam("before")).order_by(_row.at).limit(500))
    )
)


class ActRows:
    """The rows."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, act: Act) -> tuple[int, ...]:
        """Write it down, a row for each subject, durably; the rows' numbers. Raises: Refused."""
        now = self._clock.now()

        def job(tx: Transaction) -> tuple[int, ...]:
            said: dict[str, Value] = {
                "at": now,
                "operator": act.operator,
                "role": act.role,
                "action": act.action,
                "reason": act.reason,
                "result": BEGUN,
                "request_id": act.request_id,
                "ended_at": None,
            }
            found = [tx.one(BEGIN, subject=subject, **said) for subject in act.subjects]
            return tuple(int(row[0]) for row in found if row is not None)

        return await self._database.write(job)

    async def end(self, rows: tuple[int, ...], result: str) -> None:
        """Say what became of it. Raises: Refused."""
        now = self._clock.now()
        ended: list[dict[str, Value]] = [{"of_id": row, "new_result": result, "now": now} for row in rows]
        await self._database.write(lambda tx: tx.many(END, ended))

    async def page(self, *, before: int | None, subject: str, operator: str, limit: int) -> list[ActRow]:
        """The newest first, those before that row; "" is anybody's. Raises: Refused."""
        given = {"subject": subject, "operator": operator}
        named = tuple(name for name, value in given.items() if value)
        asked: dict[str, Value] = {f"of_{name}": given[name] for name in named}
        asked |= {"before": NEWEST if before is None else before, "most": limit}
        rows = await self._database.read_in_thread(lambda tx: tx.all(PAGES[named], **asked))
        return [ActRow(**dict(zip(_row.keys(), row, strict=True))) for row in rows]

    async def prune(self, before: float) -> int:
        """Drop what is older than that time; how much went. Raises: Refused."""
        gone = 0
        while went := await self._database.write(lambda tx: tx.run(PRUNE, before=before)):
            gone += went
        return gone
