"""What can be said of PostgreSQL without its driver: whether a URL asks for it, and whether we can use it."""

import sys

POSTGRESQL_SCHEMES = ("postgresql://", "postgres://")


class DriverMissing(Exception):
    """The database's driver is not installed; the text is one line that says what to install."""


def is_postgresql(url: str) -> bool:
    """Whether that URL asks for a PostgreSQL server."""
    return url.startswith(POSTGRESQL_SCHEMES)


def require_driver() -> None:
    """Raises: DriverMissing when psycopg, or the libpq under it, is not there."""
    try:
        import psycopg  # noqa: F401 - whether this works is the question
    except ImportError:
        raise DriverMissing("PostgreSQL needs psycopg: pip install 'riskgate[postgresql]'") from None


def is_server_error(error: BaseException) -> bool:
    """Whether the server or the driver said so; without the driver nobody did."""
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.Error)
