"""The kinds of tokens that come to us, each with the claims that are wrong although somebody signed them rightly."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import Key

from tests.contract.bad_keys import bad_keys
from tests.contract.forged_tokens import ABSENT, Mint

_ODD_NUMBERS: Mapping[str, Any] = {"null": None, "text": "1", "true": True, "list": [1], "object": {}}


def access_mint(key: Key, *, kid: str, issuer: str, now: float, **claims: Any) -> Mint:
    """A person's access token under one of our own keys."""
    at = int(now)
    return Mint(
        kind="access",
        key=key,
        algorithm="ES256",
        header={"typ": "at+jwt", "kid": kid},
        claims={
            "iss": issuer,
            "sub": "id-alice",
            "aud": "iam-clients",
            "exp": at + 900,
            "iat": at,
            "jti": "jti-1",
            "client_id": "shop",
            "scope": "openid",
            "sid": "sid-1",
            "auth_time": at,
            "acr": "aal1",
            "amr": ["pwd"],
            **claims,
        },
        wrong_claims={
            **_texts("iss", issuer),
            **_texts("sub"),
            **_texts("aud"),
            **_texts("jti"),
            **_texts("client_id"),
            **_numbers("exp"),
            **_numbers("iat"),
            **_issuers(issuer),
            "scope-list": {"scope": ["openid"]},
            "scope-absent": {"scope": ABSENT},
            "expired-now": {"exp": at},
            "expired": {"exp": at - 1},
            "exp-fraction": {"exp": now + 900.5},
            "from-tomorrow": {"iat": at + 86_400},
            "sid-absent": {"sid": ABSENT},
            "sid-empty": {"sid": ""},
            "auth-time-absent": {"auth_time": ABSENT},
            "acr-absent": {"acr": ABSENT},
            "amr-absent": {"amr": ABSENT},
            "amr-text": {"amr": "pwd"},
            "cnf-text": {"cnf": "x"},
            "cnf-empty": {"cnf": {}},
            "cnf-number": {"cnf": {"jkt": 1}},
            "aud-list": {"aud": ["iam-clients"]},
        },
        wrong_headers={
            "as-id-token": {"typ": "JWT"},
            "as-proof": {"typ": "dpop+jwt"},
            "long-type": {"typ": "application/at+jwt"},
            "upper-type": {"typ": "AT+JWT"},
            "typ-absent": {"typ": ABSENT},
            "kid-absent": {"kid": ABSENT},
            "unknown-member": {"zip": "DEF"},
            "nested": {"cty": "JWT"},
        },
    )


def hint_mint(key: Key, *, kid: str, issuer: str, now: float, algorithm: str = "ES256", **claims: Any) -> Mint:
    """An ID token under one of our own keys, as it comes back at sign-in and sign-out. It may have expired."""
    at = int(now)
    return Mint(
        kind="hint",
        key=key,
        algorithm=algorithm,
        header={"typ": "JWT", "kid": kid},
        claims={
            "iss": issuer,
            "sub": "id-alice",
            "aud": "shop",
            "azp": "shop",
            "exp": at - 5,
            "iat": at - 305,
            "auth_time": at - 305,
            "acr": "aal1",
            "amr": ["pwd"],
            "sid": "sid-1",
            **claims,
        },
        wrong_claims={
            **_texts("iss", issuer),
            **_texts("sub"),
            **_texts("aud"),
            **_texts("sid"),
            **_issuers(issuer),
            "aud-list": {"aud": ["shop", "other"]},
        },
        wrong_headers={
            "as-access-token": {"typ": "at+jwt"},
            "as-logout-token": {"typ": "logout+jwt"},
            "typ-absent": {"typ": ABSENT},
            "as-proof": {"typ": "dpop+jwt"},
            "kid-absent": {"kid": ABSENT},
            "unknown-member": {"zip": "DEF"},
        },
    )


