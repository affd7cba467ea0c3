"""The card "password" in two steps: a name, then a password; both together from whoever sends both."""

import pytest

from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned, without_chance
from tests.stories.gateway.story import PASSWORD, Story

pytestmark = pytest.mark.usefixtures("secret")
NAME_FIELD = 'autocomplete="username webauthn"'
PASSWORD_STEP = '<input type="hidden" name="step" value="password">'


@pytest.fixture
def story(story_with: object) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")  # type: ignore[operator,no-any-return]


@pytest.fixture
def secret(story: Story) -> str:
    """The application's."""
    return registered(story)


@pytest.fixture
def browser(story: Story) -> Browser:
    """At the first step."""
    browser = Browser(story)
    page = browser.authorize()
    assert NAME_FIELD in page.text
    assert PASSWORD_STEP not in page.text
    return browser


def test_a_name_alone_leads_to_the_password(story: Story, browser: Browser) -> None:
    """The name travels on in the form, and the password beside it signs in."""
    page = browser.post(username="alice")
    assert page.status_code == 200
    assert PASSWORD_STEP in page.text
    assert 'readonly value="alice"' in page.text
    assert "code" in returned(browser.password())


def test_the_step_says_nothing_about_a_name_and_counts_no_try(story: Story, browser: Browser) -> None:
    """Known, unknown and frozen names lead to the same bytes, as often as one likes, and nothing is written down."""
    before = story.audited()
    names = ["alice", "nobody", "frozen"] * 20
    texts = set()
    for name in names:
        browser.follow(browser.ask("GET", browser.where))
        texts.add(without_chance(browser.post(username=name).text).replace(name, ""))
    assert len(texts) == 1
    assert story.audited() == before
    assert "code" in returned(browser.password())


def test_a_wrong_password_asks_for_the_password_alone(browser: Browser) -> None:
    """The name stands there already; the problem leads to the field."""
    page = browser.password(password="bad-guess")
    assert page.status_code == 401
    assert 'readonly value="alice"' in page.text
    assert '<a href="#password">The user name or the password is wrong.</a>' in page.text
    assert 'aria-invalid="true" aria-describedby="problem"' in page.text


@pytest.mark.parametrize("name", ["", " ", "x" * 257, "a\x1bb", "a\nb"])
def test_what_nobody_is_called_is_asked_for_again_and_not_repeated(browser: Browser, name: str) -> None:
    """The first step with its problem."""
    page = browser.post(username=name)
    assert page.status_code == 400
    assert NAME_FIELD in page.text
    assert "Type your user name." in page.text
    assert not name.strip() or name not in page.text


def test_the_longest_name_is_taken(browser: Browser) -> None:
    """256 characters, as the field says."""
    assert f'value="{"x" * 256}"' in browser.post(username="x" * 256).text


def test_a_missing_password_is_asked_for_at_its_own_step(browser: Browser) -> None:
    """The browser sends none when a person presses Enter too early, and its own check is off."""
    browser.post(username="alice")
    page = browser.post(username="alice", password="")
    assert page.status_code == 400
    assert "Type your password." in page.text
    assert 'readonly value="alice"' in page.text


def test_whoever_suggests_a_name_saves_a_step(story: Story) -> None:
    """The application's `login_hint` stands in the second step, and can be left behind for another name."""
    browser = Browser(story)
    page = browser.authorize(login_hint="alice")
    assert 'readonly value="alice"' in page.text
    page = browser.follow(browser.ask("GET", f"{browser.where}?name=other"))
    assert NAME_FIELD in page.text
    assert "alice" not in page.text


def test_a_name_is_shown_as_text(browser: Browser) -> None:
    """Whatever was typed."""
    page = browser.post(username='"><b>x')
    assert "<b>" not in page.text
    assert "&#34;&gt;&lt;b&gt;x" in page.text


def test_both_together_sign_in_at_once(browser: Browser) -> None:
    """Password managers fill in both, and programs send both."""
    assert "code" in returned(browser.post(username="alice", password=PASSWORD))
