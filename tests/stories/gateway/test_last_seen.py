"""When a session was last seen, as its owner is told."""

from collections.abc import Callable

from auth_gateway.core.session import SEEN_SECONDS
from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import NOW, Story


def seen(story: Story, user_id: str) -> list[float]:
    sessions = story.gateway.database.read(lambda tx: story.gateway.sessions.of_user(tx, user_id))
    return [session.seen_at - NOW for session in sessions]


def test_a_refresh_is_seen_to_the_hour(story: Story) -> None:
    """Not each of them: it would be one more write on the busiest way."""
    token = story.login("bob").json()["tokens"]["refresh_token"]
    assert seen(story, "id-bob") == [0]
    story.clock.advance(SEEN_SECONDS - 1)
    token = story.refresh(token).json()["refresh_token"]
    assert seen(story, "id-bob") == [SEEN_SECONDS - 1]
    story.clock.advance(SEEN_SECONDS - 1)
    token = story.refresh(token).json()["refresh_token"]
    assert seen(story, "id-bob") == [SEEN_SECONDS - 1]
    story.clock.advance(1)
    assert story.refresh(token).status_code == 200
    assert seen(story, "id-bob") == [2 * SEEN_SECONDS - 1]


def test_a_return_to_the_provider_is_seen(story_with: Callable[..., Story]) -> None:
    """Whoever is signed in and goes on to another application."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    registered(story)
    browser = Browser(story)
    browser.sign_in("bob")
    story.clock.advance(600)
    assert "code" in returned(browser.authorize())
    assert seen(story, "id-bob") == [600]
