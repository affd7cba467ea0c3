"""Everything known about an address, in one look-up: where it is, who announces it, what is held against it.

Fails open: without usable tables, place and operator stay unknown and `problem` says why, because a login must be
scored all the same; unknown is never taken for safe further on. An operator's own list or overlay that cannot be read
stops the start instead.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, Self

from msgspec import structs

from risk_scorer.adapters.ip_claims import (
    REPUTATION,
    Claims,
    Overlay,
    laid_over,
    origins_built_at,
    read_listed,
    read_overlays,
)
from risk_scorer.adapters.ip_table_format import BadIpTable
from risk_scorer.adapters.ip_tables import NOBODY, NOWHERE, PACKAGED, IpTables, age_days
from risk_scorer.adapters.recent_values import RecentValues
from risk_scorer.core.facts import IpFacts

DEFAULT_CACHE = Path("var/geo")
REMEMBERED = 32_768
LONGEST_ADDRESS = 45
"""An IPv4-mapped IPv6 address in full; nothing longer is an address, and nothing longer is remembered."""
MAPPED = bytes(10) + b"\xff\xff"
UNREADABLE = IpFacts(reputation=REPUTATION["unknown"])
"""Of what is not an address nothing is known; input is checked before it comes here."""


class IpLookup:
    """Facts about addresses, from mapped tables and a bounded memory. Safe to share between threads."""

    def __init__(self, tables: IpTables | None, claims: dict[int, Claims], problem: BadIpTable | None = None) -> None:
        self._tables, self._claims, self.problem = tables, claims, problem
        self._recent: RecentValues[IpFacts] = RecentValues(REMEMBERED)

    @classmethod
    def open(
        cls,
        tables_dir: Path = PACKAGED,
        *,
        cache_dir: Path = DEFAULT_CACHE,
        overlays: Sequence[Path] = (),
        listed: Sequence[Path] = (),
    ) -> Self:
        """The look-up over the tables in a directory. Raises BadNetworkFile for an unreadable overlay or list."""
        networks, overlaid = read_listed(listed), read_overlays(overlays)
        claims = {version: laid_over(version, listed=networks, overlays=overlaid) for version in (4, 6)}
        try:
            return cls(IpTables.open(tables_dir, cache_dir), claims)
        except BadIpTable as problem:
            return cls(None, claims, problem)

    def facts(self, ip: str) -> IpFacts:
        """What is known of the address; of junk, nothing. Never raises."""
        return self._recent.get(ip) or self._found(ip)

    def facts_many(self, ips: Iterable[str]) -> list[IpFacts]:
        """The same for each, in order."""
        known, found = self._recent.get, self._found
        return [known(ip) or found(ip) for ip in ips]

    def operator_name(self, asn: int) -> str:
        """The name of an autonomous system, "" when unknown."""
        return self._tables.operator_name(asn) if self._tables and asn else ""

    def cities(self) -> list[tuple[float, float]]:
        """Where there are places, roughly; none without tables."""
        return self._tables.cities() if self._tables else []

    def age_days(self, now: float) -> float | None:
        """How old the older of the tables' sources is at epoch second `now`; None without tables."""
        return age_days(self._tables.header, now) if self._tables else None

    def describe(self) -> dict[str, Any]:
        """What is in use, for /ready and the console: state, dates, rows, and the attribution that must be shown."""
        if self._tables is None:
            code, message = (self.problem.code, self.problem.message) if self.problem else ("ip_table_missing", "")
            return {"status": "unavailable", "code": code, "message": message, "origins_built_at": origins_built_at()}
        return {"status": "ready", **self._tables.describe(), "origins_built_at": origins_built_at()}

    def _found(self, ip: str) -> IpFacts:
        facts = self._looked_up(ip)
        return self._recent.keep(ip, facts) if len(ip) <= LONGEST_ADDRESS else facts

    def _looked_up(self, ip: str) -> IpFacts:
        packed = packed_address(ip)
        if packed is None:
            return UNREADABLE
        if len(packed) == 4:
            version, address = 4, int.from_bytes(packed)
            prefix = f"{packed[0]}.{packed[1]}.{packed[2]}.0/24"
        else:
            version, address = 6, int.from_bytes(packed[:8])
            prefix = inet_ntop(AF_INET6, packed[:6] + bytes(10)) + "/48"
        spot, (asn, asn_name) = NOWHERE, NOBODY
        if self._tables is not None:
            spot, (asn, asn_name) = self._tables.spot(version, address), self._tables.operator(version, address)
        claim = self._claims[version].at(address)
        facts = IpFacts(
            asn=asn,
            asn_name=asn_name,
            country=spot.country,
            region=spot.region,
            city=spot.city,
            latitude=spot.latitude,
            longitude=spot.longitude,
            accuracy_km=spot.accuracy_km,
            prefix=prefix,
            kind=claim.kind,
            reputation=claim.reputation,
            is_listed=claim.is_listed,
        )
        return facts if claim.overlay is None else _overlaid(facts, claim.overlay)


def packed_address(text: str) -> bytes | None:
    """Four bytes (IPv4, also when written as mapped IPv6) or sixteen; None for what is not an address."""
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        packed = inet_pton(AF_INET6, text)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(MAPPED) else packed


def _overlaid(facts: IpFacts, overlay: Overlay) -> IpFacts:
    """The facts with what the operator said of the network: a place and an operator are replaced as wholes."""
    if overlay.asn is not None:
        facts = structs.replace(facts, asn=overlay.asn, asn_name=overlay.asn_name)
    if not overlay.country and overlay.latitude is None:
        return facts
    return structs.replace(
        facts,
        country=overlay.country,
        region=overlay.region,
        city=overlay.city,
        latitude=overlay.latitude,
        longitude=overlay.longitude,
        accuracy_km=overlay.accuracy_km,
    )
