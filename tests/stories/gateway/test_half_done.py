"""What was half done when something ended or came between: a second factor on its way, a word that nobody was asked
for, a request that waits."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from auth_gateway.core.provider.authorization import Interaction
from auth_gateway.core.provider.client import DEVICE_CODE
from auth_gateway.flows.provider.sign_in import PASSING_SECONDS, SignInPage
from tests.stories.gateway.relying_party import ISSUER, Browser, asked, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def awaiting_a_code(story: Story) -> Browser:
    """Alice has signed in by password, and is asked to become stronger."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    assert 'name="code"' in browser.authorize(acr_values="aal2").text
    return browser


def by_the_operator(browser: Browser) -> None:
    assert browser.story.gateway.revoke.all_of("alice", reason="operator") == 1


def in_another_tab(browser: Browser) -> None:
    page, where = browser.page, browser.where
    browser.follow(browser.ask("GET", f"{ISSUER}/logout"))
    browser.where = f"{ISSUER}/logout"
    assert "You are signed out" in browser.post(answer="out").text
    browser.page, browser.where = page, where


def by_leaving_the_cookie_out(browser: Browser) -> None:
    del browser.cookies["__Host-session"]


def by_age(browser: Browser) -> None:
    with browser.story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE browser_sessions SET expires_at = created_at")


@pytest.mark.parametrize("end", [by_the_operator, in_another_tab, by_leaving_the_cookie_out, by_age])
def test_a_second_factor_alone_lets_nobody_in(story: Story, end: Callable[[Browser], None]) -> None:
    """The code makes a session stronger that runs at this browser; without it the password is asked for again, and the
    code is not spent."""
    browser = awaiting_a_code(story)
    end(browser)
    answer = browser.code()
    assert answer.status_code == 401
    assert 'name="password"' in answer.text
    assert "challenge.passed" not in [kind for kind, _ in story.audited()]
    assert 'name="code"' in browser.password().text
    assert "code" in returned(browser.code())


def test_two_step_ups_in_two_tabs_both_count(story: Story) -> None:
    """The first one changes the cookie; it is the same browser all the same."""
    first = awaiting_a_code(story)
    second = Browser(story, cookies=first.cookies)
    second.authorize(acr_values="aal2")
    assert "code" in returned(first.code())
    story.clock.advance(60)
    assert "code" in returned(second.code())


def right_after_a_password(browser: Browser) -> None:
    """The moment in which the session is there, and what is left to do is not known yet."""
    with browser.story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE interactions SET card = 'done', challenge = NULL, session_id = (SELECT session_id FROM sessions)"
        )


def card_of(story: Story) -> str:
    with story.gateway.database.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT card FROM interactions").scalar_one())


def test_an_answer_that_comes_second_undoes_no_login(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever presses twice has sent both answers before the first one's cookie came; what was begun goes on."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    second = Browser(story)
    second.authorize()
    unhindered, first_is_in = SignInPage.held, Browser(story, cookies=browser.cookies)

    async def overtaken(page: SignInPage, interaction: Interaction, binding: bytes | None, *, shown: bytes | None):  # type: ignore[no-untyped-def]
        with story.gateway.database.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE interactions SET card = 'done', session_id = (SELECT session_id FROM sessions) "
                "WHERE finished_at IS NULL"
            )
        return await unhindered(page, interaction, binding, shown=shown)

    with monkeypatch.context() as patch:
        patch.setattr(SignInPage, "held", overtaken)
        second.page = second.password()
    assert "code=" not in str(second.page.headers.get("location"))
    open_cards = "SELECT card FROM interactions WHERE finished_at IS NULL"
    with story.gateway.database.engine.connect() as connection:
        assert connection.exec_driver_sql(open_cards).scalars().all() == ["done"]
    first_is_in.cookies |= {"__Host-sign-in": second.cookies["__Host-sign-in"]}
    assert "code" in returned(first_is_in.ask("GET", second.where))


