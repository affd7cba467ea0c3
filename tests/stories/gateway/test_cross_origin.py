"""Applications that are pages in a browser: what they may read across origins, and what nobody may."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from plumbing.refusals import Refused
from tests.stories.gateway.applications import (
    CALLBACK,
    ISSUER,
    VERIFIER,
    Application,
    Key,
    code_for,
    register,
)
from tests.stories.gateway.story import NOW, Story

PAGE, STRANGER = "https://app.example", "https://evil.example"
DOCUMENTS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
)
SHARED = {
    "/token": "POST",
    "/userinfo": "GET, POST",
    "/revoke": "POST",
    "/par": "POST",
    "/device_authorization": "POST",
}
CLOSED = (
    *("/authorize", "/sign-in/x", "/logout", "/login", "/login/complete", "/introspect", "/device"),
    *("/assets/pages.css", "/health", "/ready", "/docs", "/openapi.json"),
)


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def page(story: Story) -> Application:
    """An application that is a page, registered as browsers' applications are."""
    return register(
        story,
        "spa",
        token_endpoint_auth_method="none",
        application_type="native",
        grant_types=("authorization_code", "refresh_token"),
        redirect_uris=(CALLBACK, "http://127.0.0.1:3000/cb", "com.example.app:/cb"),
    )


def preflight(story: Story, path: str, origin: str = PAGE, method: str = "POST") -> httpx2.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,dpop",
    }
    return story.ask("OPTIONS", path, headers=headers)


def post(story: Story, path: str, origin: str = PAGE, **options: Any) -> httpx2.Response:
    return story.ask("POST", path, headers={"origin": origin, **options.pop("headers", {})}, **options)


