"""Signing in at a browser with a password that is on a list: another one first, then on the way."""

import re
from collections.abc import Callable

import pytest

from auth_gateway.core.provider.client import DEVICE_CODE
from tests.stories.gateway.account_pages import AccountBrowser, letters, lines
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import PASSWORD, Story

COMMON = "password1"
GOOD = "a heron reads the tide table"
HEADING = "Choose another password"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, where Alice and Bob have a password that others guess first."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    for name in ("alice", "bob"):
        running.gateway.accounts.set_password(name, COMMON)
    registered(running, token_endpoint_auth_method="none", application_type="native")
    return running


@pytest.fixture
def bob(story: Story) -> Browser:
    """Bob's browser at the card."""
    browser = Browser(story)
    browser.authorize()
    assert HEADING in browser.password("bob", COMMON).text
    return browser


def passwords(story: Story) -> list[int]:
    """What a login answers with the old password and with the new one."""
    return [story.login("bob", each).status_code for each in (COMMON, GOOD)]


def test_another_password_leads_on_to_the_application(story: Story, bob: Browser) -> None:
    """The code comes with it and is good; the session is the one that was there, under a new cookie."""
    before = dict(bob.cookies)
    code = returned(bob.post(new_password=GOOD))["code"]
    assert redeem(story, code).status_code == 200
    assert passwords(story) == [401, 200]
    assert bob.cookies != before
    assert "code" in returned(bob.authorize())
    copied = Browser(story, cookies=before)
    assert "username" in copied.authorize().text


def test_everybody_else_is_out(story: Story, bob: Browser) -> None:
    """Who got in with the password that everybody guesses, at once; the audit trail has a line."""
    stranger = story.login("bob", COMMON).json()["tokens"]["refresh_token"]
    other = Browser(story)
    other.authorize()
    other.password("bob", COMMON)
    bob.post(new_password=GOOD)
    assert story.refresh(stranger).json()["error"] == "invalid_grant"
    assert "username" in other.authorize().text
    assert lines(bob, "user.password_changed")[-1] == ("user.password_changed", "listed", None)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("", "empty or holds a character"),
        ("fourteen chars", "too short"),
        ("x" * 257, "too long"),
        ("123456789qwerty", "stolen ones, too"),
        ("bob-bob-bob-bob-bob", "little more than your name"),
    ],
)
def test_the_rules_are_those_of_every_new_password(bob: Browser, new: str, said: str) -> None:
    """What breaks one is said, and nothing of it is shown again."""
    answer = bob.post(new_password=new)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert not new or new not in answer.text


def test_the_card_cannot_be_gone_around(story: Story, bob: Browser) -> None:
    """Not from the beginning, not from another application, not silently, not by answering another card."""
    assert HEADING in bob.authorize().text
    assert returned(bob.authorize(prompt="none"))["error"] == "interaction_required"
    registered(story, "other", token_endpoint_auth_method="none", application_type="native")
    assert HEADING in bob.authorize("other").text
    assert HEADING in bob.post(card="consent", answer="yes").text
    assert HEADING in bob.post(card="password", username="bob", password=COMMON).text
    assert HEADING in bob.follow(bob.ask("GET", bob.where)).text
    assert passwords(story)[1] == 401


def test_a_form_of_somewhere_else_changes_nothing(story: Story, bob: Browser) -> None:
    """Without the browser's own proof, or sent from another site."""
    assert bob.post(new_password=GOOD, csrf="made up").status_code == 400
    assert passwords(story) == [200, 401]


def test_the_same_form_twice_counts_once(story: Story, bob: Browser) -> None:
    """The second finds the way finished, and no other password is set."""
    where, fields, cookies = bob.where, bob.fields(), dict(bob.cookies)
    bob.post(new_password=GOOD)
    again = Browser(story, cookies=cookies, where=where)
    answer = again.ask("POST", where, data={**fields, "new_password": "another heron, another tide"})
    assert answer.status_code in (303, 400, 410)
    assert passwords(story) == [401, 200]


def test_a_factor_comes_before_the_card(story: Story) -> None:
    """At low risk Alice would not be asked for one; to set a password she is. Beside a factor it may be shorter."""
    browser = Browser(story)
    browser.authorize()
    assert "one-time-code" in browser.password("alice", COMMON).text
    card = browser.code()
    assert HEADING in card.text
    assert "8 to 256" in card.text
    assert "code" in returned(browser.post(new_password="ninechars9"))


