"""The keys that an issuer publishes, fetched when they are needed and kept.

A token signed with a key that is not among them has them fetched anew, at a rate that no stranger's token can raise.
Fails closed: while no key is to be had nothing is believed. Keys that were fetched count on for a while, for a gateway
that is down has not withdrawn them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

import jwt
import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from webhooks.fetching import Unfetched, Wanted

KEYS_PATH: Final = "/.well-known/jwks.json"
ALGORITHM: Final = "ES256"
"""What the gateway signs with; a shared secret is nobody's proof here."""
FRESH_SECONDS: Final = 300.0
"""As long as the gateway allows its key set to be kept."""
STALE_SECONDS: Final = 3600.0
ASKED_AGAIN_SECONDS: Final = 10.0
DEADLINE_SECONDS: Final = 2.0
MOST_KEYS: Final = 16

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Fetches a document from a checked address (`webhooks.fetching.Fetcher`)."""

    async def __call__(self, wanted: Wanted) -> bytes: ...


class IssuerKeys:
    """The key set of one issuer. Use it from the event loop.

    `keys_of` is when it was fetched, None while it never was; `failures` counts by why how often it could not be.
    """

    def __init__(self, fetch: Fetch, *, clock: Clock, issuer: str) -> None:
        self._fetch = fetch
        self._clock = clock
        self._url = issuer.rstrip("/") + KEYS_PATH
        self._keys: Mapping[str, Any] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._turn = asyncio.Lock()
        self.failures: Counter[str] = Counter()
        self.keys_of: float | None = None

    @property
    def problem(self) -> str | None:
        """Why tokens cannot be checked now, if keys were asked for and not had; unneeded ones may be old."""
        has_failed = self._asked_at > self._fetched_at
        return "keys_unavailable" if has_failed and not self._is_younger(STALE_SECONDS) else None

    async def key(self, kid: str) -> Any:
        """The key of that name, None when the issuer has none. Raises: Refused (503 `keys_unavailable`)."""
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
        return found

    async def _refresh(self, kid: str) -> bool:
        """Fetch the keys unless that was done a moment ago; whether they are those of now.

        A key is published minutes before it signs: one that is not among those of a moment ago is nobody's, and what is
        signed with it is no reason to come again.
        """
        now = self._clock.monotonic()
        if now - self._asked_at < ASKED_AGAIN_SECONDS:
            return kid in self._keys or self._fetched_at == self._asked_at
        self._asked_at = now
        wanted = Wanted(url=self._url, headers={"accept": "application/json"}, deadline_seconds=DEADLINE_SECONDS)
        try:
            self._keys = _usable(await self._fetch(wanted))
        except Unfetched as error:
            log.warning("gateway_keys_unavailable", problem=error.code)
            self.failures[error.code] += 1
            return False
        self._fetched_at, self.keys_of = now, self._clock.now()
        return True

    def _is_younger(self, seconds: float) -> bool:
        return self._clock.monotonic() - self._fetched_at < seconds


def kid_of(token: str, expected_types: frozenset[str]) -> str | None:
    """The key's name in the header; None for what is no token of such a type that the gateway signed."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        return None
    kid, kind = header.get("kid"), header.get("typ")
    is_known = isinstance(kind, str) and kind in expected_types  # what JSON may hold besides has no hash
    is_right = is_known and header.get("alg") == ALGORITHM and "crit" not in header
    return kid if is_right and isinstance(kid, str) else None


def _usable(raw: bytes) -> dict[str, Any]:
    """The keys of a set that tokens may be signed with, by name. Raises: Unfetched when it is no set at all."""
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
