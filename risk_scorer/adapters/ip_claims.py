"""What is held against an address: reserved, hosting, VPN and Tor networks, the operator's own lists and overlays.

All of them are laid over each other once, at the start, into one sorted table; a look-up is one binary search. Where
the address is and who announces it is `ip_tables`.
"""

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from iporigin._data import dataset  # the public classify() asks for one address at a time and takes 7 µs
from msgspec import Meta, Struct

from risk_scorer.adapters.ip_table_ranges import TOP
from risk_scorer.core.facts import NetworkKind

REPUTATION = {
    "listed": 95.0, "tor": 90.0, "bot": 45.0, "vpn": 40.0, "hosting": 35.0, "cdn": 30.0,
    "relay": 15.0, "reserved": 10.0, "unknown": 5.0,
}  # fmt: skip
"""Our own scale, 0 (nothing against it) to 100; docs/ip-data.md says why. An overlay may say otherwise."""
RELAYS = frozenset({"Apple Private Relay"})
"""Anonymous, but a signed-in person's own device by the relay's terms: a VPN in kind, not in reputation."""
KINDS: dict[str, NetworkKind] = {
    "cdn": "hosting", "bot": "hosting", "hosting": "hosting", "vpn": "vpn", "tor": "tor", "reserved": "reserved",
}  # fmt: skip
SEVERITY = ("cdn", "bot", "hosting", "vpn", "tor")
"""Where two claims meet in one /64, the later one stands."""

RESERVED = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
    "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)  # fmt: skip
"""No customer of anybody has these. Source: IANA special-purpose address registries (RFC 6890, 9637), RFC 4291."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ShortText = Annotated[str, Meta(max_length=128)]


class BadNetworkFile(Exception):
    """An operator's list or overlay cannot be read as a whole: better no start than half a list."""


class Overlay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator knows better about one network. Without `asn`, or without a place, the looked-up one stays."""

    cidr: str
    asn: Annotated[int, Meta(ge=1, le=2**32 - 1)] | None = None
    asn_name: ShortText = ""
    country: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    region: ShortText = ""
    city: ShortText = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    accuracy_km: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    kind: NetworkKind | None = None
    reputation: Annotated[float, Meta(ge=0, le=100)] | None = None
    is_listed: bool | None = None


class OverlayFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[network]]` tables of a TOML file."""

    network: tuple[Overlay, ...] = ()


class Claim(NamedTuple):
    """What is held against a network, and what the operator said of it."""

    kind: NetworkKind
    reputation: float
    is_listed: bool
    overlay: Overlay | None


class Claims:
    """The claims on any address of one family: by address in IPv4, by /64 in IPv6."""

    def __init__(self, starts: list[int], claims: list[Claim]) -> None:
        self._starts, self._claims = starts, claims

    def at(self, address: int) -> Claim:
        """What is claimed of an address."""
        return self._claims[bisect_right(self._starts, address) - 1]


class Layer(NamedTuple):
    """First and last address of a network, and which claim is laid over it."""

    first: int
    last: int
    value: int


def laid_over(version: int, *, listed: Sequence[Network], overlays: Sequence[tuple[Network, Overlay]]) -> Claims:
    """One table of all claims on a family; the smaller overlay network wins over the one around it."""
    return _table(version, tuple(listed), tuple(overlays))


# One of each family: look-ups that are opened after one another in a process mostly ask for the same.
@lru_cache(maxsize=2)
def _table(version: int, listed: tuple[Network, ...], overlays: tuple[tuple[Network, Overlay], ...]) -> Claims:
    labels, origins = _origins(version)
    by_size = sorted((pair for pair in overlays if pair[0].version == version), key=lambda pair: pair[0].prefixlen)
    listing = [Layer(*_ends(network), 1) for network in listed if network.version == version]
    overlaid = [Layer(*_ends(network), number) for number, (network, _) in enumerate(by_size, start=1)]
    layers = (origins, listing, overlaid)
    edges = {0}
    for layer in layers:
        for first, last, _ in layer:
            edges.update((first, last + 1))
    starts = sorted(edge for edge in edges if edge <= TOP[version])
    painted = [_painted(starts, layer) for layer in layers]
    made: dict[tuple[int, int, int], Claim] = {}
    claims = []
    for origin, is_listed, overlay in zip(*painted, strict=True):
        key = (origin, is_listed, overlay)
        if key not in made:
            made[key] = _claim(labels[origin], bool(is_listed), by_size[overlay - 1][1] if overlay else None)
        claims.append(made[key])
    return Claims(starts, claims)


