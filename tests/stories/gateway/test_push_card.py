"""The card that waits for an MFA system: it shows the number, looks again by itself without a script, and goes on or
ends by the word that was said elsewhere.
"""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.mfa_system import GIVEN, verdict
from tests.stories.gateway.relying_party import FOREIGN_SCRIPT, ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that takes the word of an MFA system, and an application."""
    story = story_with(jwt_issuer=ISSUER, **GIVEN)
    registered(story, token_endpoint_auth_method="none")
    return story


def at_card(story: Story, username: str = "bob", **wish: Any) -> Browser:
    """A browser that waits; Bob has no factor but the MFA system's."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize(**wish)
    browser.password(username)
    return browser


def text(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.text


def asked(story: Story, browser: Browser) -> dict[str, str]:
    """The challenge as the MFA system knows it, with the number that the page shows."""
    told = [message["body"]["data"] for message in story.announced() if message["endpoint"] == "mfa"]
    shown = re.search(r'<p class="shown-code">(\d\d)</p>', text(browser))
    assert shown is not None
    return {"challenge_ref": told[-1]["challenge_id"], "number": shown[1]}


def look_again(browser: Browser) -> Any:
    """What a browser does by itself after five seconds."""
    assert browser.page is not None
    seconds, _, address = browser.page.headers["refresh"].partition("; url=")
    assert (seconds, address.startswith(f"{ISSUER}/sign-in/")) == ("5", True)
    browser.where = address
    return browser.follow(browser.ask("GET", address))


def test_the_card_waits_and_then_goes_on(story: Story) -> None:
    """The same number each time; after the yes the application gets its code, and knows how strong that was."""
    browser = at_card(story)
    challenge = asked(story, browser)
    assert FOREIGN_SCRIPT.search(text(browser)) is None
    assert look_again(browser).status_code == 200
    assert asked(story, browser) == challenge
    assert verdict(story, challenge).status_code == 200
    code = returned(look_again(browser))["code"]
    claims = story.claims(redeem(story, code).json()["access_token"])
    assert (claims["amr"], claims["acr"]) == (["pwd", "mca", "mfa"], "aal2")
    story.scorer.score = 10.0
    assert "code" in returned(browser.authorize())


def test_a_no_shows_the_refusal(story: Story) -> None:
    """With the incident id that support finds."""
    browser = at_card(story)
    verdict(story, asked(story, browser), "denied")
    answer = look_again(browser)
    assert answer.status_code == 403
    assert "inc_" in answer.text
    assert "error=access_denied" in browser.post().headers["location"]


def test_too_late_the_password_is_asked_for_again(story: Story) -> None:
    """The card does not wait for ever."""
    browser = at_card(story)
    story.clock.advance(300)
    answer = look_again(browser)
    assert (answer.status_code, "current-password" in answer.text or "username" in answer.text) == (401, True)


def test_another_way_stays_open(story: Story) -> None:
    """Alice is asked for her authenticator's code first, chooses the app, and keeps that choice as the page looks
    again; she may go back."""
    browser = at_card(story, "alice")
    assert 'name="method" value="totp"' in text(browser)
    browser.post(choose="push")
    challenge = asked(story, browser)
    look_again(browser)
    assert asked(story, browser) == challenge
    assert "refresh" not in browser.post(choose="totp").headers
    assert "code" in returned(browser.code())


def test_a_yes_is_heard_whichever_way_is_shown(story: Story) -> None:
    """Also when the card is loaded again that asks for a code."""
    browser = at_card(story, "alice")
    browser.post(choose="push")
    verdict(story, asked(story, browser))
    browser.page = browser.ask("GET", browser.where)
    assert "code" in returned(browser.page)


def test_a_code_after_a_no_is_refused(story: Story) -> None:
    """The person's no counts more than a code that somebody was told."""
    browser = at_card(story, "alice")
    browser.post(choose="push")
    verdict(story, asked(story, browser), "denied")
    browser.post(choose="totp")
    assert browser.code().status_code == 403


def test_the_yes_is_for_the_browser_that_began(story: Story) -> None:
    """Another one with the page's address gets nothing of it."""
    browser = at_card(story)
    verdict(story, asked(story, browser))
    thief = Browser(story, peer="203.0.113.66")
    assert thief.ask("GET", browser.where).status_code == 410
    assert "code" in returned(look_again(browser))


def test_from_a_high_risk_the_yes_is_refused(story: Story) -> None:
    """The browser that comes for it is judged."""
    browser = at_card(story)
    verdict(story, asked(story, browser))
    story.scorer.score = 95.0
    assert look_again(browser).status_code == 403


def test_an_application_that_asks_for_more_does_not_get_the_mfa_system(story: Story) -> None:
    """It is asked at logins alone: a step-up shows the person's own factors."""
    browser = Browser(story)
    browser.sign_in("alice")
    page = browser.authorize(acr_values="aal2").text
    assert 'name="method" value="totp"' in page
    assert 'value="push"' not in page
    chosen = browser.post(choose="push")
    assert (chosen.status_code, "refresh" in chosen.headers) == (200, False)


def test_the_card_speaks_german(story: Story) -> None:
    """Where the browser does, also after it has looked again."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize(ui_locales="de")
    browser.password("bob")
    look_again(browser)
    assert "wartet eine Anfrage" in text(browser)


@pytest.mark.parametrize("username", ["bob", "alice"])
def test_a_page_that_is_told_to_stand_still_does(story: Story, username: str) -> None:
    """Whoever reads slowly, or has it read aloud, looks when they want to."""
    browser = at_card(story, username)
    if username == "alice":
        browser.post(choose="push")
    links = re.findall(r'<a href="([^"?]+\?way=push&amp;still=1)">', text(browser))
    browser.where = html.unescape(links[0])
    assert "refresh" not in browser.follow(browser.ask("GET", browser.where)).headers
    challenge = asked(story, browser)
    assert text(browser).count(links[0]) == 1
    verdict(story, challenge)
    assert "code" in returned(browser.follow(browser.ask("GET", browser.where)))
