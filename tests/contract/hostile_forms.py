"""Hostile forms, queries and headers as raw bytes, seeded: `hostile` speaks JSON, the provider's doors take forms."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from tests.contract.hostile import NAUGHTY, ODD_HEADERS, wire

FORM = b"application/x-www-form-urlencoded"
BROKEN_FORMS = (
    b"", b"&", b"=", b"&&&===", b"a", b"%", b"%zz=%zz", b"a=%ff%fe", b"a=\xff\xfe", b"a=%00", b"%00=a", b"a=%ED%A0%80",
    b"a=1&a=2", b"a;b;c", b"\x00" * 64, b"a=" + b"b" * 100_000, b"a=1&" * 20_000, b"a[]=1&a[b]=2", b"{}",
    b"\xef\xbb\xbfa=1",
    b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n", b"+=+", b"a=%F0%9F%92%A9", b"%61=%61" * 400,
)  # fmt: skip
PROVIDER_HEADERS = (
    b"dpop: ", b"dpop: a.b.c", b"dpop: a, b", b"dpop: eyJhbGciOiJub25lIn0.e30.", b"dpop: \xff\xfe",
    b"dpop: " + b"A" * 7000, b"dpop: eyJhbGciOiJFUzI1NiIsInR5cCI6ImRwb3Arand0IiwiandrIjp7fX0.e30.AAAA",
    b"dpop: eyJhbGciOiJFUzI1NiIsImp3ayI6eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6Ii0iLCJ5IjoiLSJ9fQ.e30.AAAA",
    b"authorization: DPoP", b"authorization: DPoP a.b.c", b"authorization: Bearer a.b.c", b"authorization: Basic Og==",
    b"authorization: Bearer eyJhbGciOiJub25lIn0.e30.", b"authorization: Basic JTAwOiUwMA==",
    b"authorization: Basic " + b"QUE6" * 900,
    b"authorization: Basic JUVEJUEwJTgwOmE=", b"origin: null", b"origin: https://evil.example", b"origin: \xff",
    b"sec-fetch-site: cross-site", b"sec-fetch-site: \xff", b"cookie: session=" + b"A" * 43,
    b"cookie: session=\xff; sign-in=\"",
    b"cookie: session=a; session=b; sign-in=a; sign-in=b", b"cookie: sign-in=" + b"A" * 5000, b"accept-language: \xff",
)  # fmt: skip
ODD_JWTS = (
    "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA",
    "W10.W10.AAAA", "eyJhbGciOlsxXX0.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImtpZCI6MX0.e30.AAAA", "A" * 8000 + ".e30.AAAA",
    "W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tb.e30.AAAA", "eyJhbGciOiJFUzI1NiJ9." + "W1tb" * 1500 + ".AAAA", "é.é.é",
)  # fmt: skip
ODD_TEXTS = (
    '{"id_token":', '{"id_token":{"acr":{"essential":"yes","values":"x"}}}', "[" * 5000, "-1", "0x10", "1e400",
    "openid " * 900, "http://[::1", "http://user@evil.example:99999/", "javascript:alert(1)", "none login",
    "urn:ietf:params:oauth:request_uri:x", "aal2 aal1 aal99", "S256", "plain", "code", "token id_token", "BCDF-GHJK",
    "99999999999999999999",
)  # fmt: skip


@dataclass(frozen=True)
class Door:
    """One address: how a proper request to it looks; `headers` are always sent."""

    method: str
    path: str
    fields: dict[str, str]
    headers: tuple[str, ...] = ()


def hostile_forms(door: Door, count: int, seed: int) -> Iterator[bytes]:
    """`count` requests against one door, the same for the same seed."""
    chance = random.Random(seed)
    makers = (_odd_fields, _broken_form, _odd_headers, _missing_and_doubled, _odd_place, _long)
    for number in range(count):
        yield makers[number % len(makers)](door, chance)


def _send(door: Door, pairs: list[tuple[str, str]], *extra: bytes, body: bytes | None = None) -> bytes:
    """As the query of a GET or the body of a POST."""
    text = "&".join(
        f"{quote_plus(name, errors='replace')}={quote_plus(value, errors='replace')}" for name, value in pairs
    )
    sent = text.encode() if body is None else body
    headers = [line.encode() for line in door.headers]
    if door.method == "GET":
        # A request line must stay one line; what a query cannot carry raw goes escaped.
        query = b"".join(bytes([byte]) if 0x21 <= byte < 0x7F else b"%%%02X" % byte for byte in sent[:6000])
        return wire("GET", f"{door.path}?".encode() + query, b"", *headers, *extra)
    return wire(door.method, door.path.encode(), sent, *headers, *extra, content_type=FORM)


def _odd_fields(door: Door, chance: random.Random) -> bytes:
    fields = dict(door.fields)
    for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 2))):
        fields[name] = chance.choice(chance.choice((NAUGHTY, ODD_JWTS, ODD_TEXTS)))
    return _send(door, list(fields.items()))


def _broken_form(door: Door, chance: random.Random) -> bytes:
    return _send(door, [], body=chance.choice(BROKEN_FORMS))


def _odd_headers(door: Door, chance: random.Random) -> bytes:
    extra = chance.sample(PROVIDER_HEADERS + ODD_HEADERS, chance.randint(1, 2))
    return _send(door, list(door.fields.items()), *extra)


def _missing_and_doubled(door: Door, chance: random.Random) -> bytes:
    pairs = [pair for pair in door.fields.items() if chance.random() < 0.8]
    doubled = [pair for pair in pairs if chance.random() < 0.3]
    return _send(door, [*pairs, *doubled, ("unheard_of", chance.choice(NAUGHTY)[:500])])


def _odd_place(door: Door, chance: random.Random) -> bytes:
    """The fields where they do not belong, or another method."""
    query = urlencode(door.fields).encode()
    if chance.random() < 0.5:
        other = chance.choice(("PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "GET", "POST"))
        return wire(other, door.path.encode() + b"?" + query, query, content_type=FORM)
    tail = chance.choice(
        (b"/", b"%00", b"/..", b";a=b", b"?%ff=%fe&" + query, b"?" + b"a=b&" * 1000, b"//", b"?request=a.b.c")
    )
    return wire(
        door.method, door.path.encode() + tail, query, *(line.encode() for line in door.headers), content_type=FORM
    )


def _long(door: Door, chance: random.Random) -> bytes:
    filler = "x" * chance.choice((3_000, 10_000, 70_000, 1_100_000))
    names = sorted(door.fields) or ["a"]
    return _send(door, [*door.fields.items(), (chance.choice(names), filler)])
