"""The card of the second factor: the strongest first, the others one click away, and no word about why."""

import re

import pytest

from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import Story

CHOICES = re.compile(r'name="choose" value="(\w+)"')


@pytest.fixture
def story(story_with: object) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")  # type: ignore[operator,no-any-return]


def at_the_card(story: Story, score: float = 65.0, **asked: str) -> Browser:
    """Alice after her password."""
    registered(story)
    story.scorer.score = score
    browser = Browser(story)
    browser.authorize(**asked)
    browser.password()
    return browser


def text_of(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.text


def test_one_factor_leaves_nothing_to_choose(story: Story) -> None:
    """Alice has an authenticator."""
    browser = at_the_card(story)
    assert '<input type="hidden" name="method" value="totp">' in text_of(browser)
    assert CHOICES.findall(text_of(browser)) == []
    assert "code" in returned(browser.code())


def test_the_strongest_comes_first_and_the_others_can_be_chosen(story: Story) -> None:
    """A passkey before an authenticator; choosing changes what is shown and nothing else."""
    story.add_passkey("alice")
    browser = at_the_card(story)
    assert 'data-passkey="get"' in text_of(browser)
    assert 'name="code"' not in text_of(browser)
    assert CHOICES.findall(text_of(browser)) == ["totp"]
    before = story.audited()
    page = browser.post(choose="totp")
    assert page.status_code == 200
    assert 'name="method" value="totp"' in page.text
    assert CHOICES.findall(page.text) == ["passkey"]
    assert story.audited() == before
    assert "code" in returned(browser.code())


@pytest.mark.parametrize("choice", ["", "sms", "email_code", "recovery_code", "\x00"])
def test_what_the_person_does_not_have_cannot_be_chosen(story: Story, choice: str) -> None:
    """The strongest is shown again."""
    browser = at_the_card(story)
    page = browser.post(choose=choice)
    assert page.status_code in {200, 400}
    assert page.status_code == 400 or 'name="method" value="totp"' in page.text


@pytest.mark.parametrize("method", ["passkey", "sms", ""])
def test_a_method_that_is_not_typed_is_taken_for_the_authenticator(story: Story, method: str) -> None:
    """Programs that send a code alone go on working; a wrong one is wrong."""
    browser = at_the_card(story)
    assert browser.post(code="000000", method=method).status_code == 401
    assert "code" in returned(browser.post(code=story.code(), method=method))


def test_a_mistake_stays_with_what_was_chosen(story: Story) -> None:
    """Not back to the strongest."""
    story.add_passkey("alice")
    browser = at_the_card(story)
    browser.post(choose="totp")
    page = browser.post(code="000000")
    assert page.status_code == 401
    assert '<a href="#code">The code is wrong or was used before.</a>' in page.text
    assert 'name="method" value="totp"' in page.text


def test_the_card_says_that_something_is_new_and_never_what(story: Story) -> None:
    """No score, no place, no reason."""
    browser = at_the_card(story)
    assert "This sign-in is new to us." in text_of(browser)
    assert not re.search(r"\b(65|score|risk|country|network)\b", text_of(browser).partition("<main")[2])


def test_an_application_that_asks_for_more_is_named(story: Story) -> None:
    """Nothing about this sign-in is new then."""
    browser = at_the_card(story, score=10.0)
    assert "code" in returned(browser.page)
    page = browser.authorize(acr_values="aal2")
    assert "<strong>Example App</strong> asks for one more step." in page.text


def test_a_code_is_never_part_of_the_page(story: Story) -> None:
    """What was typed wrongly is not repeated."""
    browser = at_the_card(story)
    assert "987123" not in browser.post(code="987123").text
