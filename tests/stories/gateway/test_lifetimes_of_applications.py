"""Applications that log people in by JSON: their tokens live as long, and are for whom, as they are registered."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from auth_gateway.adapters.keys import draw_keys
from tests.stories.gateway.applications import ISSUER, Application, read, register
from tests.stories.gateway.story import NOW, Story

API = "https://api.example"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def shop(story: Story) -> Application:
    """An application with lifetimes and an audience of its own."""
    own = {"audience": API, "access_ttl_seconds": 120, "refresh_ttl_seconds": 3600}
    return register(story, may_log_in=True, application_type="web", **own)


def facts(story: Story, tokens: Mapping[str, Any], audience: str) -> tuple[int, int, int]:
    """How long the pair lives by its answer, and the access token by its claims."""
    claims = read(story, tokens["access_token"], audience)
    return tokens["expires_in"], tokens["refresh_expires_in"], claims["exp"] - claims["iat"]


def test_the_first_tokens_are_as_the_application_is_registered(story: Story, shop: Application) -> None:
    """Those of a login, and those of its refreshes after it, are alike."""
    first = story.login(auth=(shop.client_id, shop.secret)).json()["tokens"]
    assert facts(story, first, API) == (120, 3600, 120)
    again = story.refresh(first["refresh_token"], auth=(shop.client_id, shop.secret)).json()
    assert facts(story, again, API) == (120, 3600, 120)


def test_so_are_those_after_a_second_factor(story: Story, shop: Application) -> None:
    """Whichever half finishes the login."""
    story.scorer.score = 70.0
    auth = (shop.client_id, shop.secret)
    challenge = story.login(auth=auth).json()["challenge_id"]
    assert facts(story, story.complete(challenge, auth=auth).json()["tokens"], API) == (120, 3600, 120)


def test_a_refresh_token_ends_when_the_application_says(story: Story, shop: Application) -> None:
    """The first one too, not only those after it."""
    auth = (shop.client_id, shop.secret)
    first = story.login(auth=auth).json()["tokens"]
    story.clock.advance(3600)
    assert story.refresh(first["refresh_token"], auth=auth).json()["error"] == "invalid_grant"


def test_who_names_nothing_has_the_gateways_own(story: Story) -> None:
    """And so has the public client, which has no registration."""
    plain = register(story, "plain", may_log_in=True)
    for options in ({"auth": (plain.client_id, plain.secret)}, {}):
        tokens = story.login(**options).json()["tokens"]
        assert facts(story, tokens, "iam-clients") == (900, 604_800, 900)


def test_a_key_is_published_as_long_as_the_longest_token_lives(story_with: Callable[..., Story]) -> None:
    """Where there is no provider too: an application's token of a day outlives the gateway's own of a quarter hour."""
    story = story_with(risk_api_credential="rgs_test")
    day = register(story, may_log_in=True, access_ttl_seconds=86_400)
    token = story.login(auth=(day.client_id, day.secret)).json()["tokens"]["access_token"]
    ring, keys = story.gateway.ring, story.gateway.key_store
    story.gateway.database.write_sync(
        lambda tx: keys.rotate(tx, draw_keys(["ES256"]), now=NOW, delay_seconds=0, access_ttl_seconds=86_400)
    )
    story.clock.advance(86_399)
    story.runner.run(ring.reload())
    assert len(ring.published()) == 2
    assert story.claims(token)["client_id"] == day.client_id
