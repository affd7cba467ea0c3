"""Account forms that arrive together, and a database that is away: one counts, and nothing is half done."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from plumbing.refusals import Refused
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.account_pages import ACCOUNT, AccountBrowser, lines
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import HOME, PASSWORD, Story

NEW = "correct horse battery staple"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def together(browser: AccountBrowser, page: str, times: int, **fields: str) -> list[httpx2.Response]:
    """The same form so many times at once."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookie, "user-agent": browser.agent}
    data = {"csrf": browser.csrf(), **fields}

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(browser.story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport) as client:
            return await asyncio.gather(
                *(client.post(f"{ACCOUNT}{page}", data=data, headers=headers) for _ in range(times))
            )

    return browser.story.runner.run(send())


@pytest.mark.parametrize("times", [2, 5, 20])
def test_of_first_codes_that_arrive_together_one_enrols(story: Story, times: int) -> None:
    """The others find the offer used, and no second factor in its place."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/authenticator")
    answers = together(browser, "/authenticator", times, offer=browser.offer(), code=browser.new_code())
    assert sum("authenticator_added" in answer.headers.get("location", "") for answer in answers) == 1
    assert all(answer.status_code in (303, 409) for answer in answers)
    assert len([line for line in lines(browser, "factor.enrolled") if line[2] == "totp"]) == 1


@pytest.mark.parametrize("times", [2, 5, 20])
def test_of_one_form_for_recovery_codes_one_answer_shows_some(story: Story, times: int) -> None:
    """What is shown is what counts: a second set would be one that nobody wrote down."""
    browser = AccountBrowser(story)
    page = browser.strong("/recovery-codes")
    once = page.text.split('name="once" value="')[1].split('"')[0]
    answers = together(browser, "/recovery-codes", times, once=once)
    assert sum("<li><code>" in answer.text for answer in answers) == 1
    assert len(lines(browser, "recovery_codes.made")) == 1


@pytest.mark.parametrize("times", [2, 5])
def test_of_changes_of_one_password_one_counts(story: Story, times: int) -> None:
    """The others are of a cookie and a password that are no more; one cookie leads on."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/password")
    answers = together(browser, "/password", times, current=PASSWORD, new=NEW)
    assert sum("password_changed" in answer.headers.get("location", "") for answer in answers) == 1
    assert all(answer.status_code in (303, 400, 409, 429) for answer in answers)
    assert len(lines(browser, "user.password_changed")) == 1
    assert story.login("bob", NEW).status_code == 200


@pytest.mark.parametrize("times", [2, 5])
def test_of_sign_outs_of_one_session_one_says_so(story: Story, times: int) -> None:
    """The others find nothing to end, and its end is written down once."""
    other, browser = AccountBrowser(story), AccountBrowser(story)
    other.enter("bob")
    browser.enter("bob")
    sessions = story.gateway.database.read(lambda tx: story.gateway.sessions.of_user(tx, "id-bob"))
    answers = together(browser, "/sessions/end", times, session=sessions[1].session_id)
    assert sorted(answer.status_code for answer in answers) == [303] + [404] * (times - 1)
    assert len(lines(browser, "session.revoked")) == 1


def test_of_two_factors_that_are_removed_at_once_one_stays(story: Story) -> None:
    """Each was not the last when its form was sent, and asked for no password."""
    browser = AccountBrowser(story)
    browser.strong("/passkeys")
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    browser.send("/passkeys", credential=key.create(browser.options()), name="Mine")
    browser.open("/passkeys")
    passkey = urlsafe_b64encode(key.credential_id).decode()
    data = {"csrf": browser.csrf(), "passkey": passkey}
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    headers["user-agent"] = browser.agent

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport) as client:
            pages = ("/authenticator/remove", "/passkeys/remove")
            return await asyncio.gather(
                *(client.post(f"{ACCOUNT}{page}", data=data, headers=headers) for page in pages)
            )

    statuses = sorted(answer.status_code for answer in story.runner.run(send()))
    assert statuses[0] == 303
    assert statuses[1] in (400, 409)
    assert len(story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, "id-alice"))) == 1


def test_without_storage_nothing_is_changed(story: Story) -> None:
    """A page that says so, 503 and when to come back; afterwards everything is as it was."""
    browser = AccountBrowser(story)
    browser.strong("/authenticator")
    database = story.gateway.database
    offer, code, mark = browser.offer(), browser.new_code(), browser.csrf()

    async def broken(_job: Any) -> Any:
        raise Refused("storage_unavailable", "The storage cannot be written to.", status=503, retry_after_seconds=1)

    kept = database.write
    database.write = broken  # type: ignore[method-assign]
    for page, fields in (
        ("/authenticator", {"offer": offer, "code": code}),
        ("/passkeys/rename", {"passkey": "AAAA", "name": "x"}),
        ("/recovery-codes", {"once": "x"}),
        ("/password", {"current": PASSWORD, "new": NEW}),
        ("/sessions/end-all", {"which": "all"}),
    ):
        answer = browser.send(page, csrf=mark, **fields)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "storage_unavailable" in answer.text
    database.write = kept  # type: ignore[method-assign]
    assert browser.open("/authenticator").status_code == 200
    assert story.login("alice").status_code == 200
    assert [line[0] for line in lines(browser, "factor.removed", "recovery_codes.made", "session.revoked")] == []