def assertion_mint(key: Key, *, kid: str, client_id: str, issuer: str, now: float) -> Mint:
    """What an application proves itself with, under its registered key."""
    return Mint(
        kind="assertion",
        key=key,
        algorithm="ES256",
        header={"kid": kid},
        claims={"iss": client_id, "sub": client_id, "aud": issuer, "exp": now + 60, "iat": now, "jti": "jti-1"},
        wrong_claims={
            **_texts("iss", client_id),
            **_texts("sub", client_id),
            **_texts("jti"),
            **_numbers("exp"),
            "other-client": {"iss": "other", "sub": "other"},
            "aud-absent": {"aud": ABSENT},
            "aud-empty": {"aud": []},
            "aud-other": {"aud": "https://other.example"},
            "aud-mixed": {"aud": [issuer, "https://other.example"]},
            "aud-slash": {"aud": f"{issuer}/"},
            "aud-upper": {"aud": issuer.upper()},
            "aud-number": {"aud": 1},
            "aud-userinfo": {"aud": f"{issuer}/userinfo"},
            "aud-nested": {"aud": [[issuer]]},
            "aud-text": {"aud": ""},
            "expired-now": {"exp": now},
            "expired": {"exp": now - 1},
            "too-long": {"exp": now + 601},
            "for-ever": {"exp": 9_999_999_999},
            "from-tomorrow": {"iat": now + 86_400},
            "iat-text": {"iat": "1"},
            "not-yet": {"nbf": now + 300},
            "nbf-text": {"nbf": "1"},
            "jti-long": {"jti": "j" * 257},
        },
        wrong_headers={
            "as-access-token": {"typ": "at+jwt"},
            "as-proof": {"typ": "dpop+jwt"},
            "as-logout": {"typ": "logout+jwt"},
            "shows-a-key": {"jwk": key.as_dict(private=False)},
        },
    )


def proof_mint(key: Key, *, method: str, url: str, now: float, access_token: str | None = None) -> Mint:
    """A DPoP proof for one request, for the access token when it goes to a resource."""
    ath = {} if access_token is None else {"ath": _hash(access_token)}
    resource = {
        "ath-absent": {"ath": ABSENT},
        "ath-other": {"ath": _hash("other")},
        "ath-empty": {"ath": ""},
        "ath-number": {"ath": 1},
        "ath-token": {"ath": access_token},
    }
    host = url.split("/")[2]
    return Mint(
        kind="proof",
        key=key,
        algorithm="ES256",
        header={"typ": "dpop+jwt", "jwk": key.as_dict(private=False)},
        claims={"jti": "jti-1", "htm": method, "htu": url, "iat": now, **ath},
        wrong_claims={
            **_texts("jti"),
            **_texts("htm"),
            **_texts("htu"),
            **_numbers("iat"),
            **(resource if ath else {}),
            "jti-long": {"jti": "j" * 257},
            "other-method": {"htm": "PUT"},
            "lower-method": {"htm": method.lower()},
            "other-path": {"htu": f"{url}x"},
            "slash": {"htu": f"{url}/"},
            "other-host": {"htu": "https://a.example/token"},
            "other-scheme": {"htu": url.replace("://", "x://")},
            "user": {"htu": url.replace("://", "://a@")},
            "other-port": {"htu": url.replace(host, f"{host.split(':')[0]}:8443")},
            "path-alone": {"htu": "/token"},
            "bad-port": {"htu": url.replace(host, f"{host.split(':')[0]}:x")},
            "brackets": {"htu": "http://[::1/token"},
            "too-old": {"iat": now - 61},
            "ahead": {"iat": now + 6},
            "expired": {"exp": now},
            "not-yet": {"nbf": now + 6},
        },
        wrong_headers={
            **{f"key-{name}": {"jwk": jwk} for name, jwk in bad_keys(key).items()},
            "as-access-token": {"typ": "at+jwt"},
            "as-id-token": {"typ": "JWT"},
            "typ-absent": {"typ": ABSENT},
            "upper-type": {"typ": "DPOP+JWT"},
        },
        shows_its_key=True,
    )


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _texts(name: str, value: str = "") -> dict[str, dict[str, Any]]:
    """A member that must be a text, and must be a certain one where `value` is given."""
    wrong: dict[str, Any] = {"absent": ABSENT, "empty": "", "null": None, "number": 7, "list": [value], "object": {}}
    if value:
        wrong |= {"other": "other", "spaced": f"{value} ", "zero": f"{value}\x00"}
    return {f"{name}-{kind}": {name: odd} for kind, odd in wrong.items()}


def _numbers(name: str) -> dict[str, dict[str, Any]]:
    return {f"{name}-absent": {name: ABSENT}} | {f"{name}-{kind}": {name: odd} for kind, odd in _ODD_NUMBERS.items()}


def _issuers(issuer: str) -> dict[str, dict[str, Any]]:
    return {
        "issuer-slash": {"iss": f"{issuer}/"}, "issuer-upper": {"iss": issuer.upper()},
        "issuer-user": {"iss": issuer.replace("://", "://a@")}, "issuer-attacker": {"iss": "https://attacker.example"},
    }  # fmt: skip
