"""Forged tokens by name: what attackers have sent to servers like ours, made from one genuine token of each kind.

A forgery never is what it claims: its signature, its key, its type or a claim is wrong. What a *mint* makes unchanged
is genuine, so that a test can show that only the forgery is refused. Which kinds there are is `mints`.
"""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ABSENT = object()
"""A changed member that is left out."""
# The order of P-256 (FIPS 186-4, appendix D.1.2.3).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

ATTACKER = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "RS256": RSAKey.generate_key(2048),
    "PS256": RSAKey.generate_key(2048),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}
TRAPS: Mapping[str, object] = {
    "crit-exp": {"crit": ["exp"], "exp": 1},
    "crit-unknown": {"crit": ["http://example.com/x"], "http://example.com/x": True},
    "crit-empty": {"crit": []},
    "crit-number": {"crit": 7},
    "b64-false": {"b64": False, "crit": ["b64"]},
    "b64-false-not-critical": {"b64": False},
    "b64-true": {"b64": True, "crit": ["b64"]},
    "jku": {"jku": "https://attacker.example/keys"},
    "x5u": {"x5u": "http://169.254.169.254/latest"},
    "x5c": {"x5c": ["MIIB"]},
    "x5t": {"x5t": "AAAA"},
    "x5t-s256": {"x5t#S256": "AAAA"},
}
TYPES = ("JOSE", "jwt ", "at+jwt\n", "logout+jwt", "id_token+jwt", "secevent+jwt", "", None, 1, ["at+jwt"], {"a": 1})
PAYLOADS: Mapping[str, bytes] = {
    "empty": b"", "empty-object": b"{}", "array": b"[]", "string": b'"x"', "number": b"1", "null": b"null",
    "broken": b'{"iss":', "not-utf8": b'{"iss":"\xff\xfe"}', "nan": b'{"exp":NaN}', "bom": b"\xef\xbb\xbf{}",
    "deep": b'{"a":' * 900 + b"1" + b"}" * 900, "long": b'{"a":"' + b"a" * 9000 + b'"}', "two": b"{}{}",
    "surrogate": b'{"iss":"\\ud800"}', "huge-number": b'{"exp":' + b"9" * 4000 + b"}", "binary": bytes(range(256)),
}  # fmt: skip
HEADERS: Mapping[str, bytes] = {
    "empty": b"", "array": b'["alg"]', "string": b'"alg"', "null": b"null", "broken": b'{"alg":', "number": b"12",
    "not-utf8": b'{"alg":"\xff"}', "empty-object": b"{}", "deep": b'{"alg":' + b"[" * 1400, "binary": bytes(range(64)),
    "long": b'{"alg":"ES256","x":"' + b"a" * 4000 + b'"}', "huge-number": b'{"alg":' + b"9" * 1400 + b"}",
}  # fmt: skip


