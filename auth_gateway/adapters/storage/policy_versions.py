"""Policy documents that were saved, in the database: rows are added, and never changed."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_policy import PolicyVersionRow
from auth_gateway.core.policy_version import NO_VERSION, PolicyVersion
from plumbing.statements import Row, Statement, Transaction

_rows = table_of(PolicyVersionRow)

# Of two who add the same number one has added it, on both databases.
ADD = Statement(upsert(_rows).on_conflict_do_nothing(index_elements=(_rows.c.version,)))
NEWEST = Statement(select(func.max(_rows.c.version)))
FIND = Statement(select(_rows).where(_rows.c.version == bindparam("number")))
BEFORE = Statement(
    select(_rows).where(_rows.c.version < bindparam("before")).order_by(_rows.c.version.desc()).limit(bindparam("most"))
)


class StoredPolicyVersions:
    """They, in the database."""

    def newest(self, tx: Transaction) -> int:
        """The number of the one in force."""
        row = tx.one(NEWEST)
        return NO_VERSION if row is None or row[0] is None else int(row[0])

    def find(self, tx: Transaction, version: int) -> PolicyVersion | None:
        """That one."""
        row = tx.one(FIND, number=version)
        return None if row is None else _version(row)

    def before(self, tx: Transaction, version: int, most: int) -> list[PolicyVersion]:
        """Those with a lower number, the newest first."""
        return [_version(row) for row in tx.all(BEFORE, before=version, most=most)]

    def add(self, tx: Transaction, version: PolicyVersion) -> bool:
        """Keep it; False when there is one of its number already."""
        return tx.run(ADD, **{name: getattr(version, name) for name in version.__struct_fields__}) == 1


def _version(row: Row) -> PolicyVersion:
    return PolicyVersion(**dict(zip(_rows.columns.keys(), row, strict=True)))
