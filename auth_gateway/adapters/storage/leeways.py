"""How much higher people's own step-up marks lie."""

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_risk import LeewayRow
from auth_gateway.core.leeway import NO_LEEWAY, Leeway
from plumbing.statements import Statement, Transaction

_leeways = table_of(LeewayRow)
_of_person = _leeways.c.user_id == bindparam("id")

BEGIN = Statement(upsert(_leeways).on_conflict_do_nothing(index_elements=(_leeways.c.user_id,)))
# Held until the commit, so that of two answers at once both are seen. (SQLite has one writer.)
HOLD = Statement(select(_leeways.c.passed, _leeways.c.at).where(_of_person).with_for_update())
PUT = Statement(update(_leeways).where(_of_person).values(passed=bindparam("count"), at=bindparam("since")))
FORGET = Statement(delete(_leeways).where(_of_person))


class StoredLeeways:
    """They, in the database."""

    def hold(self, tx: Transaction, user_id: str, now: float) -> Leeway:
        tx.run(BEGIN, user_id=user_id, passed=0.0, at=now)
        row = tx.one(HOLD, id=user_id)
        return NO_LEEWAY if row is None else Leeway(passed=row[0], at=row[1])

    def put(self, tx: Transaction, user_id: str, leeway: Leeway) -> None:
        tx.run(PUT, id=user_id, count=leeway.passed, since=leeway.at)

    def forget(self, tx: Transaction, user_id: str) -> None:
        tx.run(FORGET, id=user_id)
