"""Which addresses of Redis are taken."""

import pytest

from plumbing.redis_address import checked_redis_url, connection_arguments


def test_everything_about_a_server_is_in_its_address() -> None:
    """Host, port, database, who asks, and whether by TLS."""
    assert connection_arguments("rediss://ann:p%40ss@cache.example:6380/3") == {
        "host": "cache.example",
        "port": 6380,
        "db": 3,
        "username": "ann",
        "password": "p@ss",
        "ssl": True,
    }
    assert checked_redis_url("redis://127.0.0.1") == "redis://127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "http://secret@h",
        "redis://",
        "redis://:secret@h:99999",
        "redis://:secret@h/x",
        "redis://:secret@h/0?ssl_cert_reqs=none",
        "redis://:secret@[h",
        "redis:secret",
    ],
)
def test_what_is_no_address_is_refused_without_being_shown(url: str) -> None:
    """An address may hold a password; a query could switch off the checking of certificates."""
    with pytest.raises(ValueError, match="must be a URL such as") as refused:
        checked_redis_url(url)
    assert "secret" not in str(refused.value)
