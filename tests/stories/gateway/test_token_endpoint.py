"""Every grant of the token endpoint over HTTP, with what it gives and when it gives nothing."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.stories.gateway.applications import (
    ISSUER,
    Application,
    answer_device,
    challenge_of,
    code_for,
    read,
    refused,
    register,
    session_of,
    waiting_device,
)
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def shop(story: Story) -> Application:
    """A web application with every grant."""
    return register(story)


def test_a_code_becomes_tokens(story: Story, shop: Application) -> None:
    """Access token, refresh token, and an ID token that says who, when, how, for which request."""
    session = session_of(story)
    answer = shop.redeem(code_for(shop, session, nonce="n-1"))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["refresh_expires_in"]) == ("Bearer", 900, 43_200)
    access, identity = read(story, body["access_token"]), read(story, body["id_token"], "shop")
    assert (access["sub"], access["sid"], access["client_id"]) == ("id-alice", session.session_id, "shop")
    assert (identity["nonce"], identity["acr"], identity["sid"]) == ("n-1", "aal2", session.session_id)
    assert identity["at_hash"] == challenge_of(body["access_token"], 16)
    assert not {"email", "name"} & set(identity)
    assert "cnf" not in access
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert ("session.started", None) in story.audited()


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": "short"},
        {"redirect_uri": "https://app.example/callback/"},
        {"redirect_uri": "https://evil.example/"},
        {"code": "A" * 43},
        {"code": "not a token of ours \x7f"},
        {"code": "x" * 300},
    ],
)
def test_a_code_opens_nothing_for_who_has_not_all_of_it(shop: Application, change: dict[str, str]) -> None:
    """And what was tried spends nothing: the application itself still gets its tokens."""
    code = code_for(shop)
    assert refused(shop.redeem(code, **change)) == (400, "invalid_grant")
    assert shop.redeem(code).status_code == 200


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier", "grant_type"])
def test_what_is_missing_is_said(shop: Application, missing: str) -> None:
    """`invalid_request`, and the code is still good."""
    code = code_for(shop)
    assert refused(shop.redeem(code, **{missing: ""})) == (400, "invalid_request")
    assert shop.redeem(code).status_code == 200


def test_a_code_is_good_for_a_minute(story: Story, shop: Application) -> None:
    """At sixty seconds it is over."""
    first, second = code_for(shop), code_for(shop)
    story.clock.advance(59.9)
    assert shop.redeem(first).status_code == 200
    story.clock.advance(0.1)
    assert refused(shop.redeem(second)) == (400, "invalid_grant")


def test_the_code_of_another_application_is_worth_nothing(story: Story, shop: Application) -> None:
    """Even with its verifier, and its owner does not notice."""
    code, other = code_for(shop), register(story, "other")
    assert refused(other.redeem(code)) == (400, "invalid_grant")
    assert shop.redeem(code).status_code == 200


def test_a_code_used_twice_ends_its_clients_part(story: Story, shop: Application) -> None:
    """Tokens of the first use die with it, the session and the other application go on."""
    session, other = session_of(story), register(story, "other")
    code = code_for(shop, session)
    mine, theirs = shop.redeem(code).json(), other.redeem(code_for(other, session)).json()
    assert refused(shop.redeem(code)) == (400, "invalid_grant")
    assert ("code.reused", None) in story.audited()
    assert refused(shop.refresh(mine["refresh_token"])) == (400, "invalid_grant")
    assert userinfo(story, mine["access_token"]) == 401
    assert userinfo(story, theirs["access_token"]) == 200
    assert other.refresh(theirs["refresh_token"]).status_code == 200


def test_a_thief_with_a_used_code_and_no_verifier_ends_nothing(story: Story, shop: Application) -> None:
    """Otherwise whoever reads an address could sign people out."""
    code = code_for(shop)
    mine = shop.redeem(code).json()
    assert refused(shop.redeem(code, code_verifier="w" * 43)) == (400, "invalid_grant")
    assert "code.reused" not in [kind for kind, _ in story.audited()]
    assert shop.refresh(mine["refresh_token"]).status_code == 200


def test_a_code_is_worth_nothing_once_its_session_has_ended(story: Story, shop: Application) -> None:
    """Ended by an operator, or the account frozen."""
    session, frozen = session_of(story), session_of(story, "bob")
    codes = code_for(shop, session), code_for(shop, frozen)
    story.gateway.revoke.session(session.session_id, reason="operator")
    story.gateway.accounts.freeze("bob")
    assert [refused(shop.redeem(code)) for code in codes] == [(400, "invalid_grant")] * 2


def test_without_the_right_to_refresh_there_is_no_refresh_token(story: Story) -> None:
    """The scope `offline_access` changes nothing about it."""
    once = register(story, grant_types=("authorization_code",))
    body = once.redeem(code_for(once)).json()
    assert "refresh_token" not in body
    assert body["id_token"]


def test_a_refresh_tells_the_same_authentication_again(story: Story, shop: Application) -> None:
    """The ID token keeps auth_time, acr and sid, and has no nonce."""
    body = shop.redeem(code_for(shop, nonce="n-1")).json()
    story.clock.advance(600)
    again = shop.refresh(body["refresh_token"]).json()
    before, after = read(story, body["id_token"], "shop"), read(story, again["id_token"], "shop")
    assert [before[name] for name in ("sub", "sid", "auth_time", "acr", "amr")] == [
        after[name] for name in ("sub", "sid", "auth_time", "acr", "amr")
    ]
    assert (after["iat"] - before["iat"], "nonce" in after) == (600, False)


def test_a_refresh_may_ask_for_less_and_never_for_more(story: Story, shop: Application) -> None:
    """Less is for one access token; more is refused and spends nothing."""
    token = shop.redeem(code_for(shop, scope="openid profile")).json()["refresh_token"]
    assert refused(shop.refresh(token, scope="openid email")) == (400, "invalid_scope")
    less = shop.refresh(token, scope="profile").json()
    assert (less["scope"], "id_token" in less) == ("profile", False)
    assert read(story, less["access_token"])["scope"] == "profile"
    assert shop.refresh(less["refresh_token"]).json()["scope"] == "openid profile"


def test_each_application_has_its_own_lifetimes_and_audience(story: Story) -> None:
    """At the code, at refreshes, and for itself."""
    app = register(
        story, access_ttl_seconds=60, refresh_ttl_seconds=7200, audience="https://api.example", scopes=("r",)
    )
    body = app.redeem(code_for(app, scope="openid")).json()
    again = app.refresh(body["refresh_token"]).json()
    for tokens in (body, again):
        assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (60, 7200)
        claims = read(story, tokens["access_token"], "https://api.example")
        assert claims["exp"] - claims["iat"] == 60
    own = app.act().json()
    assert (own["expires_in"], read(story, own["access_token"], "https://api.example")["scope"]) == (60, "r")
    story.clock.advance(7200)
    assert refused(app.refresh(again["refresh_token"])) == (400, "invalid_grant")


def test_id_tokens_are_signed_as_the_application_is_registered(story: Story) -> None:
    """RS256 for one that knows no elliptic curves; its access tokens stay what they are."""
    app = register(story, id_token_signed_response_alg="RS256")
    body = app.redeem(code_for(app)).json()
    headers = [jwt.get_unverified_header(body[name])["alg"] for name in ("id_token", "access_token")]
    assert headers == ["RS256", "ES256"]
    assert read(story, body["id_token"], "shop")["sub"] == "id-alice"


def test_an_application_acts_for_itself(story: Story) -> None:
    """The token names it alone, it is written down before it is given, and OpenID's scopes have no meaning."""
    app = register(story, scopes=("openid", "read", "write"))
    body = app.act(scope="write openid unknown").json()
    claims = read(story, body["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("shop", "shop", "write")
    assert set(body) == {"access_token", "expires_in", "scope", "token_type"}
    assert "sid" not in claims
    assert story.audited()[-1] == ("token.issued", None)
    assert app.act().json()["scope"] == "read write"
    assert refused(app.act(scope="unknown openid")) == (400, "invalid_scope")
    assert userinfo(story, body["access_token"]) == 403


def test_a_public_application_never_acts_for_itself(story: Story) -> None:
    """Anybody can read its id."""
    app = register(story, token_endpoint_auth_method="none")
    assert refused(app.act()) == (400, "unauthorized_client")


def test_an_application_has_the_grants_it_is_registered_with(story: Story) -> None:
    """Anything else is `unauthorized_client`, and an unknown grant `unsupported_grant_type`."""
    app = register(story, grant_types=())
    answers = [app.act(), app.redeem("A" * 43), app.poll("A" * 43), app.refresh("A" * 43)]
    assert [refused(answer) for answer in answers] == [(400, "unauthorized_client")] * 4
    assert refused(app.ask(grant_type="password", username="alice")) == (400, "unsupported_grant_type")


def test_a_device_gets_tokens_when_the_person_agrees(story: Story, shop: Application) -> None:
    """Until then it waits, and polls no faster than told."""
    device_code = waiting_device(shop)
    assert refused(shop.poll(device_code)) == (400, "authorization_pending")
    assert refused(shop.poll(device_code)) == (400, "slow_down")
    story.clock.advance(9.9)
    assert refused(shop.poll(device_code)) == (400, "slow_down")
    session = session_of(story)
    answer_device(shop, device_code, session)
    body = shop.poll(device_code).json()
    assert (
        read(story, body["access_token"])["sid"] == read(story, body["id_token"], "shop")["sid"] == session.session_id
    )
    assert refused(shop.poll(device_code)) == (400, "invalid_grant")


def test_a_device_is_told_what_became_of_it(story: Story, shop: Application) -> None:
    """Denied, expired, unknown, another application's."""
    denied, late = waiting_device(shop), waiting_device(shop, user_code="BCDFGHJL")
    assert refused(register(story, "other").poll(denied)) == (400, "invalid_grant")
    answer_device(shop, denied, None)
    assert refused(shop.poll(denied)) == (400, "access_denied")
    story.clock.advance(600)
    assert refused(shop.poll(late)) == (400, "expired_token")
    assert refused(shop.poll("A" * 43)) == (400, "invalid_grant")


def test_a_device_whose_session_ended_before_its_tokens_waits_no_longer(story: Story, shop: Application) -> None:
    """Nothing will come of the yes any more, and the device is told so; until its code ran out it was told to wait."""
    device, session = waiting_device(shop), session_of(story)
    answer_device(shop, device, session)
    assert story.gateway.revoke.session(session.session_id, reason="operator")
    assert refused(shop.poll(device)) == (400, "invalid_grant")
    assert "session.started" not in [kind for kind, _ in story.audited()]


def test_the_public_first_party_refreshes_as_ever_and_does_nothing_else(story: Story) -> None:
    """By JSON, with a scope that nobody looks at; by its name too."""
    token = story.login().json()["tokens"]["refresh_token"]
    body = {"grant_type": "refresh_token", "refresh_token": token, "scope": "anything"}
    answer = story.ask("POST", "/token", json=body)
    assert (answer.status_code, answer.json()["scope"], "id_token" in answer.json()) == (
        200,
        "openid profile email",
        False,
    )
    again = story.ask(
        "POST", "/token", data={**body, "refresh_token": answer.json()["refresh_token"], "client_id": "public"}
    )
    assert again.status_code == 200
    asked: dict[str, Any] = {"grant_type": "client_credentials"}
    assert refused(story.ask("POST", "/token", data=asked)) == (401, "invalid_client")


def test_only_a_registered_login_client_takes_passwords(story: Story, shop: Application) -> None:
    """403 before the password is looked at; what it may, it may refresh."""
    body = {"username": "alice", "password": "Password123!"}
    assert refused(story.ask("POST", "/login", json=body, auth=("shop", shop.secret))) == (403, "unauthorized_client")
    front = register(story, "front", may_log_in=True, grant_types=())
    tokens = story.ask("POST", "/login", json=body, auth=("front", front.secret)).json()["tokens"]
    assert front.refresh(tokens["refresh_token"], agent="").status_code == 200


def test_challenges_are_made_as_the_standard_says() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def userinfo(story: Story, token: str) -> int:
    """The status of one question with that access token."""
    return story.ask("GET", "/userinfo", headers={"authorization": f"Bearer {token}"}).status_code