def test_who_comes_at_the_moment_of_a_login_finds_nothing_and_later_the_password(story: Story) -> None:
    """Another window that has no session's cookie; after ten seconds nobody is on the way any more."""
    registered(story)
    browser = Browser(story)
    browser.authorize(prompt="consent")
    browser.password()
    right_after_a_password(browser)
    stranger = with_the_sign_in_cookie_alone(browser)
    assert 'name="password"' not in stranger.ask("GET", stranger.where).text
    assert 'name="password"' not in stranger.ask("POST", stranger.where, data={"card": "done"}).text
    assert card_of(story) == "done"
    story.clock.advance(PASSING_SECONDS)
    assert 'name="password"' in stranger.follow(stranger.ask("GET", stranger.where)).text


def test_a_word_that_nobody_asked_for_connects_no_device(story: Story) -> None:
    """A yes that arrives with the password passes neither the level that the device asks for nor the card that says
    what the yes is to."""
    registered(story, "tv", grant_types=(DEVICE_CODE,), redirect_uris=(), token_endpoint_auth_method="none")
    form = {"client_id": "tv", "scope": "openid", "acr_values": "aal2"}
    user_code = story.ask("POST", f"{ISSUER}/device_authorization", data=form).json()["user_code"]
    browser = Browser(story, where=f"{ISSUER}/device")
    browser.page = browser.ask("GET", browser.where)
    browser.post(user_code=user_code)
    browser.password()
    right_after_a_password(browser)
    assert 'name="code"' in browser.post(card="done", answer="yes").text
    assert "device.approved" not in [kind for kind, _ in story.audited()]
    assert "Connect it" in browser.code().text


def test_a_word_that_nobody_asked_for_is_no_consent(story: Story) -> None:
    """What an application asks for is shown before anybody can agree to it."""
    registered(story, requires_consent=True)
    browser = Browser(story)
    browser.authorize()
    browser.password()
    right_after_a_password(browser)
    assert 'value="consent"' in browser.post(card="done", answer="yes").text
    assert "consent.given" not in [kind for kind, _ in story.audited()]


def with_the_sign_in_cookie_alone(browser: Browser) -> Browser:
    """Somebody who had the cookie before its person signed in, and knows the address."""
    cookies = {"__Host-sign-in": browser.cookies["__Host-sign-in"]}
    return Browser(browser.story, peer="203.0.113.66", cookies=cookies, where=browser.where)


def test_who_knew_the_cookie_before_the_login_does_not_speak_for_the_person(story: Story) -> None:
    """A cookie that is older than the login says who began, and not who is in: consent takes the session's as well."""
    registered(story, requires_consent=True)
    browser = Browser(story)
    browser.authorize()
    assert 'value="consent"' in browser.password().text
    stranger = with_the_sign_in_cookie_alone(browser)
    stranger.page = browser.page
    assert 'name="password"' in stranger.post(answer="yes").text
    assert "consent.given" not in [kind for kind, _ in story.audited()]


def test_a_login_that_is_done_gives_its_code_to_its_own_browser(story: Story) -> None:
    """Where the way on broke off after the password, the browser that was let in goes on, and nobody else."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    browser.authorize(acr_values="aal2")
    right_after_a_password(browser)
    assert 'name="code"' in browser.follow(browser.ask("GET", browser.where)).text
    right_after_a_password(browser)
    story.clock.advance(PASSING_SECONDS)
    stranger = with_the_sign_in_cookie_alone(browser)
    assert 'name="password"' in stranger.follow(stranger.ask("GET", stranger.where)).text


def test_a_pushed_request_goes_with_its_client(story: Story) -> None:
    """Who is registered under the name again may have other addresses."""
    public = {"token_endpoint_auth_method": "none", "application_type": "native"}
    registered(story, **public)
    registered(story, "other", **public)
    waiting = {name: story.ask("POST", f"{ISSUER}/par", data=asked(name)).json() for name in ("app", "other")}
    story.gateway.registrations.remove("app")
    registered(story, redirect_uris=("https://elsewhere.example/cb",), **public)
    found = {}
    for name, pushed in waiting.items():
        query = urlencode({"client_id": name, "request_uri": pushed["request_uri"]})
        found[name] = story.ask("GET", f"{ISSUER}/authorize?{query}").status_code
    assert found == {"app": 400, "other": 303}
