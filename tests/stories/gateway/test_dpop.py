"""Tokens bound to a key of the client's own: at the token endpoint and where they are shown."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.applications import (
    ISSUER,
    Application,
    Key,
    answer_device,
    code_for,
    read,
    refused,
    register,
    session_of,
    waiting_device,
)
from tests.stories.gateway.story import Story

BAD_PROOF = (400, "invalid_dpop_proof")


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def phone(story: Story) -> Application:
    """A public application on the person's own machine."""
    return register(story, "phone", token_endpoint_auth_method="none", application_type="native")


def show(story: Story, token: str, scheme: str = "DPoP", **headers: str) -> Any:
    return story.ask("GET", "/userinfo", headers={"authorization": f"{scheme} {token}", **headers})


def test_every_grant_binds_its_tokens_to_the_key_that_was_shown(story: Story) -> None:
    """Code, refresh, device, client credentials: `token_type` DPoP and the key's thumbprint inside."""
    key, app = Key(), register(story)
    device_code = waiting_device(app)
    answer_device(app, device_code, session_of(story))
    body = app.redeem(code_for(app), dpop=key.proof(story)).json()
    answers = [
        body,
        app.refresh(body["refresh_token"], dpop=key.proof(story)).json(),
        app.poll(device_code, dpop=key.proof(story)).json(),
        app.act(dpop=key.proof(story)).json(),
    ]
    assert {answer["token_type"] for answer in answers} == {"DPoP"}
    assert {read(story, answer["access_token"])["cnf"]["jkt"] for answer in answers} == {key.jkt}


def test_a_public_clients_refresh_tokens_are_bound(story: Story, phone: Application) -> None:
    """Without the key, or with another, they are nothing, and the session goes on for who has it."""
    key = Key()
    token = phone.redeem(code_for(phone), dpop=key.proof(story)).json()["refresh_token"]
    assert refused(phone.refresh(token)) == (400, "invalid_grant")
    assert refused(phone.refresh(token, dpop=Key().proof(story))) == (400, "invalid_grant")
    assert phone.refresh(token, dpop=key.proof(story)).status_code == 200
    story.clock.advance(60)
    assert refused(phone.refresh(token, dpop=Key().proof(story))) == (400, "invalid_grant")
    assert "token.reused" not in [kind for kind, _ in story.audited()]


def test_a_confidential_client_may_change_its_key(story: Story) -> None:
    """Its refresh tokens are bound to its own proof of itself; each access token to the key of its request."""
    app, key, other = register(story), Key(), Key()
    token = app.redeem(code_for(app), dpop=key.proof(story)).json()["refresh_token"]
    changed = app.refresh(token, dpop=other.proof(story)).json()
    assert read(story, changed["access_token"])["cnf"]["jkt"] == other.jkt
    unbound = app.refresh(changed["refresh_token"]).json()
    assert (unbound["token_type"], "cnf" in read(story, unbound["access_token"])) == ("Bearer", False)


def test_a_code_bound_to_a_key_needs_it(story: Story, phone: Application) -> None:
    """A wrong key spends nothing."""
    key = Key()
    code = code_for(phone, dpop_jkt=key.jkt)
    assert refused(phone.redeem(code)) == (400, "invalid_grant")
    assert refused(phone.redeem(code, dpop=Key().proof(story))) == (400, "invalid_grant")
    assert phone.redeem(code, dpop=key.proof(story)).status_code == 200


def test_a_client_that_must_bind_its_tokens_gets_no_others(story: Story) -> None:
    """At every grant."""
    app = register(story, dpop_bound_access_tokens=True)
    code = code_for(app)
    answers = [app.redeem(code), app.act(), app.refresh("A" * 43), app.poll("A" * 43)]
    assert [refused(answer) for answer in answers] == [BAD_PROOF] * 4
    assert app.redeem(code, dpop=Key().proof(story)).status_code == 200


def test_a_proof_counts_once(story: Story) -> None:
    """At any grant, by whoever sends it, whatever became of the first request's code."""
    app, key = register(story), Key()
    proof = key.proof(story)
    assert app.act(dpop=proof).status_code == 200
    code = code_for(app)
    assert refused(app.act(dpop=proof)) == BAD_PROOF
    assert refused(app.redeem(code, dpop=proof)) == BAD_PROOF
    body = app.redeem(code, dpop=key.proof(story)).json()
    assert refused(app.refresh(body["refresh_token"], dpop=proof)) == BAD_PROOF
    assert app.refresh(body["refresh_token"], dpop=key.proof(story)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [{"htm": "GET"}, {"htu": "https://other.example/token"}, {"htu": f"{ISSUER}/userinfo"}, {"iat": 1}, {"jti": ""}],
)
def test_a_proof_of_something_else_is_refused(story: Story, claims: dict[str, Any]) -> None:
    """And nothing is spent."""
    app, key = register(story), Key()
    code = code_for(app)
    assert refused(app.redeem(code, dpop=key.proof(story, **claims))) == BAD_PROOF
    assert refused(app.redeem(code, dpop=[key.proof(story), key.proof(story)])) == BAD_PROOF
    assert refused(app.redeem(code, dpop="no proof")) == BAD_PROOF
    assert app.redeem(code, dpop=key.proof(story)).status_code == 200


def test_a_bound_token_is_shown_with_its_key(story: Story) -> None:
    """As DPoP with a proof for this very token; as a bearer's it is nothing."""
    app, key = register(story), Key()
    token = app.redeem(code_for(app), dpop=key.proof(story)).json()["access_token"]

    def proof(of: Key = key, **changes: str) -> str:
        return of.proof(story, path="/userinfo", method="GET", **{"token": token, **changes})

    used = proof()
    assert show(story, token, dpop=used).json()["sub"] == "id-alice"
    assert refused(show(story, token, dpop=used)) == (401, "invalid_dpop_proof")
    assert refused(show(story, token, "Bearer")) == (401, "invalid_token")
    assert refused(show(story, token, "Bearer", dpop=proof())) == (401, "invalid_token")
    assert refused(show(story, token)) == (401, "invalid_dpop_proof")
    assert refused(show(story, token, dpop=proof(Key()))) == (401, "invalid_token")
    assert refused(show(story, token, dpop=proof(token="another"))) == (401, "invalid_dpop_proof")
    assert refused(show(story, token, dpop=proof(token=""))) == (401, "invalid_dpop_proof")
    answer = show(story, token)
    assert answer.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_bearer_token_is_not_made_better_by_a_proof(story: Story) -> None:
    """A key that the token does not name proves nothing about it."""
    app, key = register(story), Key()
    token = app.redeem(code_for(app)).json()["access_token"]
    proof = key.proof(story, path="/userinfo", method="GET", token=token)
    assert refused(show(story, token, "DPoP", dpop=proof)) == (401, "invalid_token")
    assert show(story, token, "Bearer").status_code == 200


def test_the_first_partys_tokens_can_be_bound_too(story: Story) -> None:
    """Its refresh tokens stay as they are."""
    token, key = story.login().json()["tokens"]["refresh_token"], Key()
    body = story.refresh(token, headers={"dpop": key.proof(story)}).json()
    assert (body["token_type"], read(story, body["access_token"])["cnf"]["jkt"]) == ("DPoP", key.jkt)
    assert story.refresh(body["refresh_token"]).json()["token_type"] == "Bearer"
