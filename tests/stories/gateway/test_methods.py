"""Which methods an address takes, and how it says so."""

from collections.abc import Callable

import pytest

from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story

READ = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"]


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        *((path, "GET, HEAD") for path in [*READ, "/health", "/ready"]),
        ("/userinfo", "GET, POST"),
        ("/authorize", "GET, POST"),
        ("/logout", "GET, POST"),
        ("/device", "GET, POST"),
        ("/sign-in/x", "GET, POST"),
        ("/token", "POST"),
        ("/login", "POST"),
        ("/introspect", "POST"),
    ],
)
def test_another_method_is_told_every_one_that_is_taken(story: Story, path: str, methods: str) -> None:
    """RFC 9110, section 15.5.6."""
    answer = story.ask("DELETE", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
    assert answer.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", [*READ, "/health", "/ready"])
def test_what_machines_read_is_asked_by_head_too(story: Story, path: str) -> None:
    """The same status and headers (RFC 9110, section 9.3.2)."""
    said, whole = story.ask("HEAD", path), story.ask("GET", path)
    assert (said.status_code, said.headers) == (whole.status_code, whole.headers)
    assert "head" not in story.ask("GET", "/openapi.json").json()["paths"].get(path, {})
