"""What a load balancer writes before the first byte of a connection that it passes on: the PROXY protocol, version 1
(a line) and 2 (binary). Bytes in, values out.

Source: HAProxy's "The PROXY protocol, versions 1 & 2".
"""

import re
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
LONGEST_LINE: Final = 107
"""Version 1 with its line end; section 2.1."""
MOST_BYTES: Final = 4096
"""What version 2 may carry after its head; addresses and the name in a certificate take a few hundred."""
CRC32C, TLS = 0x03, 0x20
CLIENT_SPEAKS_TLS: Final = 0x01

_LINE = re.compile(rb"PROXY (TCP4|TCP6) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n")
_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [\x20-\x7e]*)?\r\n")
_HEAD = struct.Struct("!12sBBH")
# Family and transport → size of one address; 0 where there is none that we could use (a local socket's path).
_FAMILIES: Final = {0x00: 0, 0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16, 0x31: 0, 0x32: 0}
_UNIX_BYTES: Final = 216


class BadPreamble(Exception):
    """What came is no preamble, or contradicts itself; the connection is not to be used."""


class Preamble(NamedTuple):
    """What the balancer told: `client` is None where it speaks for itself (a health check) or does not know."""

    size: int
    client: tuple[str, int] | None = None
    is_tls: bool = False


def read_preamble(data: bytes) -> Preamble | None:
    """The preamble at the beginning of `data`, or None while more must come. Raises: BadPreamble, as early as can be
    told."""
    if data[:1] == SIGNATURE[:1]:
        return _binary(data)
    if data[:6] != b"PROXY "[: len(data)]:
        raise BadPreamble
    end = data.find(b"\n", 0, LONGEST_LINE) + 1
    if end == 0:
        if len(data) >= LONGEST_LINE:
            raise BadPreamble
        return None
    return _line(data[:end])


def _line(line: bytes) -> Preamble:
    if _UNKNOWN.fullmatch(line):
        return Preamble(len(line))
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadPreamble
    version = 4 if found[1] == b"TCP4" else 6
    try:
        source, destination = ip_address(found[2].decode()), ip_address(found[3].decode())
    except ValueError:
        raise BadPreamble from None
    port = int(found[4])
    if source.version != version or destination.version != version or max(port, int(found[5])) > 65535:
        raise BadPreamble
    return Preamble(len(line), (_shown(source), port))


def _binary(data: bytes) -> Preamble | None:
    if data[:12] != SIGNATURE[: len(data)]:
        raise BadPreamble
    if len(data) < _HEAD.size:
        return None
    _, command, family, length = _HEAD.unpack_from(data)
    if command not in (0x20, 0x21) or family not in _FAMILIES or length > MOST_BYTES:
        raise BadPreamble
    size = _HEAD.size + length
    if len(data) < size:
        return None
    if command == 0x20 or family == 0x00:  # LOCAL, or not known: whatever follows is to be skipped
        return Preamble(size)
    width = _FAMILIES[family]
    addresses = 2 * width + 4 if width else _UNIX_BYTES
    if length < addresses:
        raise BadPreamble
    is_tls = _tells_tls(data[:size], _HEAD.size + addresses)
    if not width:
        return Preamble(size, None, is_tls)
    raw = data[_HEAD.size : _HEAD.size + width]
    (port,) = struct.unpack_from("!H", data, _HEAD.size + 2 * width)
    return Preamble(size, (_shown(IPv4Address(raw) if width == 4 else IPv6Address(raw)), port), is_tls)


def _shown(address: IPv4Address | IPv6Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _tells_tls(preamble: bytes, start: int) -> bool:
    """Whether the client spoke TLS to the balancer. A checksum that does not fit spoils everything (section 2.2.3)."""
    is_tls = False
    for kind, begin, end in _values(preamble, start):
        if kind == TLS:
            if end - begin < 5:
                raise BadPreamble
            for _ in _values(preamble[:end], begin + 5):  # version, name in the certificate, cipher: well-formed
                pass
            is_tls = bool(preamble[begin] & CLIENT_SPEAKS_TLS)
        if kind == CRC32C and not _is_intact(preamble, begin, end):
            raise BadPreamble
    return is_tls


def _is_intact(preamble: bytes, begin: int, end: int) -> bool:
    told = preamble[begin:end]
    return len(told) == 4 and crc32c(preamble[:begin] + bytes(4) + preamble[end:]) == int.from_bytes(told)


def _values(data: bytes, start: int) -> list[tuple[int, int, int]]:
    """Each type-length-value: its type, where its value begins and ends. They fill their place to the last byte."""
    found = []
    while start < len(data):
        if start + 3 > len(data):
            raise BadPreamble
        kind, length = data[start], int.from_bytes(data[start + 1 : start + 3])
        begin, start = start + 3, start + 3 + length
        if start > len(data):
            raise BadPreamble
        found.append((kind, begin, start))
    return found


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum. Source: RFC 9260, appendix A, reflected polynomial 0x82F63B78."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum ^= byte
        for _ in range(8):
            checksum = (checksum >> 1) ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF
