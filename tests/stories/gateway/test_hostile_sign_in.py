"""What strangers send to the addresses that browsers use: a page with a code of its own, never a crash."""

import sqlite3
from collections.abc import Callable

import pytest

from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import Story

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    registered(running)
    return running


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id=app",
        "client_id=app&client_id=app",
        "client_id=%ff",
        "client_id=%00",
        "client_id=" + "a" * 20_000,
        "&" * 1000,
        "a=1&" * 200,
        "client_id=app&redirect_uri=javascript:alert(1)&response_type=code",
        "client_id=app&redirect_uri=https://app.example/cb%0d%0aset-cookie:x=1",
        "client_id=app&request_uri=urn:ietf:params:oauth:request_uri:%00",
        "client_id=%ED%A0%80",
        "client_id=%F0%9F%92%A9",
    ],
)
def test_a_malformed_request_is_a_page_for_the_person(story: Story, query: str) -> None:
    """By GET and by POST, with nothing of it on the page."""
    for answer in (
        story.ask("GET", f"{ISSUER}/authorize?{query}"),
        story.ask("POST", f"{ISSUER}/authorize", content=query, headers=FORM),
    ):
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        assert "location" not in answer.headers
        assert "javascript" not in answer.text


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_form_of_another_kind_is_refused(story: Story, kind: str) -> None:
    """Text can be posted from any page without asking; a form is what we read."""
    browser = Browser(story)
    browser.authorize()
    for address in (f"{ISSUER}/authorize", browser.where):
        assert browser.ask("POST", address, content=b"{}", headers={"content-type": kind}).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"card=password",
        b"csrf=%ff&card=password",
        b"csrf=x&csrf=y",
        b"csrf=" + b"x" * 40_000,
        b"\xff\xfe",
        b"csrf=%00",
        b"a=1&" * 100,
    ],
)
def test_a_malformed_answer_to_a_card_signs_nobody_in(story: Story, body: bytes) -> None:
    """Whatever is wrong with it."""
    browser = Browser(story)
    browser.authorize()
    answer = browser.ask("POST", browser.where, content=body, headers=FORM)
    assert 400 <= answer.status_code < 500
    assert "__Host-session" not in browser.cookies


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice\0", "x"), ("\ud83d\udca9" * 50, "x"), ("a" * 5000, "x"), ("alice", "p" * 20_000), ("", "")],
)
def test_an_impossible_name_or_password_is_a_wrong_one(story: Story, name: str, password: str) -> None:
    """Or not a form at all; never a crash, never a session."""
    browser = Browser(story)
    browser.authorize()
    name = name.encode("utf-16", "surrogatepass").decode("utf-16")
    assert browser.password(name, password).status_code in {400, 401}
    assert "__Host-session" not in browser.cookies


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_name_without_a_password_is_asked_for_it(story: Story, name: str) -> None:
    """Whoever is called so: nobody is looked up yet."""
    browser = Browser(story)
    browser.authorize()
    assert browser.password(name, "").status_code == 200
    assert "__Host-session" not in browser.cookies


@pytest.mark.parametrize("interaction_id", ["x", "a" * 43, "%00", "..%2f..%2fetc", "%F0%9F%92%A9", "a" * 5000])
def test_an_invented_interaction_is_over(story: Story, interaction_id: str) -> None:
    """The same page as for an old one."""
    browser = Browser(story)
    browser.authorize()
    answer = browser.ask("GET", f"{ISSUER}/sign-in/{interaction_id}")
    assert answer.status_code in {404, 410}


@pytest.mark.parametrize("cookie", ["x", "\x7f", "a" * 43, "a" * 5000, '"quoted"', "%00"])
def test_an_invented_cookie_is_nobodys(story: Story, cookie: str) -> None:
    """It opens nothing and is replaced where it is no value of ours."""
    browser = Browser(story)
    browser.cookies = {"__Host-session": cookie, "__Host-sign-in": cookie}
    assert browser.authorize().status_code == 200
    assert "code" not in browser.authorize(prompt="none").headers["location"].partition("?")[2].split("=")[0]


def test_a_database_that_another_process_holds_is_a_page_that_says_to_come_back(
    monkeypatch: pytest.MonkeyPatch, story_with: Callable[..., Story]
) -> None:
    """Fails closed: nobody is let in, and the same form works again once the other lets go."""
    monkeypatch.setattr("plumbing.connections.BUSY_TIMEOUT_MS", 50)
    story = story_with(jwt_issuer=ISSUER)
    registered(story)
    browser = Browser(story)
    browser.authorize()
    page, where = browser.page, browser.where
    other = sqlite3.connect(story.gateway.settings.auth_gateway_state / "gateway.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for answer in (browser.password(), browser.authorize()):
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/html")
        assert "retry-after" in answer.headers
    assert "__Host-session" not in browser.cookies
    other.execute("ROLLBACK")
    other.close()
    browser.page, browser.where = page, where
    assert "code" in returned(browser.password())
