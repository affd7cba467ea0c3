"""Requests that an application pushes beforehand (RFC 9126)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.applications import Key
from tests.stories.gateway.relying_party import ISSUER, Browser, asked, redeem, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def secret(story: Story) -> str:
    """The application's."""
    return registered(story)


def push(story: Story, secret: str, **changed: Any) -> Any:
    return story.ask("POST", f"{ISSUER}/par", data=asked(**changed), auth=("app", secret))


def fetched(browser: Browser, request_uri: str, client_id: str = "app", **more: str) -> Any:
    params = {"client_id": client_id, "request_uri": request_uri, **more}
    return browser.follow(browser.ask("GET", f"{ISSUER}/authorize", params=params))


def test_a_pushed_request_is_taken_once(story: Story, secret: str) -> None:
    """It stands for all the parameters; the second time it stands for nothing."""
    pushed = push(story, secret)
    assert pushed.status_code == 201
    assert pushed.json()["expires_in"] == 60
    browser = Browser(story)
    assert fetched(browser, pushed.json()["request_uri"]).status_code == 200
    code = returned(browser.password())["code"]
    assert redeem(story, code, secret=secret).status_code == 200
    again = fetched(browser, pushed.json()["request_uri"])
    assert (again.status_code, "location" in again.headers) == (400, False)


def test_what_is_beside_a_pushed_request_does_not_count(story: Story, secret: str) -> None:
    """What was read is what is done."""
    browser = Browser(story)
    fetched(
        browser, push(story, secret).json()["request_uri"], scope="openid email", redirect_uri="https://evil.example"
    )
    tokens = redeem(story, returned(browser.password())["code"], secret=secret).json()
    assert tokens["scope"] == "openid profile"


def test_a_pushed_request_waits_a_minute(story: Story, secret: str) -> None:
    """Then its application starts again."""
    request_uri = push(story, secret).json()["request_uri"]
    story.clock.advance(60)
    assert fetched(Browser(story), request_uri).status_code == 400


def test_a_pushed_request_is_its_own_clients(story: Story, secret: str) -> None:
    """Another client's id beside it opens nothing."""
    registered(story, "other")
    assert fetched(Browser(story), push(story, secret).json()["request_uri"], "other").status_code == 400


@pytest.mark.parametrize("request_uri", ["urn:x", "urn:ietf:params:oauth:request_uri:", "urn:" + "x" * 300])
def test_an_invented_request_is_nothing(story: Story, secret: str, request_uri: str) -> None:
    """A page, never a redirect: nobody knows where to."""
    assert fetched(Browser(story), request_uri).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "nothing"}, "invalid_scope"),
        ({"client_id": "other"}, "invalid_client"),
    ],
)
def test_mistakes_are_told_to_the_application(story: Story, secret: str, changed: dict[str, str], error: str) -> None:
    """Before any person sees them."""
    answer = push(story, secret, **changed)
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == error


def test_pushing_needs_the_clients_proof(story: Story, secret: str) -> None:
    """A wrong secret pushes nothing."""
    answer = push(story, "wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_that_must_push_is_held_to_it(story: Story) -> None:
    """By query and by form alike."""
    secret = registered(story, require_pushed_authorization_requests=True)
    browser = Browser(story)
    assert returned(browser.authorize())["error"] == "invalid_request"
    assert returned(story.ask("POST", f"{ISSUER}/authorize", data=asked()))["error"] == "invalid_request"
    fetched(browser, push(story, secret).json()["request_uri"])
    assert "code" in returned(browser.password())


def test_a_proof_beside_a_pushed_request_binds_the_code_to_its_key(story: Story, secret: str) -> None:
    """Once: a proof that was seen on the way pushes nothing, and another key redeems nothing (RFC 9449, section 10)."""
    key = Key()
    headers = {"dpop": key.proof(story, path="/par")}
    pushed = story.ask("POST", f"{ISSUER}/par", data=asked(), auth=("app", secret), headers=headers)
    assert pushed.status_code == 201
    again = story.ask("POST", f"{ISSUER}/par", data=asked(), auth=("app", secret), headers=headers)
    assert again.json()["error"] == "invalid_dpop_proof"
    browser = Browser(story)
    fetched(browser, pushed.json()["request_uri"])
    code = returned(browser.password())["code"]
    assert redeem(story, code, secret=secret).status_code == 400
    code = returned(browser.authorize(dpop_jkt=key.jkt))["code"]
    tokens = redeem(story, code, secret=secret, headers={"dpop": key.proof(story)}).json()
    assert tokens["token_type"] == "DPoP"
