"""What is known of an address, an ASN, a device, a fingerprint or a country apart from its sign-ins, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from risk_scorer.contract.ja4 import parse
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.facts import FingerprintFacts, IpFacts

Facts = tuple[tuple[str, str], ...]
"""Each a heading and its words; what is not known is left out."""
KINDS_OF_NETWORK: Final = {
    "residential": "homes",
    "hosting": "a hosting company",
    "vpn": "a VPN",
    "tor": "Tor",
    "reserved": "reserved, reached by nobody from outside",
}
TRANSPORTS: Final = {"t": "TLS over TCP", "q": "QUIC", "d": "DTLS"}


def network_facts(facts: IpFacts) -> Facts:
    """Of an address, or of the first one of its network."""
    kind = KINDS_OF_NETWORK.get(facts.kind, "")
    place = ", ".join(part for part in (facts.city, facts.region, facts.country) if part)
    within = f" (within {facts.accuracy_km:.0f} km)" if place and facts.accuracy_km else ""
    return _known(
        ("Operator", f"AS{facts.asn} {facts.asn_name}".strip() if facts.asn else ""),
        ("Network of", kind),
        ("Place", place + within),
        ("Reputation", f"{facts.reputation:.0f} of 100 held against it"),
        ("Block list", "on one" if facts.is_listed else "on none that is loaded"),
    )


def operator_facts(asn: str, rows: Sequence[SignIn], facts: IpFacts) -> Facts:
    """Of an autonomous system, by its newest sign-in and that one's network."""
    name = next((row.asn_name for row in rows if row.asn_name), "")
    kind = KINDS_OF_NETWORK.get(facts.kind, "")
    return _known(("Number", f"AS{asn}"), ("Name", name), ("Its newest network is of", kind))


def fingerprint_facts(ja4: str, facts: FingerprintFacts) -> Facts:
    """The parts of a JA4, and whose it is known to be."""
    parts = parse(ja4)
    if parts is None:
        return (("Form", "not that of a JA4: it says nothing by itself"),)
    known = f"{facts.client}{', as malware alone' if facts.is_malicious else ''}" if facts.client else "nobody we know"
    return _known(
        ("Known for", known),
        ("Connection", f"{TRANSPORTS[parts.transport]}, version {parts.tls_version}"),
        ("Server name", "sent" if parts.has_server_name else "not sent: connected to an address"),
        ("Offered", f"{parts.ciphers} ciphers, {parts.extensions} extensions"),
        ("First protocol (ALPN)", "none" if parts.alpn == "00" else parts.alpn),
        ("Ciphers", parts.cipher_hash),
        ("Extensions", parts.extension_hash),
    )


def device_facts(rows: Sequence[SignIn]) -> Facts:
    """Of a device, by what its newest sign-in said."""
    newest = rows[0] if rows else None
    said = "" if newest is None else " on ".join(part for part in (newest.browser, newest.os) if part)
    return _known(("Last seen as", said))


def country_facts(rows: Sequence[SignIn]) -> Facts:
    """Of a country, by its rows."""
    cities = dict.fromkeys(row.city for row in rows if row.city)
    return _known(("Latest cities", ", ".join(list(cities)[:8])))


def _known(*facts: tuple[str, str]) -> Facts:
    return tuple((heading, words) for heading, words in facts if words)
