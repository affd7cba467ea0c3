"""What can be said of Redis without its client: whether an address is one, and whether we can use it."""

from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import unquote, urlsplit

REDIS_SCHEMES: Final = ("redis", "rediss")
PREFIX: Final = "riskgate:"
"""What every key of ours begins with."""
_WORDS: Final = "must be a URL such as redis://user:password@host:6379/0, or rediss:// for TLS"


class ClientMissing(ValueError):
    """The client is not installed; the text is one line that says what to install."""


def checked_redis_url(url: str) -> str:
    """The address, when it is one that we can use.

    Raises: ValueError with a text that shows nothing of it; ClientMissing.
    """
    connection_arguments(url)
    if find_spec("redis") is None:
        raise ClientMissing("is set, which needs the extra: pip install 'riskgate[redis]'")
    return url


def connection_arguments(url: str) -> dict[str, Any]:
    """Where the server is and who asks, as the client takes it.

    A query is refused: it could switch off the checking of certificates or our own time limits.

    Raises: ValueError with a text that shows nothing of the address.
    """
    try:
        parts = urlsplit(url)
        port, database = parts.port, parts.path.strip("/")
    except ValueError:
        raise ValueError(_WORDS) from None
    is_number = database == "" or (database.isascii() and database.isdigit() and len(database) < 6)
    if parts.scheme not in REDIS_SCHEMES or not parts.hostname or parts.query or parts.fragment or not is_number:
        raise ValueError(_WORDS)
    return {
        "host": parts.hostname,
        "port": port or 6379,
        "db": int(database or 0),
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "ssl": parts.scheme == "rediss",
    }
