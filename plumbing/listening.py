"""Where a service listens and with how many processes, and where it sends traces, as settings say it."""

from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

HTTP_ADDRESS: Final = r"^https?://[^/@?#\s]+(/[^@?#\s]*)?$"
"""A collector's: without a user, whom logs would repeat, and without a query."""

MOST_WORKERS: Final = 64
"""Processes behind one listener."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


def address_of(text: str) -> Address:
    """The address that a setting such as `127.0.0.1:9101` or `[::1]:9101` names. Raises: ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError("must be an address with a port, such as 127.0.0.1:9101")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _address(value: object) -> object:
    return value if isinstance(value, Address | None) else address_of(str(value))  # a bare port comes as a number


ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_address)]
"""An address in the settings."""
