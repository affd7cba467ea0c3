"""The gateway's own rows: tables, repositories, migrations. Rows stay here; values of the core go out."""

from pathlib import Path

import auth_gateway.adapters.storage.tables_events
import auth_gateway.adapters.storage.tables_factors
import auth_gateway.adapters.storage.tables_policy
import auth_gateway.adapters.storage.tables_provider
import auth_gateway.adapters.storage.tables_risk  # noqa: F401 - their tables belong to the same metadata
from auth_gateway.adapters.storage.tables import metadata
from plumbing.database import Database, upgrade
from plumbing.migrations import Step, pending

MIGRATIONS = Path(__file__).with_name("migrations")
OWN_TABLE = "refresh_families"


def open_storage(url: str, *, may_migrate: bool = True) -> Database:
    """The database of that URL, brought to the newest schema first where we may. Raises: as `upgrade`."""
    bring_up(url, may_migrate=may_migrate)
    return Database.open(url, metadata=metadata)


def bring_up(url: str, *, may_migrate: bool = True, may_contract: bool | None = None) -> None:
    """Bring the database to the newest schema. Raises: as `upgrade`."""
    upgrade(url, str(MIGRATIONS), own_table=OWN_TABLE, may_migrate=may_migrate, may_contract=may_contract)


def missing_steps(url: str) -> list[Step]:
    """What its schema lacks. Raises: as `upgrade`."""
    return pending(url, str(MIGRATIONS), own_table=OWN_TABLE)
