"""Another password at the account page: by whom, which, and what it ends."""

from collections.abc import Callable

import httpx2
import pytest

from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.core.factor import TrustedDevice
from tests.stories.gateway.account_pages import ACCOUNT, AccountBrowser, letters, lines
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import NOW, PASSWORD, Story

NEW = "correct horse battery staple"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def change(browser: AccountBrowser, current: str = PASSWORD, new: str = NEW) -> httpx2.Response:
    return browser.send("/password", current=current, new=new)


def guess(browser: AccountBrowser) -> httpx2.Response:
    browser.open("/password")
    return change(browser, "Wrong-password-1")


def running(story: Story, username: str) -> int:
    sessions = story.gateway.database.read(lambda tx: story.gateway.sessions.of_user(tx, f"id-{username}"))
    return sum(each.revoked_at is None for each in sessions)


def test_the_password_is_changed_and_everybody_else_is_out(story: Story) -> None:
    """The other browser's session and the trust in browsers end, this one stays; the old password opens nothing."""
    device = TrustedDevice(
        token_digest=b"t",
        device_id="d",
        user_id="id-bob",
        user_agent="",
        ip="",
        place="",
        created_at=NOW,
        expires_at=NOW + 9e9,
    )
    story.gateway.database.write_sync(lambda tx: StoredTrustedDevices().add(tx, device))
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = 'bob@example.org', email_verified = 1")
    other, browser = AccountBrowser(story), AccountBrowser(story)
    other.enter("bob")
    browser.enter("bob", "/password")
    done = change(browser)
    assert "Your password is changed" in done.text
    assert running(story, "bob") == 1
    assert "Sign in" in other.open().text
    assert story.login("bob").status_code == 401
    assert story.login("bob", NEW).status_code == 200
    assert [line[0] for line in lines(browser, "user.password_changed", "device.distrusted")] == [
        "user.password_changed",
        "device.distrusted",
    ]
    assert letters(story) == ["mail.password_changed"]


def test_a_copy_of_the_cookie_from_before_opens_nothing(story: Story) -> None:
    """Whoever had stolen it is out with the password."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/password")
    thief = AccountBrowser(story, cookies=dict(browser.cookies))
    change(browser)
    assert "You are signed in" in browser.open().text
    assert "You are signed in" not in thief.open().text
    assert "/sign-in/" in thief.where


@pytest.mark.parametrize(
    ("current", "new", "problem"),
    [
        ("Wrong-password-1", NEW, "The current password is wrong"),
        ("", NEW, "The current password is wrong"),
        (PASSWORD, "", "cannot be used"),
        (PASSWORD, "fourteen chars", "too short"),
        (PASSWORD, "x" * 257, "too long"),
        (PASSWORD, "bob bob bob bob bob", "little more than your name"),
        (PASSWORD, "1qaz2wsx3edc4rfv", "others guess first"),
    ],
)
def test_what_is_not_taken(story: Story, current: str, new: str, problem: str) -> None:
    """Said on the page, nothing typed is repeated, and the password stays."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/password")
    refused = change(browser, current, new)
    assert refused.status_code == 400
    assert problem in refused.text
    assert new == "" or new not in refused.text
    assert story.login("bob").status_code == 200
    assert lines(browser, "user.password_changed") == []


def test_beside_a_factor_eight_characters_are_enough(story: Story) -> None:
    """Alice has an authenticator; seven are too few for her too."""
    browser = AccountBrowser(story)
    browser.strong("/password")
    assert "too short" in change(browser, new="k7#pq2x").text
    assert "is changed" in change(browser, new="k7#pq2xv").text


def test_the_password_that_one_has_is_no_new_one(story: Story) -> None:
    """Whoever is to change it changes it."""
    browser = AccountBrowser(story)
    browser.strong("/password")
    assert "password that you have" in change(browser, new=PASSWORD).text


def test_guesses_at_the_current_password_are_throttled_and_lock_nobody_out(story: Story) -> None:
    """A stolen session gets a few guesses; its owner's login elsewhere is not made to wait."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/password")
    answers = [guess(browser) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert story.login("bob", peer="192.0.2.55").status_code == 200


def test_of_two_changes_at_once_one_counts(story: Story) -> None:
    """The second form is one of a cookie that leads nowhere any more."""
    first = AccountBrowser(story)
    first.enter("bob", "/password")
    second = AccountBrowser(story, cookies=dict(first.cookies), page=first.page, where=first.where)
    change(first)
    change(second, new="another good long password")
    assert "/sign-in/" in second.where
    assert story.login("bob", NEW).status_code == 200
    assert len(lines(first, "user.password_changed")) == 1


def test_an_account_without_a_verified_address_gets_no_letter(story: Story) -> None:
    """Nobody knows whose that address is."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/password")
    change(browser)
    assert letters(story) == []


def test_the_form_works_for_password_managers(story: Story) -> None:
    """The name for them, current and new told apart, no length cut and pasting allowed."""
    page = AccountBrowser(story).enter("bob", "/password").text
    assert 'autocomplete="username" value="bob"' in page
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert "onpaste" not in page
    assert f'action="{ACCOUNT.removeprefix(ISSUER)}/password"' in page
