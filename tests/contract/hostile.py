"""Hostile requests as raw bytes, seeded: what a stranger, a broken client or a fuzzer sends."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

CANARY_PASSWORD = "Canary-Passw0rd-7f3a"
CANARY_TOKEN = "canary-token-51c9e0d2b7"

NAUGHTY = (
    "\x00", "a\x00b", "\ufeff", "\u202egnp.exe", "﷽" * 50, "Ω≈ç√∫˜µ≤≥÷", "' OR 1=1 --", "<script>alert(1)</script>",
    "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd", "%00", "\r\nset-cookie: a=b", "=cmd|' /C calc'!A0", "𝒜𝓁𝒾𝒸𝑒",
    "ＡＬＩＣＥ", "\ud7ff", "\uffff", "🏴‍☠️" * 200, "a" * 100_000, "-0", "1e999", "NaN", "null", "true", " ", "",
    "\x1b[2J", "\u0000\u0001", "İ", "ß", "ﬁ", "A\u030a",
)  # fmt: skip
ODD_VALUES = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64,
    -(2**70),
    1.5,
    1e308,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    [1, "2", None],
)
BROKEN_JSON = (
    b"", b"{", b"}", b"[", b"nul", b'{"a":', b'{"a":1,}', b"{'a':1}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}',
    b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'"just text"', b"12", b"[]", b"{}", b"[[]]", b"null",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"a":"\xff\xfe"}', b'{"a":"\xc0\xaf"}', b"\x00" * 64, b"[" * 100_000, b'{"a":' * 50_000,
    b'{"a":1,"a":2}', b"{}{}", b"/* */{}", b'{"a":0x10}', b'{"a":01}', b"\x1f\x8b\x08\x00junk",
    b'{"a":' + b"9" * 5000 + b"}",
)  # fmt: skip
ODD_HEADERS = (
    b"content-type: text/plain", b"content-type: application/json; charset=utf-7", b"content-type: multipart/form-data",
    b"content-type: application/x-www-form-urlencoded", b"content-type: \xff\xfe", b"content-encoding: gzip",
    b"authorization: Bearer", b"authorization: Bearer \xff\xfe\x80", b"authorization: Basic !!!!",
    b"authorization: Basic YQ==", b"authorization: Basic \xc3\xbc", b"authorization: Bearer " + b"A" * 7000,
    b"cookie: riskgate_operator=\x80\x81; a=\"", b"cookie: " + b"a=b; " * 900, b"x-forwarded-for: 127.0.0.1, ::1, \xff",
    b"x-forwarded-for: 999.1.1.1", b"user-agent: \xf0\x28\x8c\x28", b"user-agent: " + b"M" * 6000, b"accept: \xff/*",
    b"x-ja4: ' OR 1=1", b"expect: 100-continue", b"if-none-match: \xff", b"range: bytes=0-", b"host: \xff\xfe",
)  # fmt: skip


@dataclass(frozen=True)
class Endpoint:
    """One door: how a proper request to it looks."""

    method: str
    path: str
    fields: dict[str, object]
    authorization: str = ""
    is_form: bool = False


def wire(method: str, path: bytes, body: bytes, *extra: bytes, content_type: bytes = b"application/json") -> bytes:
    """A request as it is sent; `extra` headers come last, so that they may repeat an earlier one."""
    lines = [method.encode() + b" " + path + b" HTTP/1.1", b"host: 127.0.0.1", b"connection: close"]
    if not any(line.lower().startswith(b"content-type:") for line in extra):
        lines.append(b"content-type: " + content_type)
    lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, *(line for line in extra if line), b"", b""]) + body


def hostile_requests(endpoint: Endpoint, count: int, seed: int) -> Iterator[bytes]:
    """`count` requests against one endpoint, the same for the same seed; about every sixth is nearly proper."""
    chance = random.Random(seed)
    makers = (_broken_body, _odd_field, _naughty_field, _odd_header, _odd_path, _odd_size)
    for number in range(count):
        yield makers[number % len(makers)](endpoint, chance)


def _credential(endpoint: Endpoint) -> bytes:
    return f"authorization: {endpoint.authorization}".encode() if endpoint.authorization else b""


def _send(endpoint: Endpoint, fields: object) -> bytes:
    body = json.dumps(fields).encode("utf-8", "surrogatepass")
    return wire(endpoint.method, endpoint.path.encode(), body, _credential(endpoint))


def _broken_body(endpoint: Endpoint, chance: random.Random) -> bytes:
    return wire(endpoint.method, endpoint.path.encode(), chance.choice(BROKEN_JSON), _credential(endpoint))


def _odd_field(endpoint: Endpoint, chance: random.Random) -> bytes:
    fields = dict(endpoint.fields)
    for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 3))):
        fields[name] = chance.choice(ODD_VALUES)
    return _send(endpoint, [fields] if chance.random() < 0.2 else fields)


def _naughty_field(endpoint: Endpoint, chance: random.Random) -> bytes:
    fields = dict(endpoint.fields)
    for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 2))):
        fields[name] = chance.choice(NAUGHTY)
    fields[chance.choice(NAUGHTY)[:200]] = chance.choice(NAUGHTY)
    return _send(endpoint, fields)


def _odd_header(endpoint: Endpoint, chance: random.Random) -> bytes:
    body = json.dumps(endpoint.fields).encode()
    extra = chance.sample(ODD_HEADERS, chance.randint(1, 2))
    return wire(endpoint.method, endpoint.path.encode(), body, _credential(endpoint), *extra)


def _odd_path(endpoint: Endpoint, chance: random.Random) -> bytes:
    path = endpoint.path.encode() + chance.choice(
        (b"?limit=abc", b"?limit=-1", b"?limit=99999999999999999999", b"?" + b"a" * 4000, b"/", b"%00", b"%ff",
         b"?%ff=%fe", b"/..%2f..", b"?limit=1&limit=2", b";a=b", b"?token=" + CANARY_TOKEN.encode(), b"?limit=%00"),
    )  # fmt: skip
    method = chance.choice((endpoint.method, "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "PATCH", "BREW"))
    return wire(method, path, json.dumps(endpoint.fields).encode(), _credential(endpoint))


def _odd_size(endpoint: Endpoint, chance: random.Random) -> bytes:
    filler = {**endpoint.fields, "filler": "x" * chance.choice((10_000, 70_000, 1_100_000))}
    kind = chance.randint(0, 3)
    if kind == 0:
        return _send(endpoint, filler)
    if kind == 1:
        return _send(endpoint, [endpoint.fields] * chance.choice((2, 50, 400)))
    if kind == 2:
        text = "&".join(f"{name}={value}" for name, value in endpoint.fields.items()) + "&grant_type=%ff&%00=%"
        form = b"application/x-www-form-urlencoded"
        return wire(endpoint.method, endpoint.path.encode(), text.encode(), _credential(endpoint), content_type=form)
    body = json.dumps(endpoint.fields).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in body[:40]) + b"zz\r\n"
    first = f"{endpoint.method} {endpoint.path} HTTP/1.1\r\n".encode()
    return first + b"host: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunks
