"""Who may open the console, by the subject or the user name at the issuer: kept by the command line."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.tables import operator_roles
from risk_scorer.core.console.operator import Role

_GIVEN = insert(operator_roles)
GIVE = Statement(_GIVEN.on_conflict_do_update(index_elements=["name"], set_={"role": _GIVEN.excluded.role}))
TAKE = Statement(delete(operator_roles).where(operator_roles.c.name == bindparam("of_name")))
LIST = Statement(
    select(operator_roles.c.name, operator_roles.c.role, operator_roles.c.added_at).order_by(operator_roles.c.name)
)


class OperatorRoles:
    """The table of them."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def give(self, name: str, role: Role) -> None:
        """From now on this person has this role and no other. Durable when it returns. Raises: Refused."""
        now = self._clock.now()
        self._database.write_sync(lambda tx: tx.run(GIVE, name=name, role=role, added_at=now))

    def take(self, name: str) -> bool:
        """Whether there was somebody of that name, who has no role any more. Raises: Refused."""
        return self._database.write_sync(lambda tx: tx.run(TAKE, of_name=name)) == 1

    def listed(self) -> list[tuple[str, str, float]]:
        """Name, role and since when. Raises: Refused."""
        rows = self._database.read(lambda tx: tx.all(LIST))
        return [(str(name), str(role), float(added_at)) for name, role, added_at in rows]
