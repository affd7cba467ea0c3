"""Access tokens of the gateway, checked with the keys that it publishes: whose session they are of.

The keys are fetched when they are needed and kept; a token signed with a key that is not among them has them fetched
anew, at a rate that no stranger's token can raise. Fails closed: a token that is not right is a 401, and while no key
is to be had a 503. Keys that were fetched count on for a while, for a gateway that is down has not withdrawn them.
Whether the session still runs is not in the token: what the gateway told of its end is.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

import jwt
import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.flows.activity.ports import TokenSession
from webhooks.fetching import Unfetched, Wanted

KEYS_PATH: Final = "/.well-known/jwks.json"
ALGORITHM: Final = "ES256"
"""What the gateway signs access tokens with, unless it shares a secret with its APIs (JWT_SECRET)."""
SHARED: Final = "HS256"
"""Whoever can check such a token can make one, for anybody: the secret does not come here."""
TYPE: Final = "at+jwt"  # RFC 9068, section 2.1
CLOCK_SECONDS: Final = 60
FRESH_SECONDS: Final = 300.0
"""As long as the gateway allows its key set to be kept."""
STALE_SECONDS: Final = 3600.0
ASKED_AGAIN_SECONDS: Final = 10.0
DEADLINE_SECONDS: Final = 2.0
MOST_KEYS: Final = 16
MOST_TOKENS: Final = 10_000
"""Tokens that were found right and need not be checked again until they expire: a check takes a tenth of a
millisecond."""

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Fetches a document from a checked address (`webhooks.fetching.Fetcher`)."""

    async def __call__(self, wanted: Wanted) -> bytes: ...


class _Checked(NamedTuple):
    session: TokenSession
    expires_at: float


class GatewayTokens:
    """Tokens of one issuer. Use it from the event loop."""

    def __init__(self, fetch: Fetch, *, clock: Clock, issuer: str) -> None:
        self._fetch = fetch
        self._clock = clock
        self._issuer = issuer
        self._keys: Mapping[str, Any] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._turn = asyncio.Lock()
        self.failures: Counter[str] = Counter()
        self._checked: OrderedDict[bytes, _Checked] = OrderedDict()

    async def session_of(self, token: str) -> TokenSession:
        """Whose session the token is of.

        Raises: Refused (401 `invalid_token`, 422 `shared_secret_token`, 503 `keys_unavailable`).
        """
        name = sha256(token.encode(errors="replace")).digest()
        known = self._checked.get(name)
        if known is not None and self._clock.now() < known.expires_at:
            return known.session
        key = await self._key(_kid_of(token))
        checked = self._verified(token, key)
        self._checked[name] = checked
        while len(self._checked) > MOST_TOKENS:
            self._checked.popitem(last=False)
        return checked.session

    @property
    def problem(self) -> str | None:
        """Why tokens cannot be checked now, if they were asked for and cannot."""
        has_asked = self._asked_at > float("-inf")
        return "keys_unavailable" if has_asked and not self._is_younger(STALE_SECONDS) else None

    @property
    def keys_age_seconds(self) -> float | None:
        """How long ago the keys were fetched, None while they never were."""
        return None if self._fetched_at == float("-inf") else self._clock.monotonic() - self._fetched_at

    async def _key(self, kid: str) -> Any:
        found = self._keys.get(kid) if self._is_younger(FRESH_SECONDS) else None
        if found is None:
            async with self._turn:
                has_asked = await self._refresh(kid)
            found = self._keys.get(kid) if self._is_younger(STALE_SECONDS) else None
            if found is None and not has_asked:
                raise Refused(
                    "keys_unavailable",
                    "Whether the token is right cannot be said now.",
                    status=503,
                    retry_after_seconds=ASKED_AGAIN_SECONDS,
                )
        if found is None:
            raise _invalid()
        return found

    async def _refresh(self, kid: str) -> bool:
        """Fetch the keys unless that was done a moment ago; whether they are those of now."""
        now = self._clock.monotonic()
        if now - self._asked_at < ASKED_AGAIN_SECONDS:
            return kid in self._keys
        self._asked_at = now
        wanted = Wanted(
            url=self._issuer.rstrip("/") + KEYS_PATH,
            headers={"accept": "application/json"},
            deadline_seconds=DEADLINE_SECONDS,
        )
        try:
            self._keys = _usable(await self._fetch(wanted))
        except Unfetched as error:
            log.warning("gateway_keys_unavailable", problem=error.code)
            self.failures[error.code] += 1
            return False
        self._fetched_at = now
        return True

    def _is_younger(self, seconds: float) -> bool:
        return self._clock.monotonic() - self._fetched_at < seconds

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
    keys_age_seconds: float | None = None
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


def _usable(raw: bytes) -> dict[str, Any]:
    """The keys of a set that access tokens may be signed with, by name. Raises: Unfetched when it is no set at all."""
    try:
        listed: Any = msgspec.json.decode(raw)["keys"]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KeyError, TypeError):
        raise Unfetched("no_key_set") from None
    if not isinstance(listed, list):
        raise Unfetched("no_key_set")
    found: dict[str, Any] = {}
    for each in listed[:MOST_KEYS]:
        if not isinstance(each, dict) or each.get("kty") != "EC" or each.get("crv") != "P-256":
            continue
        if "d" in each or not isinstance(each.get("kid"), str):
            continue
        try:
            found[each["kid"]] = jwt.PyJWK(each, algorithm=ALGORITHM).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return found


def _invalid() -> Refused:
    return Refused(
        "invalid_token",
        "The access token is not one of the gateway's in force.",
        status=401,
        evidence={"field": "$.identity.token"},
    )
