"""Keys of other providers are fetched from a real socket that fails, lies, and is asked only so often."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from auth_gateway.adapters.provider.signatures import PinnedKey
from auth_gateway.adapters.ssf.remote_keys import ASKED_AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS, RemoteKeys
from auth_gateway.core.ssf.transmitter import Transmitter
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from tests.stories.gateway.other_provider import OtherProvider, Published, published
from webhooks.fetching import Fetcher, Unfetched, Wanted

OTHER = OtherProvider()


@pytest.fixture
def place() -> Iterator[Published]:
    """Where the keys are."""
    with published(OTHER.jwks()) as found:
        yield found


class Asking:
    """Keys that are asked for at moments that a test says."""

    def __init__(self, place: Published) -> None:
        self.clock = FixedClock(1_800_000_000.0)
        self.keys = RemoteKeys(Fetcher(allow_private=True), self.clock)
        self.transmitter = Transmitter(
            transmitter_id="txr_1", name="other", issuer="i", audiences=("a",), jwks_uri=place.url
        )

    def __call__(self, kid: str | None = "ES256", algorithm: str = "ES256", at_once: int = 1) -> list[Any]:
        """The key, None or the refusal's code, of so many that ask together."""

        async def one() -> PinnedKey | str | None:
            try:
                return await self.keys.fitting(self.transmitter, kid=kid, algorithm=algorithm)
            except Refused as refused:
                comes_again = refused.status == 503 and (refused.retry_after_seconds or 0) >= 1
                return refused.code if comes_again else "lost"

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*(one() for _ in range(at_once)))

        return asyncio.run(all_of_them())


@pytest.fixture
def ask(place: Published) -> Asking:
    """One gateway's memory of them."""
    return Asking(place)


def test_a_set_is_fetched_once_for_all_who_need_it(ask: Asking, place: Published) -> None:
    """And again when it is no longer fresh."""
    found = ask(at_once=20)
    assert {key.kid for key in found} == {"ES256"}
    assert ask("EdDSA", "EdDSA")[0].kid == "EdDSA"
    assert place.asked == 1
    ask.clock.advance(FRESH_SECONDS)
    assert ask()[0].kid == "ES256"
    assert place.asked == 2


def test_a_flood_of_unknown_keys_asks_once_in_half_a_minute(ask: Asking, place: Published) -> None:
    """Nobody knows meanwhile whether they are right, so they come again; then they are known to be wrong."""
    ask()
    ask.clock.advance(1)
    assert ask("new", at_once=50) == ["keys_unavailable"] * 50
    assert place.asked == 1
    ask.clock.advance(ASKED_AGAIN_SECONDS - 1)
    assert ask("new") == [None]
    assert ask("newer", at_once=50) == ["keys_unavailable"] * 50
    assert place.asked == 2


def test_a_key_that_is_new_there_is_found(ask: Asking, place: Published) -> None:
    """A rotation loses nothing."""
    ask()
    rotated = json.loads(OTHER.jwks())["keys"]
    rotated[0]["kid"] = "rotated"
    place.body = json.dumps({"keys": rotated}).encode()
    assert ask("rotated") == ["keys_unavailable"]
    ask.clock.advance(ASKED_AGAIN_SECONDS)
    assert ask("rotated")[0].kid == "rotated"
    assert ask("ES256") == ["keys_unavailable"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (404, b""),
        (302, b""),
        (200, b""),
        (200, b"[]"),
        (200, b'{"keys": 7}'),
        (200, b"[" * 100_000),
        (200, b'{"keys": [' + b" " * 70_000 + b"]}"),
        (200, b"\xff\xfe"),
    ],
)
def test_an_address_that_fails_is_asked_again_later_and_loses_nothing(
    ask: Asking, place: Published, status: int, body: bytes
) -> None:
    """The keys that are known count for a day; without any, everybody is asked to come again."""
    good, place.status, place.body = place.body, status, body
    assert ask(at_once=20) == ["keys_unavailable"] * 20
    assert place.asked == 1
    ask.clock.advance(ASKED_AGAIN_SECONDS)
    place.status, place.body = 200, good
    assert ask()[0].kid == "ES256"
    place.status, place.body = status, body
    ask.clock.advance(STALE_SECONDS - 1)
    assert ask()[0].kid == "ES256"
    ask.clock.advance(ASKED_AGAIN_SECONDS)
    assert ask() == ["keys_unavailable"]


def test_keys_that_are_not_ours_to_use_are_passed_over(ask: Asking, place: Published) -> None:
    """A set may hold keys for encryption, of other kinds, or nonsense; none of them verifies anything."""
    good = json.loads(OTHER.jwks())["keys"]
    bad = [{"kty": "oct", "k": "AAAA", "kid": "s"}, {**good[0], "use": "enc", "kid": "e"}, 7, {"kty": "EC"}]
    place.body = json.dumps({"keys": [*bad, *good]}).encode()
    assert ask()[0].kid == "ES256"
    assert ask("e") == ["keys_unavailable"]
    assert ask("s", "HS256") == ["keys_unavailable"]


def test_without_a_name_only_one_key_may_fit(ask: Asking, place: Published) -> None:
    """RFC 7515, section 4.1.4."""
    assert ask(None)[0].kid == "ES256"
    two = json.loads(OTHER.jwks())["keys"] + json.loads(OtherProvider().jwks())["keys"]
    place.body = json.dumps({"keys": two}).encode()
    ask.clock.advance(FRESH_SECONDS)
    assert ask(None) == [None]


@pytest.mark.parametrize("url", ["https://127.0.0.1/keys", "https://[::1]/keys", "http://example.com/", "https://a@b/"])
def test_nothing_inside_is_ever_fetched(url: str) -> None:
    """The guard of the messages is this one too."""
    with pytest.raises(Unfetched, match="target_"):
        asyncio.run(Fetcher(allow_private=False)(Wanted(url=url)))


def test_a_redirect_is_not_followed(place: Published) -> None:
    """It could lead past the check."""
    place.status = 302
    with pytest.raises(Unfetched, match="status_302"):
        asyncio.run(Fetcher(allow_private=True)(Wanted(url=place.url)))
    assert place.asked == 1


def test_an_answer_of_exactly_the_size_that_is_taken_is(place: Published) -> None:
    """One byte more is too large, and a cut one is no answer."""
    place.body = b"x" * 1000
    fetch = Fetcher(allow_private=True)
    assert asyncio.run(fetch(Wanted(url=place.url, most_bytes=1000))) == place.body
    with pytest.raises(Unfetched, match="too_large"):
        asyncio.run(fetch(Wanted(url=place.url, most_bytes=999)))
    place.body = b"x" * 200_000
    with pytest.raises(Unfetched, match="too_large"):
        asyncio.run(fetch(Wanted(url=place.url, most_bytes=1000)))
