"""Answers to one card that arrive together: one counts."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from tests.stories.gateway.relying_party import CALLBACK, ISSUER, Browser, registered
from tests.stories.gateway.story import HOME, PASSWORD, Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def together(browser: Browser, times: int, **typed: str) -> list[httpx2.Response]:
    """The same form so many times at once."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookie, "user-agent": browser.agent}
    data = {**browser.fields(), **typed}

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(browser.story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport) as client:
            posts = [client.post(browser.where, data=data, headers=headers) for _ in range(times)]
            return await asyncio.gather(*posts)

    return browser.story.runner.run(send())


def codes(answers: list[httpx2.Response]) -> list[str]:
    places = [answer.headers.get("location", "") for answer in answers]
    return [place for place in places if place.startswith(f"{CALLBACK}?code=")]


def count(story: Story, table: str) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - our words


@pytest.mark.parametrize("times", [2, 5, 20])
def test_of_passwords_that_arrive_together_one_begins_a_session(story: Story, times: int) -> None:
    """One session, one cookie that leads to it, one code."""
    registered(story)
    browser = Browser(story)
    browser.authorize()
    answers = together(browser, times, username="alice", password=PASSWORD)
    assert len(codes(answers)) == 1
    assert all(answer.status_code in {303, 410, 429} for answer in answers)  # tries at once are counted together
    assert (count(story, "sessions"), count(story, "browser_sessions")) == (1, 1)
    assert count(story, "authorization_codes") == 1


@pytest.mark.parametrize("times", [2, 5, 20])
def test_of_agreements_that_arrive_together_one_gets_the_code(story: Story, times: int) -> None:
    """The others find the interaction finished."""
    registered(story, requires_consent=True)
    browser = Browser(story)
    browser.authorize()
    browser.password()
    answers = together(browser, times, answer="yes")
    assert len(codes(answers)) == 1
    assert all(answer.status_code in {303, 410} for answer in answers)
    assert count(story, "authorization_codes") == 1


@pytest.mark.parametrize("times", [2, 5, 20])
def test_of_codes_that_arrive_together_one_is_spent(story: Story, times: int) -> None:
    """A code of an authenticator counts once, whoever shows it."""
    registered(story)
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize()
    browser.password()
    answers = together(browser, times, code=story.code())
    assert len(codes(answers)) == 1
    assert all(answer.status_code < 500 for answer in answers)
    assert count(story, "sessions") == 1


def test_a_denial_is_written_down_even_when_another_answer_was_faster(story: Story) -> None:
    """No race hides a refusal from the operator."""
    registered(story)
    story.scorer.score = 95.0
    browser = Browser(story)
    browser.authorize()
    answers = together(browser, 3, username="alice", password=PASSWORD)
    assert codes(answers) == []
    assert [kind for kind, _ in story.audited()].count("login.denied") == 3
