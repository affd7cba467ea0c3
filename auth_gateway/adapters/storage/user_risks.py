"""What is held against people, and how it came to be."""

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_risk import UserRiskHistoryRow, UserRiskRow
from auth_gateway.core.user_risk import NO_RISK, RiskChange, UserRisk
from auth_gateway.flows.ports.user_risk import NotedChange
from plumbing.statements import Row, Statement, Transaction

_risks = table_of(UserRiskRow)
_history = table_of(UserRiskHistoryRow)
_of_person = _risks.c.user_id == bindparam("id")
_COLUMNS = (_risks.c.value, _risks.c.at, _risks.c.is_held)
_NOTED = [column for column in _history.columns if column.name != "seq"]

FIND = Statement(select(*_COLUMNS).where(_of_person))
BEGIN = Statement(upsert(_risks).on_conflict_do_nothing(index_elements=(_risks.c.user_id,)))
# Held until the commit, so that of two detections at once neither is lost. (SQLite has one writer.)
HOLD = Statement(select(*_COLUMNS).where(_of_person).with_for_update())
PUT = Statement(
    update(_risks).where(_of_person).values(value=bindparam("now_at"), at=bindparam("since"), is_held=bindparam("held"))
)
NOTE = Statement(insert(_history).values({column.name: bindparam(column.name) for column in _NOTED}))
HISTORY = Statement(
    select(_history.c.seq, *_NOTED)
    .where(_history.c.user_id == bindparam("id"), _history.c.seq < bindparam("before_place"))
    .order_by(_history.c.seq.desc())
    .limit(bindparam("most"))
)


class StoredUserRisks:
    """They, in the database."""

    def find(self, tx: Transaction, user_id: str) -> UserRisk:
        return _risk(tx.one(FIND, id=user_id))

    def hold(self, tx: Transaction, user_id: str) -> UserRisk:
        return _risk(tx.one(HOLD, id=user_id))

    def begin(self, tx: Transaction, user_id: str, now: float) -> UserRisk:
        tx.run(BEGIN, user_id=user_id, value=0.0, at=now, is_held=False)
        return self.hold(tx, user_id)

    def change(self, tx: Transaction, risk: UserRisk, change: RiskChange) -> None:
        tx.run(PUT, id=change.user_id, now_at=risk.value, since=risk.at, held=risk.is_held)
        tx.run(NOTE, **{name: getattr(change, name) for name in change.__struct_fields__})

    def history(self, tx: Transaction, user_id: str, *, before: int, limit: int) -> list[NotedChange]:
        rows = tx.all(HISTORY, id=user_id, before_place=before, most=limit)
        return [NotedChange(place=row[0], change=_change(row[1:])) for row in rows]


def _risk(row: Row | None) -> UserRisk:
    return NO_RISK if row is None else UserRisk(value=row[0], at=row[1], is_held=bool(row[2]))


def _change(row: Row) -> RiskChange:
    return RiskChange(**dict(zip([column.name for column in _NOTED], row, strict=True)))
