"""Where a webhook may connect: outside, and nowhere that a stranger could not reach from the outside.

A webhook's address is written by whoever may configure one, and its name is resolved by whoever owns the name. Without
this guard either could aim our requests at machines behind our own firewall (server-side request forgery).
"""

import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from webhooks.resolving import system_resolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port → the addresses it has now."""

_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
# Source: IANA IPv4 Special-Purpose Address Registry, and the multicast and reserved classes (RFC 5771, RFC 1112).
_INSIDE_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Only global unicast is outside (RFC 4291, section 2.4): loopback, mapped and compatible IPv4, both NAT64 prefixes,
# unique-local, link-local, site-local and multicast all lie outside this network and are refused with it.
_OUTSIDE_V6: Final = ipaddress.IPv6Network("2000::/3")
# Source: IANA IPv6 Special-Purpose Address Registry: protocol assignments (Teredo and ORCHID among them),
# documentation, 6to4, AS112.
_INSIDE_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
# Source: RFC 5214, section 6.1: an interface identifier that holds an IPv4 address, under any prefix.
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})


class TargetRefused(Exception):
    """We do not connect there; `code` says why: `bad_url`, `not_https`, `unresolved` or `inside`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, taken apart."""

    scheme: str
    host: str
    port: int


def parse_target(url: str, *, allow_private: bool) -> Target:
    """The URL's parts, if its form is one that we send to: https (http where private targets are allowed), a host, no
    credentials in it.

    Raises:
        TargetRefused: with code `bad_url`, `not_https`, or `inside` when the host is an address that points inside.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise TargetRefused("bad_url") from None
    if not host or not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "@" in parts.netloc:
        raise TargetRefused("bad_url")
    if not _HOST.fullmatch(host) and not _is_ipv6(host):
        raise TargetRefused("bad_url")
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_private):
        raise TargetRefused("not_https" if parts.scheme == "http" else "bad_url")
    if port == 0 or ("[" in parts.netloc and not _is_ipv6(host)):
        raise TargetRefused("bad_url")
    if not allow_private and _is_inside_by_name(host):
        raise TargetRefused("inside")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _is_inside_by_name(host: str) -> bool:
    """Whether the host needs no resolver to be known as inside: an address in any spelling, or a local name."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        return True
    try:
        return is_inside(name)
    except ValueError:
        pass
    try:
        # The C library also takes 127.1, 0x7f000001, 017700000001 and 2130706433 for an address.
        return is_inside(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return False


def is_inside(address: str) -> bool:
    """Whether the address is anything but a public unicast one.

    Raises:
        ValueError: it is no address.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return any(parsed in network for network in _INSIDE_V4)
    if parsed.scope_id is not None or parsed not in _OUTSIDE_V6:
        return True
    if (int(parsed) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return True
    return any(parsed in network for network in _INSIDE_V6)


async def pinned_addresses(
    target: Target, *, allow_private: bool, resolver: Resolver = system_resolver
) -> Sequence[str]:
    """The addresses to connect to, and only to: the name is not asked again between this check and the connection.

    One address inside refuses them all: a name that points both ways is an attempt to be connected to by chance.

    Raises:
        TargetRefused: with code `unresolved` or `inside`.
    """
    try:
        addresses = await resolver(target.host, target.port)
    except (OSError, UnicodeError):
        raise TargetRefused("unresolved") from None
    if not addresses:
        raise TargetRefused("unresolved")
    if not allow_private and any(is_inside(address) for address in addresses):
        raise TargetRefused("inside")
    return addresses
