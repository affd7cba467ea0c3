"""The keys that other providers publish: fetched when they are needed, kept for a while, and asked for anew at a rate
that no stranger's token can raise.

Fails closed: without a key nothing is believed, and the transmitter is asked to send it again. A set that was fetched
goes on counting for a day while its address does not answer, for a provider that is down has not withdrawn its keys.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec
import structlog

from auth_gateway.adapters.provider.jwks import UnusableKey, key_set, public_key
from auth_gateway.adapters.provider.signatures import PinnedKey
from auth_gateway.core.ssf.transmitter import Transmitter
from plumbing.clock import Clock
from plumbing.refusals import Refused
from webhooks.fetching import Unfetched, Wanted

FRESH_SECONDS: Final = 600.0
"""A key that was withdrawn is believed for so long at the most, where its address answers."""
STALE_SECONDS: Final = 86_400.0
ASKED_AGAIN_SECONDS: Final = 30.0
"""Between two fetches of one set, whatever asks for it: an unknown key, or an address that does not answer."""
MOST_KEYS: Final = 64
"""Of one set; what lies behind is not looked at."""

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Fetches a document from a checked address (`webhooks.fetching.Fetcher`)."""

    async def __call__(self, wanted: Wanted) -> bytes: ...


@dataclass(slots=True)
class _Kept:
    """One set as it was last fetched; times are monotonic."""

    keys: tuple[PinnedKey, ...] = ()
    fetched_at: float | None = None
    asked_at: float | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class RemoteKeys:
    """Finds the keys that a token of a transmitter may be signed with."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def fitting(self, transmitter: Transmitter, *, kid: str | None, algorithm: str) -> PinnedKey | None:
        """The key of that name; without a name only one may fit (RFC 7515, section 4.1.4). None: there is none.

        Raises: Refused `keys_unavailable` (503) when that is not known now.
        """
        if not transmitter.jwks_uri:
            return _chosen(_of_file(transmitter.jwks), kid, algorithm)
        kept = self._kept.setdefault(transmitter.jwks_uri, _Kept())
        found = _chosen(kept.keys, kid, algorithm) if self._is_younger(kept, FRESH_SECONDS) else None
        if found is not None:
            return found
        async with kept.turn:
            has_asked = await self._refresh(transmitter.jwks_uri, kept)
        found = _chosen(kept.keys, kid, algorithm) if self._is_younger(kept, STALE_SECONDS) else None
        if found is None and not has_asked:
            # It may have been published since we looked: nobody knows before the next look.
            raise _unavailable(self._wait(kept))
        return found

    async def _refresh(self, url: str, kept: _Kept) -> bool:
        """Fetch the set unless that was done a moment ago; whether it was fetched now."""
        if self._wait(kept) > 0:
            return False
        kept.asked_at = self._clock.monotonic()
        try:
            keys = _usable(await self._fetch(Wanted(url=url, headers={"accept": "application/json"})))
        except Unfetched as error:
            log.warning("transmitter_keys_unavailable", problem=error.code)
            return False
        kept.keys, kept.fetched_at = keys, kept.asked_at
        return True

    def _wait(self, kept: _Kept) -> float:
        """Seconds until the set may be asked for again."""
        if kept.asked_at is None:
            return 0.0
        return max(0.0, kept.asked_at + ASKED_AGAIN_SECONDS - self._clock.monotonic())

    def _is_younger(self, kept: _Kept, seconds: float) -> bool:
        return kept.fetched_at is not None and self._clock.monotonic() - kept.fetched_at < seconds


def _chosen(keys: Sequence[PinnedKey], kid: str | None, algorithm: str) -> PinnedKey | None:
    fitting = [key for key in keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
    return fitting[0] if len(fitting) == 1 else None


def _of_file(text: str) -> tuple[PinnedKey, ...]:
    try:
        return key_set(text)
    except UnusableKey:
        return ()  # the commands take in no such set, so the row was written by something else


def _usable(raw: bytes) -> tuple[PinnedKey, ...]:
    """Those of a published set that we verify with. Others in it (for encryption, of other curves) are nobody's fault.

    Raises: Unfetched when it is no set at all.
    """
    try:
        listed: Any = msgspec.json.decode(raw)["keys"]
        if not isinstance(listed, list):
            raise Unfetched("no_key_set")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KeyError, TypeError):
        raise Unfetched("no_key_set") from None
    found = []
    for jwk in listed[:MOST_KEYS]:
        try:
            found.append(public_key(jwk))
        except UnusableKey:
            continue
    return tuple(found)


def _unavailable(seconds: float) -> Refused:
    text = "Whether this token is right cannot be said now."
    return Refused("keys_unavailable", text, status=503, retry_after_seconds=max(1.0, seconds))
