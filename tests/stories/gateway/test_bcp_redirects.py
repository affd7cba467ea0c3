"""What RFC 9700 asks of everything that goes through a browser, where no other story asks it already."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.provider.protocol import is_registered
from auth_gateway.core.provider.client import RegisteredClient
from tests.stories.gateway.relying_party import ISSUER, Browser, asked, redeem, registered, returned
from tests.stories.gateway.story import Story

PUBLIC: dict[str, Any] = {"token_endpoint_auth_method": "none", "application_type": "native"}
WITHOUT = [
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge_method": None},
    {"code_challenge_method": "plain"},
    {"code_challenge": ""},
]


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.mark.parametrize(
    ("uri", "is_taken"),
    [
        ("http://127.0.0.1:51000/cb", True),
        ("http://localhost:3000/cb", True),
        ("http://localhost:51000/cb", False),
        ("https://app.example:8443/cb", False),
        ("https://app.example/cb", True),
    ],
)
def test_only_a_loopback_address_has_a_free_port(uri: str, is_taken: bool) -> None:
    """Section 4.1.3 and RFC 8252, section 8.3: `localhost` is a name, and a name can be somebody else's."""
    uris = ("http://127.0.0.1/cb", "http://localhost:3000/cb", "https://app.example/cb")
    client = RegisteredClient(client_id="phone", redirect_uris=uris, **PUBLIC)
    assert is_registered(client, uri) is is_taken


@pytest.mark.parametrize("registration", [{}, PUBLIC], ids=["confidential", "public"])
@pytest.mark.parametrize("changed", WITHOUT, ids=["nothing", "no-method", "plain", "empty"])
def test_no_application_gets_by_without_pkce(
    story: Story, changed: dict[str, Any], registration: dict[str, Any]
) -> None:
    """Section 2.1.1: a secret does not stand in for it, at the browser's door and when the request is pushed."""
    secret = registered(story, **registration)
    assert returned(Browser(story).authorize(**changed))["error"] == "invalid_request"
    auth = ("app", secret) if not registration else None
    pushed = story.ask("POST", f"{ISSUER}/par", data=asked(**changed), auth=auth)
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_request")


def test_a_challenge_that_was_made_for_one_code_opens_no_other(story: Story) -> None:
    """Section 4.5: a code that is put into somebody else's answer lacks that visit's verifier."""
    secret = registered(story)
    stolen = Browser(story).sign_in(code_challenge="x" * 43)["code"]
    mine = Browser(story).sign_in()["code"]
    assert redeem(story, stolen, secret=secret).json()["error"] == "invalid_grant"
    assert redeem(story, mine, secret=secret).status_code == 200


@pytest.mark.parametrize("grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
def test_other_grants_are_not_there(story: Story, grant_type: str) -> None:
    """Section 2.4: no application trades a password for tokens at the token endpoint."""
    secret = registered(story, may_log_in=True)
    form = {"grant_type": grant_type, "username": "alice", "password": "Password123!", "scope": "openid"}
    answer = story.ask("POST", "/token", data=form, auth=("app", secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_no_password_is_posted_on(story: Story) -> None:
    """Section 4.12: 307 would have the browser send the form to the application; 303 makes it a GET."""
    registered(story)
    browser = Browser(story)
    browser.authorize()
    typed = {**browser.fields(), "username": "alice", "password": "Password123!"}
    answer = browser.ask("POST", browser.where, data=typed)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://app.example/")
    assert "Password123!" not in answer.headers["location"]


def pages_of(story: Story) -> list[httpx2.Response]:
    """One of each kind that people see."""
    registered(story, requires_consent=True)
    browser, denied = Browser(story), Browser(story)
    pages = [browser.authorize(), browser.authorize(redirect_uri="https://evil.example"), browser.authorize()]
    pages += [browser.password("alice", "wrong"), browser.password()]
    story.scorer.score = 95.0
    denied.authorize()
    pages += [denied.password(), story.ask("GET", f"{ISSUER}/device"), browser.ask("GET", f"{ISSUER}/logout")]
    pages.append(story.ask("GET", f"{ISSUER}/sign-in/invented"))
    return pages


def test_no_page_can_be_framed_and_none_tells_where_it_was(story: Story) -> None:
    """Sections 4.16 and 4.2.4: what is clicked is what is seen, and no address of ours goes to another site."""
    pages = pages_of(story)
    assert {page.status_code for page in pages} == {200, 400, 401, 403, 410}
    for page in pages:
        assert page.headers["content-type"].startswith("text/html")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] in {"same-origin", "no-referrer"}
        assert not any(f'{name}="http' in page.text for name in ("src", "href"))
