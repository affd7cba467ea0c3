"""The gateway's own rows: tables, repositories, migrations. Rows stay here; values of the core go out."""

from pathlib import Path

import auth_gateway.adapters.storage.tables_events
import auth_gateway.adapters.storage.tables_factors
import auth_gateway.adapters.storage.tables_provider
import auth_gateway.adapters.storage.tables_risk  # noqa: F401 - their tables belong to the same metadata
from auth_gateway.adapters.storage.tables import metadata
from plumbing.database import Database, upgrade

MIGRATIONS = Path(__file__).with_name("migrations")


def open_storage(url: str) -> Database:
    """The database of that URL, brought to the newest schema first. Raises: as `upgrade`."""
    upgrade(url, str(MIGRATIONS), own_table="refresh_families")
    return Database.open(url, metadata=metadata)
