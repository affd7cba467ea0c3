"""What a load balancer writes before a connection: both versions, cut anywhere, lying, and garbage."""

import random
import struct
from ipaddress import ip_address

import pytest

from plumbing.proxy_preamble import (
    LONGEST_LINE,
    MOST_BYTES,
    SIGNATURE,
    BadPreamble,
    Preamble,
    crc32c,
    read_preamble,
)

V4 = ip_address("203.0.113.5").packed + ip_address("10.0.0.1").packed + struct.pack("!HH", 4711, 443)
V6 = ip_address("2001:db8::5").packed + ip_address("fd00::1").packed + struct.pack("!HH", 4711, 443)


def binary(addresses: bytes = V4, values: bytes = b"", *, command: int = 0x21, family: int = 0x11) -> bytes:
    body = addresses + values
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def value(kind: int, data: bytes) -> bytes:
    return struct.pack("!BH", kind, len(data)) + data


def tls(client: int = 1, inner: bytes = value(0x21, b"TLSv1.3") + value(0x22, b"example")) -> bytes:
    return value(0x20, bytes([client]) + bytes(4) + inner)


def with_checksum(*, damaged: bool = False) -> bytes:
    empty = binary(V4, value(0x03, bytes(4)))
    right = crc32c(empty) ^ damaged
    return empty[:-4] + right.to_bytes(4)


GOOD = {
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n": (("203.0.113.5", 4711), False),
    b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n": (("255.255.255.255", 65535), False),
    b"PROXY TCP4 203.0.113.5 10.0.0.1 0 0\r\n": (("203.0.113.5", 0), False),
    b"PROXY TCP6 2001:DB8:0::5 fd00::1 4711 443\r\n": (("2001:db8::5", 4711), False),
    b"PROXY TCP6 ::ffff:203.0.113.5 fd00::1 4711 443\r\n": (("203.0.113.5", 4711), False),
    b"PROXY TCP6 " + b"ffff:" * 7 + b"ffff " + b"ffff:" * 7 + b"ffff 65535 65535\r\n": (
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
        False,
    ),
    b"PROXY UNKNOWN\r\n": (None, False),
    b"PROXY UNKNOWN 203.0.113.5 10.0.0.1 4711 443\r\n": (None, False),
    binary(): (("203.0.113.5", 4711), False),
    binary(V6, family=0x21): (("2001:db8::5", 4711), False),
    binary(family=0x12): (("203.0.113.5", 4711), False),  # QUIC
    binary(V6, family=0x22): (("2001:db8::5", 4711), False),
    binary(V4, value(0x04, b"\0\0\0") + value(0xEA, b"vpce-1")): (("203.0.113.5", 4711), False),
    binary(V4, tls()): (("203.0.113.5", 4711), True),
    binary(V4, tls(client=7)): (("203.0.113.5", 4711), True),
    binary(V4, tls(client=6)): (("203.0.113.5", 4711), False),
    binary(V4, tls(inner=b"")): (("203.0.113.5", 4711), True),
    with_checksum(): (("203.0.113.5", 4711), False),
    binary(bytes(216), family=0x31): (None, False),
    binary(bytes(216), tls(), family=0x32): (None, True),
    binary(b"", command=0x20, family=0x00): (None, False),
    binary(b"junk that is to be skipped", command=0x20, family=0x11): (None, False),
    binary(b"", family=0x00): (None, False),
    binary(V4, value(0x04, bytes(MOST_BYTES - len(V4) - 3))): (("203.0.113.5", 4711), False),
}
BAD = [
    b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"proxy TCP4 203.0.113.5 10.0.0.1 4711 443\r\n",
    b"PROXY  TCP4 203.0.113.5 10.0.0.1 4711 443\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443 \r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443 1\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 65536 443\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 65536\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 04711 443\r\n",
    b"PROXY TCP4 203.0.113.5 10.0.0.1 -1 443\r\n",
    b"PROXY TCP4 203.00.113.5 10.0.0.1 4711 443\r\n",
    b"PROXY TCP4 203.0.113.256 10.0.0.1 4711 443\r\n",
    b"PROXY TCP4 2001:db8::5 fd00::1 4711 443\r\n",
    b"PROXY TCP6 203.0.113.5 10.0.0.1 4711 443\r\n",
    b"PROXY TCP6 2001:db8::5 10.0.0.1 4711 443\r\n",
    b"PROXY TCP6 fe80::1%eth0 fd00::1 4711 443\r\n",
    b"PROXY UDP4 203.0.113.5 10.0.0.1 4711 443\r\n",
    b"PROXY UNKNOWN\x00\r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY \r\n",
    b"PROXY " + b"x" * (LONGEST_LINE - 6),
    b"PROXY UNKNOWN " + b"x" * LONGEST_LINE + b"\r\n",
    binary(command=0x22),
    binary(command=0x11),
    binary(command=0x31),
    binary(family=0x13),
    binary(family=0x41),
    binary(family=0xFF),
    binary(V4[:-1]),
    binary(V4, family=0x21),
    binary(bytes(215), family=0x31),
    binary(V4, b"\x04"),
    binary(V4, b"\x04\x00"),
    binary(V4, b"\x04\x00\x01"),
    binary(V4, b"\x04\xff\xff" + bytes(9)),
    binary(V4, value(0x20, b"\x01\0\0\0")),
    binary(V4, tls(inner=b"\x21\x00\x09TLSv1.3")),
    binary(V4, tls(inner=b"\x21")),
    binary(V4, value(0x03, bytes(3))),
    with_checksum(damaged=True),
    SIGNATURE + struct.pack("!BBH", 0x21, 0x11, MOST_BYTES + 1),
    SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 0xFFFF),
    SIGNATURE[:-1] + b"x",
    b"\r\nGET",
]


def shown(data: object) -> str:
    return repr(data)[:60]


@pytest.mark.parametrize(("data", "expected"), GOOD.items(), ids=shown)
def test_a_preamble_tells_the_client(data: bytes, expected: tuple[tuple[str, int] | None, bool]) -> None:
    """Its size too: the next byte is the client's own. Cut anywhere, it waits for the rest."""
    client, is_tls = expected
    assert read_preamble(data + b"GET /") == Preamble(len(data), client, is_tls)
    assert [read_preamble(data[:end]) for end in range(1, len(data))] == [None] * (len(data) - 1)


@pytest.mark.parametrize("data", BAD, ids=shown)
def test_what_is_no_preamble_is_refused(data: bytes) -> None:
    """No guess, whatever is wrong with it."""
    with pytest.raises(BadPreamble):
        read_preamble(data)


@pytest.mark.parametrize("data", [b"G", b"PRO ", b"PROXYT", b"\r\nx", SIGNATURE + b"\x22\x11\0\0"])
def test_what_can_be_no_preamble_any_more_is_refused_at_once(data: bytes) -> None:
    """Nobody holds a connection open by the beginning of something else."""
    with pytest.raises(BadPreamble):
        read_preamble(data)


def test_the_checksum_is_castagnolis() -> None:
    """The check value that is published with the polynomial."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4


def test_damage_is_refused_or_told_and_never_crashes(is_long: bool) -> None:
    """Every byte of a preamble with all kinds of values, changed: a value, a wait or a refusal."""
    chance, whole = random.Random(7), binary(V4, tls() + value(0x04, b"xyz"))
    for _ in range(100_000 if is_long else 3_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = read_preamble(bytes(data))
        except BadPreamble:
            continue
        assert found is None or (found.client is None or str(ip_address(found.client[0])) == found.client[0])
