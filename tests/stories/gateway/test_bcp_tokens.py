"""What RFC 9700 asks of tokens, where no other story asks it already."""

from collections.abc import Callable

import pytest

from tests.stories.gateway.applications import (
    APP_AGENT,
    ISSUER,
    Key,
    code_for,
    read,
    refused,
    register,
    session_of,
)
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def test_an_application_is_not_taken_for_a_person_of_its_name(story: Story) -> None:
    """Section 4.15: nobody is registered under a person's own id, and a token of its own has no session and no login in
    it, and tells nothing of anybody."""
    assert refused(register(story, "id-alice").act()) == (401, "invalid_client")
    robot = register(story, "robot", scopes=("openid", "reports"))
    body = robot.act(scope="openid reports").json()
    claims = read(story, body["access_token"])
    assert claims["sub"] == claims["client_id"] == "robot"
    assert not {"sid", "auth_time", "acr", "amr"} & claims.keys()
    assert "openid" not in claims["scope"].split()
    answer = story.ask("GET", "/userinfo", headers={"authorization": f"Bearer {body['access_token']}"})
    assert refused(answer) == (403, "insufficient_scope")


def test_a_token_is_for_one_audience_and_no_more_than_was_granted(story: Story) -> None:
    """Sections 2.3 and 4.10.2: a text, never a list, and the client's own; the scope is what its people gave."""
    app = register(story, audience="https://api.example", scopes=("openid", "profile"))
    body = app.redeem(code_for(app, scope="openid")).json()
    claims = read(story, body["access_token"], "https://api.example")
    assert (claims["aud"], claims["scope"]) == ("https://api.example", "openid")
    again = read(story, app.refresh(body["refresh_token"]).json()["access_token"], "https://api.example")
    assert (again["aud"], again["scope"]) == ("https://api.example", "openid")


def test_a_stolen_bound_token_is_worth_nothing_without_its_key(story: Story) -> None:
    """Sections 2.2.1 and 4.10.1: neither with a thief's key nor with none, and a proof that was seen counts no more."""
    app, key, thief = register(story), Key(), Key()
    token = app.redeem(code_for(app), dpop=key.proof(story)).json()["access_token"]

    def shown(scheme: str, proof: str = "") -> int:
        headers = {"authorization": f"{scheme} {token}", **({"dpop": proof} if proof else {})}
        return story.ask("GET", "/userinfo", headers=headers).status_code

    proof = key.proof(story, path="/userinfo", method="GET", token=token)
    assert shown("DPoP", proof) == 200
    assert shown("DPoP", proof) == 401
    assert shown("DPoP", thief.proof(story, path="/userinfo", method="GET", token=token)) == 401
    assert (shown("DPoP"), shown("Bearer")) == (401, 401)


def test_a_public_application_s_refresh_token_turns_or_is_bound(story: Story) -> None:
    """Sections 2.2.2 and 4.14.2: without a key each is used once, and a second use ends what came of it."""
    grants = ("authorization_code", "refresh_token")
    app = register(story, token_endpoint_auth_method="none", application_type="native", grant_types=grants)
    first = app.redeem(code_for(app, session_of(story, user_agent=APP_AGENT))).json()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    third = app.refresh(second).json()["refresh_token"]
    assert len({first, second, third}) == 3
    assert refused(app.refresh(first)) == (400, "invalid_grant")
    assert refused(app.refresh(third)) == (400, "invalid_grant")