def test_after_a_step_up_of_the_risk_the_card_comes_at_once(story: Story) -> None:
    """One code answers both."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize()
    browser.password("alice", COMMON)
    assert HEADING in browser.code().text
    assert "code" in returned(browser.post(new_password=GOOD))


def test_who_comes_back_later_shows_the_password_first(story: Story, bob: Browser) -> None:
    """An open browser is no reason to let whoever sits there choose."""
    story.clock.advance(901)
    assert "username" in bob.authorize().text
    assert HEADING in bob.password("bob", COMMON).text


def test_a_card_that_lay_too_long_asks_for_the_password(story: Story, bob: Browser) -> None:
    """The new one that was typed is not taken."""
    story.clock.advance(901)
    assert "username" in bob.post(new_password=GOOD).text
    assert passwords(story) == [200, 401]


def test_a_password_that_was_changed_elsewhere_needs_no_card(story: Story, bob: Browser) -> None:
    """An operator's change ends this session as well, so its browser signs in."""
    story.gateway.accounts.set_password("bob", PASSWORD)
    assert "username" in bob.post(new_password=GOOD).text
    assert story.login("bob").status_code == 200


def test_a_device_waits_for_it_too(story: Story) -> None:
    """The card comes before the question whether to connect."""
    tv = {"client_name": "TV", "application_type": "native", "token_endpoint_auth_method": "none"}
    registered(story, "tv", grant_types=(DEVICE_CODE,), redirect_uris=(), **tv)
    begun = story.ask("POST", f"{ISSUER}/device_authorization", data={"client_id": "tv", "scope": "openid"}).json()
    browser = Browser(story, where=f"{ISSUER}/device")
    browser.page = browser.ask("GET", browser.where)
    browser.post(user_code=begun["user_code"])
    assert HEADING in browser.password("bob", COMMON).text
    assert "Connect a device?" in browser.post(new_password=GOOD).text


def test_the_own_account_waits_for_it_too(story: Story) -> None:
    """And is shown after it."""
    browser = AccountBrowser(story)
    browser.open()
    assert HEADING in browser.password("bob", COMMON).text
    assert "You are signed in as" in browser.post(new_password=GOOD).text


def test_the_own_account_is_no_way_around_the_card(story: Story) -> None:
    """The session is there once the password was right, and opens no page of the account before another was chosen,
    but the one where it is changed by whoever knows it."""
    browser = AccountBrowser(story)
    browser.authorize()
    browser.password("bob", COMMON)
    for page in ("", "/passkeys", "/authenticator"):
        assert HEADING in browser.open(page).text
    assert browser.open("/password").status_code == 200
    assert "Current password" in browser.page.text if browser.page else False
    browser.open("/authenticator")
    assert "Scan" in browser.post(new_password=GOOD).text


def test_a_session_that_runs_comes_to_the_card_when_its_password_is_found(story: Story) -> None:
    """Somebody else came with it, or the list is newer than the session. A form that was open sends its person there
    as well, and enrols nothing."""
    story.gateway.accounts.set_password("bob", GOOD)
    owner = AccountBrowser(story)
    owner.open("/authenticator")
    owner.password("bob", GOOD)
    offer, code, mark = owner.offer(), owner.new_code(), owner.csrf()
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET listed_version = password_version WHERE username = 'bob'")
    assert HEADING in owner.send("/authenticator", csrf=mark, offer=offer, code=code).text
    assert "totp" not in story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, "id-bob"))
    assert HEADING in owner.open().text
    assert "You are signed in as" in owner.post(new_password="another heron, another tide").text


def test_the_card_works_in_german_and_says_what_password_managers_need(story: Story) -> None:
    """`new-password` beside the name that it belongs to; nothing of it needs a script."""
    browser = Browser(story)
    browser.authorize(ui_locales="de")
    page = browser.password("bob", COMMON).text
    assert "Wählen Sie ein anderes Passwort" in page
    assert re.search(r'name="new_password"[^>]*autocomplete="new-password"', page)
    assert re.search(r'autocomplete="username" value="bob"', page)
    assert "Auch das neue Passwort" in browser.post(new_password="123456789qwerty").text


def test_letters_are_about_both(story: Story) -> None:
    """First that it was found, then that it was changed."""
    story.gateway.accounts.add("carol", COMMON, email="carol@example.com")
    browser = Browser(story)
    browser.authorize()
    browser.password("carol", COMMON)
    browser.post(new_password=GOOD)
    assert letters(story) == ["mail.password_breached", "mail.password_changed"]
