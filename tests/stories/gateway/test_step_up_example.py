"""The example API of the documentation, and the whole loop of RFC 9470: refused, signed in more strongly, let in."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from auth_gateway.core.provider.assurance import LEVELS
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "step_up_api.py"


@dataclass
class Api:
    """The example, asked from the story's loop."""

    story: Story
    app: Any

    def ask(self, method: str, path: str, token: str | None = None, scheme: str = "Bearer") -> httpx2.Response:
        headers = {} if token is None else {"authorization": f"{scheme} {token}"}

        async def send() -> httpx2.Response:
            async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://api") as client:
                return await client.request(method, path, headers=headers)

        return self.story.runner.run(send())


def example() -> Any:
    """The module as it stands in the documentation."""
    spec = importlib.util.spec_from_file_location("step_up_api", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def api_over(story: Story, transport: httpx2.AsyncBaseTransport) -> Api:
    """The example with that way to the issuer."""
    module = example()
    http = httpx2.AsyncClient(transport=transport)
    return Api(story, module.step_up_api(ISSUER, "iam-clients", http, story.clock.now))


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def api(story: Story) -> Api:
    """The example, which reaches the story's gateway."""
    return api_over(story, httpx2.ASGITransport(story.app))


@pytest.fixture
def secret(story: Story) -> str:
    """The application's."""
    return registered(story)


def challenge_of(response: httpx2.Response) -> dict[str, str]:
    """What the API wants, as the application reads it."""
    assert response.status_code == 401
    return dict(re.findall(r'(\w+)="([^"]*)"', response.headers["www-authenticate"]))


def test_an_api_gets_the_login_that_it_asks_for(story: Story, api: Api, secret: str) -> None:
    """Refused with one factor, sent back with the challenge's own words, let in with two."""
    browser = Browser(story)
    low = redeem(story, browser.sign_in()["code"], secret=secret).json()["access_token"]
    assert api.ask("GET", "/account", low).json() == {"of": "id-alice"}
    challenge = challenge_of(api.ask("POST", "/transfer", low))
    assert challenge == {"error": "insufficient_user_authentication", "acr_values": "aal2", "max_age": "300"}
    wishes = {name: challenge[name] for name in ("acr_values", "max_age")}
    assert "one-time-code" in browser.authorize(**wishes).text
    high = redeem(story, returned(browser.code())["code"], secret=secret).json()["access_token"]
    assert api.ask("POST", "/transfer", high).json() == {"sent_by": "id-alice"}


def test_a_login_that_was_strong_grows_old(story: Story, api: Api, secret: str) -> None:
    """Past five minutes the challenge brings the password back, and then the code."""
    browser = Browser(story)
    browser.authorize(acr_values="aal2")
    browser.password()
    token = redeem(story, returned(browser.code())["code"], secret=secret).json()["access_token"]
    story.clock.advance(300)
    assert api.ask("POST", "/transfer", token).status_code == 200
    story.clock.advance(1)
    challenge = challenge_of(api.ask("POST", "/transfer", token))
    page = browser.authorize(acr_values=challenge["acr_values"], max_age=challenge["max_age"])
    assert "current-password" in page.text
    browser.password()
    fresh = redeem(story, returned(browser.code())["code"], secret=secret).json()["access_token"]
    assert api.ask("POST", "/transfer", fresh).status_code == 200


def test_it_knows_every_level() -> None:
    """A level that it does not know would be nobody's."""
    assert list(LEVELS) == example().LEVELS


def test_what_is_no_access_token_is_refused(story: Story, api: Api, secret: str) -> None:
    """Nothing, another scheme, another kind of token, a changed one, an expired one."""
    tokens = redeem(story, Browser(story).sign_in()["code"], secret=secret).json()
    assert api.ask("GET", "/account").headers["www-authenticate"] == "Bearer"
    assert api.ask("GET", "/account", tokens["access_token"], scheme="DPoP").status_code == 401
    for token in (tokens["id_token"], tokens["access_token"][:-4] + "AAAA", "x", ""):
        assert challenge_of(api.ask("GET", "/account", token)) == {"error": "invalid_token"}
    story.clock.advance(tokens["expires_in"] + 1)
    assert challenge_of(api.ask("GET", "/account", tokens["access_token"])) == {"error": "invalid_token"}


def test_without_the_published_keys_nobody_is_let_in(story: Story, api: Api, secret: str) -> None:
    """The issuer cannot be reached: the API says that it cannot tell."""
    token = redeem(story, Browser(story).sign_in()["code"], secret=secret).json()["access_token"]

    def away(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502)

    alone = api_over(story, httpx2.MockTransport(away))
    assert alone.ask("GET", "/account", token).status_code == 503
