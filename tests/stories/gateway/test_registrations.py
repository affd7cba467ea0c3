"""What becomes of people's sessions when an application changes its secret or goes."""

from collections.abc import Callable

import pytest

from auth_gateway.core.provider.client import RegisteredClient
from plumbing.refusals import Refused
from tests.stories.gateway.relying_party import CALLBACK, GRANTS, ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def userinfo(story: Story, access_token: str) -> int:
    headers = {"authorization": f"Bearer {access_token}"}
    return story.ask("GET", f"{ISSUER}/userinfo", headers=headers).status_code


def test_a_registered_application_works_with_the_secret_that_was_shown(story: Story) -> None:
    """And with the one before as long as they overlap."""
    shown: list[str] = []
    client = RegisteredClient(client_id="app", grant_types=GRANTS, redirect_uris=(CALLBACK,))
    story.gateway.registrations.add(client, show=shown.append)
    story.gateway.registrations.rotate_secret("app", overlap_seconds=60, show=shown.append)
    browser = Browser(story)
    code = browser.sign_in()["code"]
    assert redeem(story, code, secret=shown[0]).status_code == 200
    story.clock.advance(60)
    late, soon = (returned(browser.authorize())["code"] for _ in range(2))
    assert redeem(story, late, secret=shown[0]).status_code == 401
    assert redeem(story, soon, secret=shown[1]).status_code == 200


def test_a_removed_application_s_sessions_end(story: Story) -> None:
    """The session that began there is over, tokens and browser included; whoever gets the id next has nothing of it."""
    secret, browser = registered(story), Browser(story)
    tokens = redeem(story, browser.sign_in()["code"], secret=secret).json()
    assert userinfo(story, tokens["access_token"]) == 200
    assert story.gateway.registrations.remove("app") == 1
    registered(story)
    assert userinfo(story, tokens["access_token"]) == 401
    assert "current-password" in browser.authorize().text
    assert ("session.revoked", "client_removed") in story.audited()


def test_a_session_that_began_elsewhere_goes_on_without_the_removed_application(story: Story) -> None:
    """Only its part ends."""
    secret, browser = registered(story), Browser(story)
    other = registered(story, "other")
    first = redeem(story, browser.sign_in()["code"], secret=secret).json()
    code = returned(browser.authorize("other"))["code"]
    second = redeem(story, code, client_id="other", secret=other).json()
    assert story.gateway.registrations.remove("other") == 0
    registered(story, "other")
    assert [userinfo(story, tokens["access_token"]) for tokens in (first, second)] == [200, 401]
    assert "code" in returned(browser.authorize())


def test_a_secret_that_could_not_be_shown_changes_nothing(story: Story) -> None:
    """The old one goes on, and no client comes to be."""

    def broken(_secret: str) -> None:
        raise OSError("the terminal is gone")

    secret = registered(story)
    with pytest.raises(OSError, match="terminal"):
        story.gateway.registrations.rotate_secret("app", overlap_seconds=0, show=broken)
    client = RegisteredClient(client_id="new", grant_types=GRANTS, redirect_uris=(CALLBACK,))
    with pytest.raises(OSError, match="terminal"):
        story.gateway.registrations.add(client, show=broken)
    assert redeem(story, Browser(story).sign_in()["code"], secret=secret).status_code == 200
    with pytest.raises(Refused, match="unknown_client"):
        story.gateway.registrations.remove("new")
