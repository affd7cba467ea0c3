"""What an application is told of a person."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.stories.gateway.applications import ISSUER, Application, Key, code_for, read, refused, register, session_of
from tests.stories.gateway.story import Story

EVERYTHING = {"name": "alice", "preferred_username": "alice", "email": "alice@example.org", "email_verified": True}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, where Alice has an e-mail address and Bob has none."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    users, database = story.gateway.users, story.gateway.database
    account = database.read(lambda tx: users.by_id(tx, "id-alice"))
    assert account is not None
    known = msgspec.structs.replace(
        account,
        user_id="id-carol",
        username="carol",
        display_name="alice",
        email="alice@example.org",
        email_verified=True,
    )
    database.write_sync(lambda tx: users.add(tx, known))
    return story


def told(story: Story, token: str, method: str = "GET", **headers: str) -> Any:
    return story.ask(method, "/userinfo", headers={"authorization": f"Bearer {token}", **headers})


def token_of(app: Application, user: str = "carol", **facts: Any) -> str:
    body = app.redeem(code_for(app, session_of(app.story, user), **facts)).json()
    return str(body["access_token"])


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid profile", {"name", "preferred_username"}),
        ("openid email", {"email", "email_verified"}),
        ("openid profile email", set(EVERYTHING)),
    ],
)
def test_each_scope_opens_its_claims(story: Story, scope: str, names: set[str]) -> None:
    """`sub` always, and nothing else of the account, by either method."""
    token = token_of(register(story), scope=scope)
    answers = [told(story, token), told(story, token, "POST")]
    shown = {"name": "alice", "preferred_username": "carol", "email": "alice@example.org", "email_verified": True}
    for answer in answers:
        assert answer.json() == {"sub": "id-carol", **{name: shown[name] for name in names}}
    assert answers[0].headers["cache-control"] == "no-store"


def test_an_account_without_an_address_has_no_email_claims(story: Story) -> None:
    """Neither an empty address nor an unverified nothing."""
    assert set(told(story, token_of(register(story), "bob")).json()) == {"sub", "name", "preferred_username"}


def test_claims_can_be_asked_for_one_by_one(story: Story) -> None:
    """In the ID token and at userinfo, as the `claims` parameter says, and again at a refresh."""
    app = register(story)
    claims = json.dumps({"id_token": {"email": {"essential": True}, "unknown": None}, "userinfo": {"name": None}})
    body = app.redeem(code_for(app, session_of(story, "carol"), scope="openid", claims=claims)).json()
    for tokens in (body, app.refresh(body["refresh_token"]).json()):
        identity = read(story, tokens["id_token"], "shop")
        assert (identity["email"], "name" in identity, "unknown" in identity) == ("alice@example.org", False, False)
        assert told(story, tokens["access_token"]).json() == {"sub": "id-carol", "name": "alice"}


def test_naming_a_claim_gets_past_neither_registration_nor_consent(story: Story) -> None:
    """A client that is not registered for the scope, or whose people are asked, gets what was granted."""
    claims = json.dumps({"id_token": {"email": None}, "userinfo": {"email": None, "name": None}})
    narrow = register(story, "narrow", scopes=("openid", "profile"))
    asking = register(story, "asking", requires_consent=True)
    assert set(told(story, token_of(narrow, scope="openid", claims=claims)).json()) == {"sub", "name"}
    assert set(told(story, token_of(asking, scope="openid", claims=claims)).json()) == {"sub"}


@pytest.mark.parametrize("claims", ["", "{", "[]", '{"userinfo": 3}', '{"userinfo": {"name": {"a": [}}', "null"])
def test_a_claims_parameter_that_is_none_opens_nothing(story: Story, claims: str) -> None:
    """And breaks nothing."""
    assert told(story, token_of(register(story), scope="openid", claims=claims)).json() == {"sub": "id-carol"}


def test_a_token_tells_nothing_once_it_is_over(story: Story) -> None:
    """Expired, its session ended, its person frozen, its client removed."""
    app, other = register(story), register(story, "other")
    ended, frozen, removed = session_of(story, "carol"), session_of(story, "bob"), session_of(story, "carol")
    tokens = [app.redeem(code_for(app, session)).json()["access_token"] for session in (ended, frozen)]
    tokens.append(other.redeem(code_for(other, removed)).json()["access_token"])
    tokens.append(token_of(app))
    assert [told(story, token).status_code for token in tokens] == [200] * 4
    story.gateway.revoke.session(ended.session_id, reason="operator")
    story.gateway.accounts.freeze("bob")
    clients = story.gateway.clients
    story.gateway.database.write_sync(lambda tx: clients.remove(tx, "other", now=story.clock.now()))
    assert [told(story, token).status_code for token in tokens] == [401, 401, 401, 200]
    story.clock.advance(900)
    assert refused(told(story, tokens[3])) == (401, "invalid_token")


def test_the_scope_openid_is_what_opens_it(story: Story) -> None:
    """403 with the scope that is missing."""
    app = register(story)
    token = app.refresh(app.redeem(code_for(app)).json()["refresh_token"], scope="profile").json()["access_token"]
    answer = told(story, token)
    assert refused(answer) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="openid"'


def test_without_a_token_nothing_was_wrong_yet(story: Story) -> None:
    """Both schemes and no error of a token, in header or body (RFC 6750, section 3.1)."""
    answer = story.ask("GET", "/userinfo")
    assert refused(answer) == (401, "unauthorized")
    assert "error" not in answer.headers["www-authenticate"]
    assert {"Bearer", "DPoP"} <= set(answer.headers["www-authenticate"].replace(",", " ").split())


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer " + "A" * 9000, "Bearer a.b.c", "DPoP é", "\x7f"]
)
def test_what_is_no_token_of_ours_is_refused(story: Story, header: str) -> None:
    """401, never a crash."""
    answer = story.ask("GET", "/userinfo", headers={"authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["error"] in {"invalid_token", "invalid_dpop_proof"}) == (401, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_in_the_address_is_not_read(story: Story, method: str) -> None:
    """Addresses end in logs and histories (RFC 9700, section 4.3.2)."""
    token = token_of(register(story))
    assert refused(story.ask(method, f"/userinfo?access_token={token}")) == (401, "unauthorized")


def test_a_token_may_be_posted_as_a_form(story: Story) -> None:
    """RFC 6750, section 2.2; beside a header it is one too many, and other bodies are not looked at."""
    token = token_of(register(story))
    form, bearer = {"access_token": token}, {"authorization": f"Bearer {token}"}
    assert story.ask("POST", "/userinfo", data=form).json()["sub"] == "id-carol"
    assert refused(story.ask("POST", "/userinfo", data=form, headers=bearer)) == (400, "invalid_request")
    assert refused(story.ask("POST", "/userinfo", json=form)) == (401, "unauthorized")
    assert refused(story.ask("POST", "/userinfo", data={"access_token": [token, token]})) == (400, "invalid_request")
    assert refused(story.ask("POST", "/userinfo", data={"access_token": "x"})) == (401, "invalid_token")
    assert story.ask("POST", "/userinfo", data={"other": "x"}, headers=bearer).status_code == 200


def test_a_bound_token_in_a_form_is_nothing(story: Story) -> None:
    """A form has no scheme, so it cannot say DPoP; a proof beside it changes nothing."""
    app, key = register(story), Key()
    token = app.redeem(code_for(app), dpop=key.proof(story)).json()["access_token"]
    proof = {"dpop": key.proof(story, path="/userinfo", token=token)}
    for headers in ({}, proof):
        answer = story.ask("POST", "/userinfo", data={"access_token": token}, headers=headers)
        assert refused(answer) == (401, "invalid_token")


def test_an_id_token_opens_nothing(story: Story) -> None:
    """Another kind of token is not taken for an access token."""
    app = register(story)
    identity = app.redeem(code_for(app)).json()["id_token"]
    assert refused(told(story, identity)) == (401, "invalid_token")
