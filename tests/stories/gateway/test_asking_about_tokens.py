"""Introspection: who asks about a token learns whether it counts, if it is theirs to know."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.stories.gateway.story import NOW, Story, running_story
from tests.stories.gateway.visits import ISSUER, SCOPE, own_token, registered, signed_in

DEAD = {"active": False}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Story]:
    """A gateway that is an OpenID provider."""
    with running_story(tmp_path / "state", jwt_issuer=ISSUER) as running:
        yield running


def asked(story: Story, token: str, **options: Any) -> httpx2.Response:
    return story.ask("POST", "/introspect", data={"token": token}, **options)


def test_an_application_learns_what_its_own_access_token_says(provider: Story) -> None:
    """Whose it is, for whom, until when, in which session and how strongly recognised."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    answer = asked(provider, visit.access_token, auth=shop.auth)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told.pop("jti")
    assert told == {
        "active": True,
        "iss": ISSUER,
        "sub": visit.user_id,
        "aud": "iam-clients",
        "client_id": "shop",
        "scope": SCOPE,
        "token_type": "Bearer",
        "exp": int(NOW) + 900,
        "iat": int(NOW),
        "sid": visit.session_id,
        "auth_time": int(NOW),
        "acr": "aal1",
        "amr": ["pwd"],
    }


def test_a_refresh_token_counts_until_it_is_spent(provider: Story) -> None:
    """Its successor takes its place."""
    shop = registered(provider, "shop")
    first = signed_in(provider, shop).refresh_token
    told = asked(provider, first, auth=shop.auth).json()
    assert (told["active"], told["client_id"], told["scope"]) == (True, "shop", SCOPE)
    second = provider.refresh(first, auth=shop.auth).json()["refresh_token"]
    assert asked(provider, first, auth=shop.auth).json() == DEAD
    assert asked(provider, second, auth=shop.auth).json()["active"]


def test_an_application_s_own_token_names_no_session(provider: Story) -> None:
    """There is no person behind it."""
    shop = registered(provider, "shop", audience="https://orders.example")
    told = asked(provider, own_token(provider, shop), auth=shop.auth).json()
    assert (told["active"], told["sub"], told["aud"]) == (True, "shop", "https://orders.example")
    assert "sid" not in told


def test_whoever_gets_a_removed_application_s_id_has_none_of_its_tokens(provider: Story) -> None:
    """A token of an application's own names no session that could end, so its age says whose it is."""
    before = own_token(provider, registered(provider, "shop"))
    provider.gateway.registrations.remove("shop")
    provider.clock.advance(1)
    shop = registered(provider, "shop")
    now = own_token(provider, shop)
    assert asked(provider, before, auth=shop.auth).json() == DEAD
    assert asked(provider, now, auth=shop.auth).json()["active"]


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"audience": "https://orders.example"}, True),
        ({"audience": "https://other.example"}, False),
        ({}, False),
        ({"may_introspect": True}, True),
    ],
)
def test_another_application_is_told_if_the_token_is_for_its_api(
    provider: Story, fields: dict[str, Any], is_told: bool
) -> None:
    """A registered audience or the right to ask about all; nothing is told to anybody else, of either kind of token."""
    shop = registered(provider, "shop", audience="https://orders.example")
    asking = registered(provider, "api", **fields)
    visit = signed_in(provider, shop)
    for token in (visit.access_token, visit.refresh_token, own_token(provider, shop)):
        told = asked(provider, token, auth=asking.auth).json()
        assert told["active"] is is_told
        assert is_told or told == DEAD


def test_the_gateway_s_default_audience_is_nobody_s_own(provider: Story) -> None:
    """An application without an audience does not see the tokens of all others without one."""
    visit = signed_in(provider, registered(provider, "shop"))
    assert asked(provider, visit.access_token, auth=registered(provider, "api").auth).json() == DEAD


def test_what_has_run_out_counts_no_more(provider: Story) -> None:
    """The token's own time, then the refresh token's."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    provider.clock.advance(899)
    assert asked(provider, visit.access_token, auth=shop.auth).json()["active"]
    provider.clock.advance(1)
    assert asked(provider, visit.access_token, auth=shop.auth).json() == DEAD
    provider.clock.advance(8 * 86_400)
    assert asked(provider, visit.refresh_token, auth=shop.auth).json() == DEAD


def test_tokens_of_a_removed_application_count_no_more(provider: Story) -> None:
    """Nobody may use what it left behind."""
    shop, api = registered(provider, "shop"), registered(provider, "api", may_introspect=True)
    token = own_token(provider, shop)
    assert asked(provider, token, auth=api.auth).json()["active"]
    gateway = provider.gateway
    gateway.registrations.remove("shop")
    assert asked(provider, token, auth=api.auth).json() == DEAD


def test_an_ended_part_takes_the_application_s_token_and_nobody_else_s(provider: Story) -> None:
    """After a code was used twice: that application's tokens die, the session goes on."""
    shop, blog = registered(provider, "shop"), registered(provider, "blog")
    at_shop = signed_in(provider, shop)
    at_blog = signed_in(provider, blog, at=at_shop)
    gateway = provider.gateway
    gateway.database.write_sync(lambda tx: gateway.provider.session_clients.end(tx, at_shop.session_id, "shop", NOW))
    assert asked(provider, at_shop.access_token, auth=shop.auth).json() == DEAD
    assert asked(provider, at_shop.refresh_token, auth=shop.auth).json() == DEAD
    assert asked(provider, at_blog.access_token, auth=blog.auth).json()["active"]


@pytest.mark.parametrize("text", ["x", "a.b.c", "A" * 3000, "é", "\x7f", "eyJhbGciOiJub25lIn0.e30."])
def test_any_other_text_is_not_in_force(provider: Story, text: str) -> None:
    """Never an error: the answer does not say what kind of text it was."""
    shop = registered(provider, "shop")
    answer = asked(provider, text, auth=shop.auth)
    assert (answer.status_code, answer.json()) == (200, DEAD)


def test_who_proves_nothing_is_told_nothing(provider: Story) -> None:
    """No client, a public one, a wrong secret: 401 and no word about the token."""
    visit = signed_in(provider, registered(provider, "shop"))
    registered(provider, "spa", token_endpoint_auth_method="none")
    token = visit.access_token
    for data, auth in (
        ({}, None),
        ({"client_id": "spa"}, None),
        ({"client_id": "shop"}, None),
        ({}, ("shop", "wrong")),
    ):
        answer = provider.ask("POST", "/introspect", data={"token": token, **data}, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert "active" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 400),
        (b"token=", "application/x-www-form-urlencoded", 400),
        (b"token=a&token=b", "application/x-www-form-urlencoded", 400),
        (b"token=%ff", "application/x-www-form-urlencoded", 400),
        (b'{"token":"a"}', "application/json", 415),
        (b"token=" + b"a" * 17_000, "application/x-www-form-urlencoded", 413),
    ],
)
@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_bad_form_is_refused_in_oauth_s_words(
    provider: Story, path: str, content: bytes, kind: str, status: int
) -> None:
    """A stable code, nothing repeated."""
    shop = registered(provider, "shop")
    answer = provider.ask("POST", path, content=content, headers={"content-type": kind}, auth=shop.auth)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "error_description"}
    assert status != 400 or answer.json()["error"] == "invalid_request"
