"""Applications that want a login inside their request, from people who signed in at the very same moment."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider; its clock stands still."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": 0}])
def test_a_session_of_the_same_moment_is_no_login_of_this_request(story: Story, wish: dict[str, Any]) -> None:
    """The password is asked for although the clock cannot tell the two apart, and asked once."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    assert "current-password" in browser.authorize(**wish).text
    assert "code" in returned(browser.password())


def test_somebody_else_of_the_same_moment_is_asked_and_not_refused(story: Story) -> None:
    """Bob is at the browser when Alice is named: she may still sign in here."""
    secret = registered(story)
    hint = redeem(story, Browser(story).sign_in()["code"], secret=secret).json()["id_token"]
    browser = Browser(story)
    browser.sign_in("bob")
    assert "current-password" in browser.authorize(id_token_hint=hint).text
    assert "code" in returned(browser.password("alice"))
