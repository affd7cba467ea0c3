"""The form of a JA4 (TLS client) fingerprint, and its parts. JA4H and JA4S have none here: they are opaque strings."""

import re
from typing import NamedTuple

JA4 = re.compile(
    r"(?P<transport>[tqd])(?P<version>13|12|11|10|s3|s2|d1|d2|d3|00)(?P<name>[di])"
    r"(?P<ciphers>[0-9]{2})(?P<extensions>[0-9]{2})(?P<alpn>[0-9A-Za-z]{2})"
    r"_(?P<cipher_hash>[0-9a-f]{12})_(?P<extension_hash>[0-9a-f]{12})"
)
"""Source: FoxIO, JA4 technical details, "JA4: TLS Client Fingerprint" (BSD-3-Clause)."""
NOTHING_HASHED = "000000000000"
LONGEST_JA4 = 36
TLS_VERSIONS = {
    "13": "1.3", "12": "1.2", "11": "1.1", "10": "1.0", "s3": "ssl3", "s2": "ssl2",
    "d1": "dtls1.0", "d2": "dtls1.2", "d3": "dtls1.3", "00": "unknown",
}  # fmt: skip


class Ja4(NamedTuple):
    """The parts of a well-formed JA4."""

    transport: str
    tls_version: str
    has_server_name: bool
    ciphers: int
    extensions: int
    alpn: str
    cipher_hash: str
    extension_hash: str


def parse(text: str) -> Ja4 | None:
    """The parts of a JA4, or None when the text is not one: wrong form, or parts that no hello can have together."""
    found = JA4.fullmatch(text) if len(text) == LONGEST_JA4 else None
    if found is None:
        return None
    transport, version, ciphers = found["transport"], found["version"], int(found["ciphers"])
    if version != "00" and (transport == "d") != version.startswith("d"):
        return None
    if transport == "q" and version not in ("13", "00"):  # RFC 9001, section 4.2: QUIC needs TLS 1.3
        return None
    if (ciphers == 0) != (found["cipher_hash"] == NOTHING_HASHED):
        return None
    return Ja4(
        transport=transport,
        tls_version=TLS_VERSIONS[version],
        has_server_name=found["name"] == "d",
        ciphers=ciphers,
        extensions=int(found["extensions"]),
        alpn=found["alpn"],
        cipher_hash=found["cipher_hash"],
        extension_hash=found["extension_hash"],
    )
