"""Addresses veiled for a screen that others see: the last octet of IPv4, the last 80 bits of IPv6."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from msgspec import Struct

IPV4_KEPT, IPV6_KEPT = 24, 48
VEILED: Final = "•"
_LIKE_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)(?![\w:])(/\d{1,3})?"
)


class Veil(Struct, frozen=True):
    """What this session shows of addresses."""

    is_on: bool

    def address(self, text: str) -> str:
        """An address, or nothing of what is none while the veil is on and it might be one."""
        return veiled(text) if self.is_on else text

    def subject(self, text: str) -> str:
        """The address for a link or a filter: its network in place of it while the veil is on."""
        return network(text) if self.is_on else text

    def text(self, text: str) -> str:
        """Any text, with the addresses in it veiled."""
        return _LIKE_ADDRESS.sub(_veiled_match, text) if self.is_on else text


def veiled(text: str) -> str:
    """203.0.113.• and 2001:db8:7:•; what is no address as it stands."""
    found = _parsed(text)
    if found is None:
        return text
    kept = str(_network(found).network_address)
    if isinstance(found, IPv4Address):
        return f"{kept.rpartition('.')[0]}.{VEILED}"
    return f"{kept.rstrip(':') or ':'}:{VEILED}"


def network(text: str) -> str:
    """203.0.113.0/24 and 2001:db8:7::/48; what is no address as it stands."""
    found = _parsed(text)
    return text if found is None else str(_network(found))


def _network(address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    kept = IPV4_KEPT if isinstance(address, IPv4Address) else IPV6_KEPT
    return ip_network(f"{address}/{kept}", strict=False)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _veiled_match(match: re.Match[str]) -> str:
    return veiled(match[0].partition("/")[0]) + (match[1] or "")
