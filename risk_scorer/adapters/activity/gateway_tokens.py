"""Access tokens of the gateway, checked with the keys that it publishes: whose session they are of.

The keys are fetched when they are needed and kept; a token signed with a key that is not among them has them fetched
anew, at a rate that no stranger's token can raise. Fails closed: a token that is not right is a 401, and while no key
is to be had a 503. Keys that were fetched count on for a while, for a gateway that is down has not withdrawn them.
Whether the session still runs is not in the token: what the gateway told of its end is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

import jwt

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.adapters.issuer_keys import ALGORITHM, IssuerKeys
from risk_scorer.flows.activity.ports import TokenSession

SHARED: Final = "HS256"
"""Whoever can check such a token can make one, for anybody: the secret does not come here."""
TYPE: Final = "at+jwt"  # RFC 9068, section 2.1
CLOCK_SECONDS: Final = 60
MOST_TOKENS: Final = 10_000
"""Tokens that were found right and need not be checked again until they expire: a check takes a tenth of a
millisecond."""


class _Checked(NamedTuple):
    session: TokenSession
    expires_at: float


class GatewayTokens:
    """Tokens of one issuer. Use it from the event loop."""

    def __init__(self, keys: IssuerKeys, *, clock: Clock, issuer: str) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._checked: OrderedDict[bytes, _Checked] = OrderedDict()

    async def session_of(self, token: str) -> TokenSession:
        """Whose session the token is of.

        Raises: Refused (401 `invalid_token`, 422 `shared_secret_token`, 503 `keys_unavailable`).
        """
        name = sha256(token.encode(errors="replace")).digest()
        known = self._checked.get(name)
        if known is not None and self._clock.now() < known.expires_at:
            return known.session
        key = await self._keys.key(_kid_of(token))
        if key is None:
            raise _invalid()
        checked = self._verified(token, key)
        self._checked[name] = checked
        while len(self._checked) > MOST_TOKENS:
            self._checked.popitem(last=False)
        return checked.session

    @property
    def problem(self) -> str | None:
        """Why tokens cannot be checked now, if they were asked for and cannot."""
        return self._keys.problem

    @property
    def keys_of(self) -> float | None:
        """When the keys were fetched, None while they never were."""
        return self._keys.keys_of

    @property
    def failures(self) -> Mapping[str, int]:
        """How often keys could not be fetched, by why not."""
        return self._keys.failures

    def _verified(self, token: str, key: Any) -> _Checked:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "sub", "sid"],
                    "verify_aud": False,  # tokens are the applications'; whose they are is told by sub and sid
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            raise _invalid() from None
        now, texts = self._clock.now(), (claims["sub"], claims["sid"])
        expires_at, issued_at = claims["exp"], claims["iat"]
        is_whole = all(isinstance(each, str) and 0 < len(each) <= 256 for each in texts)
        is_timed = all(isinstance(each, int | float) for each in (expires_at, issued_at))
        if not (is_whole and is_timed) or now >= expires_at or issued_at > now + CLOCK_SECONDS:
            raise _invalid()
        return _Checked(TokenSession(session_id=claims["sid"], user_id=claims["sub"]), float(expires_at))


class NoTokens:
    """Where no gateway is named whose tokens could be checked."""

    problem: str | None = None
    keys_of: float | None = None
    failures: Final[Mapping[str, int]] = {}

    async def session_of(self, token: str) -> TokenSession:
        """Raises: Refused (422)."""
        _refuse_shared_secret(_header_of(token))
        raise Refused(
            "tokens_not_taken",
            "This scorer checks no access tokens: name the session by its id, or set GATEWAY_ISSUER.",
            status=422,
            evidence={"field": "$.identity.token"},
        )


def _kid_of(token: str) -> str:
    """The key's name in the header. Raises: Refused for what is no access token of a gateway's."""
    header = _header_of(token)
    _refuse_shared_secret(header)
    kid = header.get("kid")
    if header.get("typ") != TYPE or header.get("alg") != ALGORITHM or not isinstance(kid, str) or "crit" in header:
        raise _invalid()
    return kid


def _header_of(token: str) -> Mapping[str, Any]:
    """What the token says of itself; nothing where it is none."""
    try:
        return jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        return {}


def _refuse_shared_secret(header: Mapping[str, Any]) -> None:
    if header.get("alg") == SHARED and header.get("typ") == TYPE:
        raise Refused(
            "shared_secret_token",
            "Tokens signed with a shared secret are not checked here: name the session by its id, the token's sid.",
            status=422,
            evidence={"field": "$.identity.token"},
        )


def _invalid() -> Refused:
    return Refused(
        "invalid_token",
        "The access token is not one of the gateway's in force.",
        status=401,
        evidence={"field": "$.identity.token"},
    )