def _painted(starts: list[int], layers: list[Layer]) -> list[int]:
    """For each row of the table the value laid over it last, 0 for none."""
    rows = np.array(starts, dtype=np.uint64)
    values = np.zeros(len(starts), dtype=np.int64)
    firsts = np.searchsorted(rows, np.array([layer.first for layer in layers], dtype=np.uint64))
    ends = np.searchsorted(rows, np.array([layer.last for layer in layers], dtype=np.uint64), side="right")
    for first, end, layer in zip(firsts.tolist(), ends.tolist(), layers, strict=True):
        values[first:end] = layer.value
    painted: list[int] = values.tolist()
    return painted


def _claim(label: tuple[str, str], is_listed: bool, overlay: Overlay | None) -> Claim:
    provider, origin = label
    reputation = REPUTATION["relay" if provider in RELAYS else origin]
    kind: NetworkKind = KINDS.get(origin, "unknown")
    if is_listed:
        reputation = max(reputation, REPUTATION["listed"])
    if overlay is not None:
        is_listed = is_listed if overlay.is_listed is None else overlay.is_listed
        reputation = reputation if overlay.reputation is None else overlay.reputation
        kind = overlay.kind or kind
    return Claim(kind, reputation, is_listed, overlay)


def _origins(version: int) -> tuple[list[tuple[str, str]], list[Layer]]:
    """Labels (provider, kind) and the networks that have them, the graver later, reserved ranges last of all."""
    known = _known()
    labels = [("", "unknown"), *known.labels, ("", "reserved")]
    columns = (known.v4_starts, known.v4_ends, known.v4_labels) if version == 4 else (
        known.v6_starts, known.v6_ends, known.v6_labels)  # fmt: skip
    shift = 0 if version == 4 else 64
    found = [Layer(first >> shift, last >> shift, label + 1) for first, last, label in zip(*columns, strict=True)]
    found.sort(key=lambda layer: SEVERITY.index(labels[layer.value][1]))
    reserved = (ipaddress.ip_network(text) for text in RESERVED)
    found += [Layer(*_ends(network), len(labels) - 1) for network in reserved if network.version == version]
    return labels, found


def _ends(network: Network) -> tuple[int, int]:
    """First and last address as the table counts them; a network inside a /64 stands for all of it."""
    shift = 0 if network.version == 4 else 64
    return int(network.network_address) >> shift, int(network.broadcast_address) >> shift


def _known() -> Any:
    """The table that the iporigin package brings."""
    return dataset()  # type: ignore[no-untyped-call]  # it publishes no types


def origins_built_at() -> float:
    """When the table of hosting, VPN and Tor networks was made, in epoch seconds."""
    return float(_known().built_at)


def read_listed(paths: Iterable[Path]) -> list[Network]:
    """The networks of blocklist files: one CIDR or address a line, # starts a comment. Raises BadNetworkFile."""
    found = []
    for path in paths:
        for number, line in enumerate(_content(path).splitlines(), start=1):
            text = re.split(r"[#;]", line, maxsplit=1)[0].strip()
            if text:
                found.append(_network(text, f"{path.name}, line {number}"))
    return found


def read_overlays(paths: Iterable[Path]) -> list[tuple[Network, Overlay]]:
    """The networks of overlay files; a later file is laid over an earlier one. Raises BadNetworkFile."""
    found = []
    for path in paths:
        try:
            overlays = msgspec.toml.decode(_content(path), type=OverlayFile).network
        except (msgspec.MsgspecError, ValueError) as error:
            raise BadNetworkFile(f"{path.name}: {error}") from error
        found += [(_network(overlay.cidr, f"{path.name}: {overlay.cidr}"), overlay) for overlay in overlays]
    return found


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadNetworkFile(f"{path.name} cannot be read as text") from error


def _network(text: str, where: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=True)
    except ValueError as error:
        raise BadNetworkFile(f"{where}: not a network such as 192.0.2.0/24") from error
