"""Anybody can begin a sign-in by browser, and each is kept for a while: how many one network may leave open."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from auth_gateway.core.throttle import FORGIVEN_SOONER, FREE_FAILURES
from tests.stories.gateway.relying_party import CALLBACK, ISSUER, Browser, asked, registered, returned
from tests.stories.gateway.story import Story

MANY = 8
NEIGHBOUR = "203.0.113.7"


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, story_with: Callable[..., Story]) -> Story:
    """A provider with a public and a confidential application, which turns away soon."""
    for scope in ("visit", "push"):
        monkeypatch.setitem(FREE_FAILURES, scope, MANY)
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    registered(running, "pub", token_endpoint_auth_method="none", application_type="native")
    return running


def count(story: Story, table: str) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - our words


def test_a_flood_at_the_authorization_endpoint_keeps_few_rows(story: Story) -> None:
    """A page with Retry-After for that network, and no row more; another network signs in meanwhile."""
    address = f"{ISSUER}/authorize?{urlencode(asked('pub'))}"
    answers = [story.ask("GET", address) for _ in range(3 * MANY)]
    assert Counter(answer.status_code for answer in answers) == {303: MANY, 429: 2 * MANY}
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].headers["content-type"].startswith("text/html")
    assert count(story, "interactions") == MANY
    assert "code" in Browser(story, peer=NEIGHBOUR).sign_in("bob", "pub")
    story.clock.advance(FORGIVEN_SOONER["visit"])
    assert story.ask("GET", address).status_code == 303


def test_a_flood_of_requests_that_wait_keeps_few_rows(story: Story) -> None:
    """Posted or pushed, by nobody who proves anything; an application that proves itself goes on."""
    secret = registered(story, "server")
    posts = [story.ask("POST", f"{ISSUER}/authorize", data=asked("pub")).status_code for _ in range(MANY)]
    assert posts == [303] * MANY
    for path in ("authorize", "par"):
        refused = story.ask("POST", f"{ISSUER}/{path}", data=asked("pub"))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert count(story, "pushed_requests") == MANY
    pushed = story.ask("POST", f"{ISSUER}/par", data=asked("server"), auth=("server", secret))
    assert pushed.status_code == 201


def test_an_office_that_signs_in_is_not_held_up(story: Story) -> None:
    """Who is let in gives the place back, and who is signed in already needs none."""
    for _ in range(2 * MANY):
        assert "code" in Browser(story).sign_in("bob", "pub")
    browser = Browser(story)
    browser.sign_in("bob", "pub")
    while story.ask("GET", f"{ISSUER}/authorize?{urlencode(asked('pub'))}").status_code == 303:
        pass
    assert "code" in returned(browser.authorize("pub"))
    silent = Browser(story).authorize("pub", prompt="none")
    assert silent.headers["location"].startswith(f"{CALLBACK}?error=login_required")
    assert browser.authorize("pub", prompt="login").status_code == 429


def test_a_request_that_is_fetched_gives_its_place_back(story: Story) -> None:
    """By post and by push, as often as people sign in."""
    for _ in range(MANY):
        posted = Browser(story)
        posted.follow(posted.ask("POST", f"{ISSUER}/authorize", data=asked("pub")))
        assert "code" in returned(posted.password("bob"))
        pushed = story.ask("POST", f"{ISSUER}/par", data=asked("pub")).json()["request_uri"]
        fetching = Browser(story)
        query = urlencode({"client_id": "pub", "request_uri": pushed})
        fetching.follow(fetching.ask("GET", f"{ISSUER}/authorize?{query}"))
        assert "code" in returned(fetching.password("bob"))


def test_a_request_that_is_fetched_takes_no_room(story: Story) -> None:
    """Left and fetched again and again, without a page in between: its place is given back, so its row must go."""
    for _ in range(2 * MANY):
        posted = story.ask("POST", f"{ISSUER}/authorize", data=asked("pub", prompt="none"))
        fetched = story.ask("GET", posted.headers["location"])
        assert fetched.headers["location"].startswith(f"{CALLBACK}?error=login_required")
    assert count(story, "pushed_requests") == 0


def test_a_person_who_agrees_gives_the_place_back(story: Story) -> None:
    """The code comes with their word."""
    registered(story, "asking", requires_consent=True)
    for _ in range(2 * MANY):
        browser = Browser(story)
        browser.authorize("asking", prompt="consent")
        browser.password("bob")
        assert "code" in returned(browser.post(answer="yes"))