def shared(answer: httpx2.Response) -> dict[str, str]:
    """What the answer says to browsers about other origins."""
    return {name[15:]: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_and_keys_are_for_every_page(story: Story, path: str) -> None:
    """They say the same to everybody, also from a cache that was asked by no page."""
    for headers in ({"origin": PAGE}, {"origin": STRANGER}, {"origin": "null"}, {}):
        answer = story.ask("GET", path, headers=headers)
        assert (answer.status_code, shared(answer)) == (200, {"allow-origin": "*"})
        assert answer.headers.get("vary") is None


@pytest.mark.parametrize(("path", "methods"), SHARED.items())
def test_a_registered_page_may_ask_and_read(story: Story, page: Application, path: str, methods: str) -> None:
    """The preflight says what it may send; the answer, a refusal here, names its origin and no credentials."""
    asked = preflight(story, path)
    assert asked.status_code == 204
    assert shared(asked) == {
        "allow-origin": PAGE,
        "allow-methods": methods,
        "allow-headers": "Authorization, Content-Type, DPoP",
        "max-age": "600",
    }
    assert asked.headers["vary"] == "Origin"
    assert asked.headers["x-content-type-options"] == "nosniff"
    answer = post(story, path, data={"client_id": "nobody"})
    assert answer.status_code in {400, 401}
    assert shared(answer)["allow-origin"] == PAGE
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", SHARED)
def test_nobody_else_reads_anything(story: Story, page: Application, path: str) -> None:
    """Strangers, origins that hide, and all that only resemble a registered one; browsers write origins in one way."""
    for origin in (
        *(STRANGER, "null", "*", "", "https://app.example.evil.example", "https://sub.app.example"),
        *("http://app.example", "https://app.example:8443", "https://app.example/", "HTTPS://APP.EXAMPLE"),
        *("http://127.0.0.1:3001", "http://localhost:3000", "com.example.app:", "https://id.example"),
    ):
        for answer in (preflight(story, path, origin), post(story, path, origin, data={"client_id": "nobody"})):
            assert (answer.status_code >= 400, shared(answer)) == (True, {}), origin


def test_applications_with_a_server_have_no_pages(story: Story) -> None:
    """Whoever proves itself calls from its own server, and its page is one like any other."""
    register(story, "web", redirect_uris=("https://web.example/cb",))
    register(story, "keyed", key=Key(), redirect_uris=("https://keyed.example/cb",))
    for origin in ("https://web.example", "https://keyed.example"):
        assert shared(preflight(story, "/token", origin)) == {}


def test_where_people_are_no_page_reads(story: Story, page: Application) -> None:
    """Cards, cookies, passwords and introspection are nothing for pages, not even registered ones."""
    for path in CLOSED:
        for method in ("GET", "POST", "OPTIONS"):
            answer = story.ask(method, path, headers={"origin": PAGE, "access-control-request-method": "POST"})
            assert (shared(answer), answer.status_code == 204) == ({}, False), path


def test_a_page_gets_its_tokens_and_reads_who_signed_in(story: Story, page: Application) -> None:
    """Code, claims, refresh and the way back, each as a browser shows it to the page."""
    form = {"client_id": "spa", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    code = code_for(page)
    answer = post(story, "/token", data={"grant_type": "authorization_code", "code": code, **form})
    tokens = answer.json()
    assert (answer.status_code, shared(answer)) == (200, {"allow-origin": PAGE})
    bearer = {"authorization": f"Bearer {tokens['access_token']}", "origin": PAGE}
    claims = story.ask("GET", "/userinfo", headers=bearer)
    assert (claims.json()["sub"], shared(claims)) == ("id-alice", {"allow-origin": PAGE})
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "spa"}
    fresh = post(story, "/token", data=again)
    assert (fresh.status_code, shared(fresh)) == (200, {"allow-origin": PAGE})
    given_back = post(story, "/revoke", data={"token": fresh.json()["refresh_token"], "client_id": "spa"})
    assert (given_back.status_code, shared(given_back)) == (200, {"allow-origin": PAGE})


def test_a_page_reads_why_it_was_refused(story: Story, page: Application) -> None:
    """The error at `/token`, which is answered past the router; the challenge at `/userinfo`, which is in a header."""
    refusal = post(story, "/token", data={"grant_type": "authorization_code", "client_id": "spa"})
    assert (refusal.json()["error"], shared(refusal)) == ("invalid_request", {"allow-origin": PAGE})
    large = post(story, "/token", content=b"x" * 100_000, headers={"content-type": "application/x-www-form-urlencoded"})
    assert (large.status_code, shared(large)) == (413, {"allow-origin": PAGE})
    claims = story.ask("GET", "/userinfo", headers={"origin": PAGE})
    assert claims.status_code == 401
    assert shared(claims) == {"allow-origin": PAGE, "expose-headers": "WWW-Authenticate"}


def test_who_is_no_page_notices_nothing(story: Story, page: Application) -> None:
    """Without an origin the answers are what they were."""
    for path in SHARED:
        answer = story.ask("POST", path, data={"client_id": "spa"})
        assert (shared(answer), answer.headers.get("vary")) == ({}, None)


def test_a_new_page_is_known_within_five_seconds(story: Story, page: Application) -> None:
    """And one that is gone is a stranger's as soon."""
    assert preflight(story, "/token", "https://new.example").status_code == 405
    register(story, "new", token_endpoint_auth_method="none", redirect_uris=("https://new.example/cb",))
    story.gateway.database.write_sync(lambda tx: story.gateway.clients.remove(tx, "spa", now=NOW))
    story.clock.advance(5)
    assert preflight(story, "/token", "https://new.example").status_code == 204
    assert preflight(story, "/token", PAGE).status_code == 405


def test_without_its_storage_a_page_reads_that_it_is_down(story: Story, page: Application) -> None:
    """The origins that were known go on; nobody becomes known."""
    assert preflight(story, "/token").status_code == 204

    def broken(_job: Any) -> Any:
        raise Refused("storage_unavailable", "The storage cannot be read.", status=503, retry_after_seconds=1)

    story.gateway.database.read = broken  # type: ignore[method-assign]
    story.clock.advance(60)
    answer = post(story, "/token", data={"grant_type": "refresh_token", "refresh_token": "r", "client_id": "spa"})
    assert (answer.status_code, answer.json()["error"]) == (503, "storage_unavailable")
    assert shared(answer) == {"allow-origin": PAGE}
    assert preflight(story, "/token", STRANGER).status_code == 405


def test_without_a_provider_nothing_is_shared(story_with: Callable[..., Story]) -> None:
    """There are no applications with pages then."""
    story = story_with(risk_api_credential="rgs_test")
    register(story, "spa", token_endpoint_auth_method="none")
    for path in ("/token", DOCUMENTS[2]):
        assert preflight(story, path).status_code == 405
        assert shared(story.ask("GET", path, headers={"origin": PAGE})) == {}