@dataclass(frozen=True)
class Forgery:
    """One forged token; the name says what was tried."""

    name: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Mint:
    """Makes genuine tokens of one kind, and wrong ones under the same key.

    `wrong_claims` and `wrong_headers` name changes that the receiver must refuse although the signature is right.
    """

    kind: str
    key: Key
    algorithm: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    wrong_claims: Mapping[str, Mapping[str, Any]]
    wrong_headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shows_its_key: bool = False

    def genuine(self, **changed: Any) -> str:
        return self.token({}, changed)

    def token(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        return signed(self.head(header), merged(self.claims, claims), self.key, self.algorithm)

    def head(self, changed: Mapping[str, Any]) -> bytes:
        return merged({"alg": self.algorithm, **self.header}, changed)


def merged(given: Mapping[str, Any], changed: Mapping[str, Any]) -> bytes:
    members = {name: value for name, value in {**given, **changed}.items() if value is not ABSENT}
    return json.dumps(members, separators=(",", ":")).encode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(header: bytes, payload: bytes, key: Key, algorithm: str) -> str:
    """Whatever header and payload are, under a signature that is right for them."""
    signing_input = f"{encoded(header)}.{encoded(payload)}"
    signature = JWSRegistry.algorithms[algorithm].sign(signing_input.encode(), key)
    return f"{signing_input}.{encoded(signature)}"


def forgeries(mint: Mint) -> Iterator[Forgery]:
    """Every forgery of this kind, each under a name of its own."""
    for family in (_shapes, _signatures, _algorithms, _secrets, _headers, _keys, _payloads, _changes):
        for name, token in family(mint):
            yield Forgery(f"{mint.kind}/{family.__name__.strip('_')}/{name}", token)


def _shapes(mint: Mint) -> Iterator[tuple[str, str]]:
    token = mint.genuine()
    head, body, tail = token.split(".")
    yield from {
        "nothing": "", "dots": "..", "one-part": head, "two-parts": f"{head}.{body}", "four-parts": f"{token}.x",
        "five-parts": f"{token}.x.y", "trailing-dot": f"{token}.", "leading-dot": f".{token}",
        "space-after": f"{token} ", "space-before": f" {token}", "newline-after": f"{token}\n",
        "newline-inside": f"{head}.{body}.\n{tail}",
        "padded-header": f"{head}=.{body}.{tail}", "padded-body": f"{head}.{body}==.{tail}",
        "padded-signature": f"{token}==", "plus": f"{head}.{body}.+{tail[1:]}", "slash": f"{head}.{body}./{tail[1:]}",
        "zero-byte": f"{token}\x00", "full-width": f"{head}．{body}．{tail}", "surrogate": f"{token}\ud800",
        "quoted": f'"{token}"', "bearer": f"Bearer {token}", "twice": f"{token},{token}", "percent": f"%65{token[1:]}",
        "flattened": json.dumps({"protected": head, "payload": body, "signature": tail}),
        "general": json.dumps({"payload": body, "signatures": [{"protected": head, "signature": tail}]}),
        "no-header": f".{body}.{tail}", "no-body": f"{head}..{tail}", "upside-down": f"{tail}.{body}.{head}",
    }.items()  # fmt: skip


def _signatures(mint: Mint) -> Iterator[tuple[str, str]]:
    token = mint.genuine()
    front, tail = token.rsplit(".", 1)
    right = decoded(tail)
    other = mint.genuine(jti="another").rsplit(".", 1)[1]
    r, s = int.from_bytes(right[:32], "big"), int.from_bytes(right[32:64], "big")
    wrong = {
        "missing": b"", "one-byte": b"\x00", "zeros": bytes(len(right)), "ones": b"\xff" * len(right),
        "cut": right[:-1], "longer": right + b"\x00", "longer-front": b"\x00" + right, "twice": right + right,
        "halves-swapped": right[32:] + right[:32], "reversed": right[::-1], "der": encode_dss_signature(r, s),
        "r-zero": bytes(32) + right[32:], "s-zero": right[:32] + bytes(32),
        "order": ORDER.to_bytes(32, "big") * 2, "order-and-one": ORDER.to_bytes(32, "big") + (1).to_bytes(32, "big"),
        "one-one": (1).to_bytes(32, "big") * 2, "huge": b"\x01" * 4096,
    }  # fmt: skip
    for name, signature in wrong.items():
        yield name, f"{front}.{encoded(signature)}"
    for place in (0, 15, 31, 32, 47, 63):
        flipped = bytearray(right)
        flipped[place] ^= 1
        yield f"bit-{place}", f"{front}.{encoded(bytes(flipped))}"
    yield "of-another-token", f"{front}.{other}"
    # The last character of 64 or 256 octets has spare bits; a lax decoder reads the same octets from another text.
    yield "spare-bits", f"{front}.{tail[:-1]}{chr(ord(tail[-1]) + 1)}"


def _algorithms(mint: Mint) -> Iterator[tuple[str, str]]:
    body = merged(mint.claims, {})
    tail = mint.genuine().rsplit(".", 1)[1]
    for name in ("none", "None", "NONE", "nOnE", "none ", ""):
        front = f"{encoded(mint.head({'alg': name}))}.{encoded(body)}"
        yield f"{name or 'empty'}-unsigned", f"{front}."
        yield f"{name or 'empty'}-signed", f"{front}.{tail}"
    names = ("ES256K", "ES384", "ES512", "RS384", "PS512", "HS256", "Ed448", "es256", "RSA-OAEP", "dir", "A128KW")
    for odd in (*names, None, 1, True, ["ES256"], {"alg": "ES256"}, ABSENT):
        front = f"{encoded(mint.head({'alg': odd}))}.{encoded(body)}"
        yield f"{'absent' if odd is ABSENT else odd}-kept-signature", f"{front}.{tail}"


def _secrets(mint: Mint) -> Iterator[tuple[str, str]]:
    """The public key taken for a shared secret: whoever looks at `alg` before the key falls for it."""
    public = mint.key.as_dict(private=False)
    secrets = {
        "pem": mint.key.as_pem(private=False), "pem-stripped": mint.key.as_pem(private=False).strip(),
        "der": mint.key.as_der(private=False), "jwk": json.dumps(public).encode(),
        "coordinate": decoded(str(public.get("x", public.get("n")))), "kid": b"kid", "word": b"secret",
        "demo": b"local-dev-secret", "zeros": bytes(32),
    }  # fmt: skip
    body = merged(mint.claims, {})
    for name, secret in secrets.items():
        for bits in (256, 384, 512):
            front = f"{encoded(mint.head({'alg': f'HS{bits}'}))}.{encoded(body)}"
            mac = hmac.digest(secret, front.encode(), f"sha{bits}")
            yield f"HS{bits}-{name}", f"{front}.{encoded(mac)}"


def _headers(mint: Mint) -> Iterator[tuple[str, str]]:
    body = merged(mint.claims, {})
    for name, trap in TRAPS.items():
        yield name, mint.token(trap, {})
    for odd in TYPES:
        yield f"typ-{json.dumps(odd)}", mint.token({"typ": odd}, {})
    for name, raw in HEADERS.items():
        yield f"raw-{name}", signed(raw, body, mint.key, mint.algorithm)
    for name, change in mint.wrong_headers.items():
        yield name, mint.token(change, {})


def _keys(mint: Mint) -> Iterator[tuple[str, str]]:
    """Signed by somebody else, under our key's name, under their own, and with their own key shown."""
    body = merged(mint.claims, {})
    for algorithm, key in ATTACKER.items():
        header = mint.head({"alg": algorithm})
        yield f"{algorithm}-under-our-name", signed(header, body, key, algorithm)
        if mint.shows_its_key:
            continue
        shown = {"jwk": key.as_dict(private=False)}
        for name, change in {"shown": shown, "shown-unnamed": {**shown, "kid": ABSENT}}.items():
            yield f"{algorithm}-{name}", signed(mint.head({"alg": algorithm, **change}), body, key, algorithm)
    if mint.shows_its_key:
        return
    for kid in ("", "unknown", "../../../dev/null", "' OR 1=1 --", "0", "x" * 900, "\u0000", "é", None, 0, ["a"], {}):
        yield f"kid-{json.dumps(kid)[:20]}", mint.token({"kid": kid}, {})


def _payloads(mint: Mint) -> Iterator[tuple[str, str]]:
    front = mint.genuine().split(".")[0]
    tail = mint.genuine().rsplit(".", 1)[1]
    for name, raw in PAYLOADS.items():
        yield name, signed(mint.head({}), raw, mint.key, mint.algorithm)
    for name, change in {"admin": {"sub": "admin"}, "later": {"exp": 9_999_999_999}, "wider": {"scope": "*"}}.items():
        yield f"{name}-kept-signature", f"{front}.{encoded(merged(mint.claims, change))}.{tail}"


def _changes(mint: Mint) -> Iterator[tuple[str, str]]:
    for name, change in mint.wrong_claims.items():
        yield name, mint.token({}, change)
