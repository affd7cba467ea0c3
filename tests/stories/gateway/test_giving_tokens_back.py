"""Revocation: an application gives a token back, and all that came of it dies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.stories.gateway.story import NOW, Story, running_story
from tests.stories.gateway.visits import ISSUER, Visit, own_token, registered, signed_in


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Story]:
    """A gateway that is an OpenID provider."""
    with running_story(tmp_path / "state", jwt_issuer=ISSUER) as running:
        yield running


def given_back(story: Story, token: str, **options: Any) -> httpx2.Response:
    data = {"token": token, **options.pop("data", {})}
    return story.ask("POST", "/revoke", data=data, **options)


def reason(story: Story, visit: Visit) -> str | None:
    session = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, visit.session_id))
    assert session is not None
    return session.revoked_reason


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "nonsense"}])
def test_a_person_s_token_takes_the_session_with_it(provider: Story, which: str, hint: dict[str, str]) -> None:
    """Whatever the hint says: 200 without a body, the session is over, and one line says why."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    answer = given_back(provider, getattr(visit, which), data=hint, auth=shop.auth)
    assert (answer.status_code, answer.content) == (200, b"")
    assert reason(provider, visit) == "revocation_endpoint"
    assert provider.refresh(visit.refresh_token, auth=shop.auth).json()["error"] == "invalid_grant"
    assert provider.audited().count(("session.revoked", "revocation_endpoint")) == 1


def test_giving_back_twice_is_once(provider: Story) -> None:
    """The second answer looks the same, and nothing is written."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    answers = [given_back(provider, visit.refresh_token, auth=shop.auth).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert provider.audited().count(("session.revoked", "revocation_endpoint")) == 1


def test_a_spent_refresh_token_still_leads_to_its_session(provider: Story) -> None:
    """Who lost the answer with the successor has no other token to give back."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    successor = provider.refresh(visit.refresh_token, auth=shop.auth).json()["refresh_token"]
    given_back(provider, visit.refresh_token, auth=shop.auth)
    assert provider.refresh(successor, auth=shop.auth).status_code == 400


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_other_applications_tokens_stay_as_they_are(provider: Story, which: str) -> None:
    """200, nothing happens, nothing is written down: a finder must not be able to sign anybody out."""
    shop, thief = registered(provider, "shop"), registered(provider, "thief", may_introspect=True)
    visit = signed_in(provider, shop)
    before = provider.audited()
    assert given_back(provider, getattr(visit, which), auth=thief.auth).status_code == 200
    assert (reason(provider, visit), provider.audited()) == (None, before)
    assert provider.refresh(visit.refresh_token, auth=shop.auth).status_code == 200


def test_an_application_s_own_token_dies_alone(provider: Story) -> None:
    """Its other tokens and its people's sessions go on."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    first, second = own_token(provider, shop), own_token(provider, shop)
    given_back(provider, first, auth=shop.auth)

    def is_active(token: str) -> bool:
        told = provider.ask("POST", "/introspect", data={"token": token}, auth=shop.auth).json()
        return bool(told["active"])

    assert [is_active(token) for token in (first, second, visit.access_token)] == [False, True, True]
    assert ("token.revoked", "revocation_endpoint") in provider.audited()


def test_a_public_application_needs_its_name_alone(provider: Story) -> None:
    """It has nothing to prove itself with; the token does that."""
    spa = registered(provider, "spa", token_endpoint_auth_method="none", application_type="native")
    visit = signed_in(provider, spa)
    assert given_back(provider, visit.refresh_token, data={"client_id": "spa"}).status_code == 200
    assert reason(provider, visit) == "revocation_endpoint"


def test_a_person_of_the_json_login_can_sign_out(provider: Story) -> None:
    """Without a client the token is the public client's own."""
    body = provider.login().json()
    given_back(provider, body["tokens"]["refresh_token"])
    assert provider.refresh(body["tokens"]["refresh_token"]).status_code == 400


def test_a_wrong_secret_ends_nothing(provider: Story) -> None:
    """401, and the session runs."""
    visit = signed_in(provider, registered(provider, "shop"))
    for data, auth in (({}, ("shop", "wrong")), ({"client_id": "shop"}, None), ({"client_id": "nobody"}, None)):
        answer = given_back(provider, visit.refresh_token, data=data, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert reason(provider, visit) is None


def test_what_has_run_out_or_never_was_ends_nothing(provider: Story) -> None:
    """200 for junk and for an expired access token; the session it came from runs."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    provider.clock.advance(901)
    for token in (visit.access_token, visit.id_token, "x", "a.b.c", "é" * 100):
        assert given_back(provider, token, auth=shop.auth).status_code == 200
    assert reason(provider, visit) is None


def test_an_ended_part_cannot_end_the_session(provider: Story) -> None:
    """Tokens of an application whose code was used twice are in somebody else's hands, perhaps."""
    shop = registered(provider, "shop")
    visit = signed_in(provider, shop)
    gateway = provider.gateway
    gateway.database.write_sync(lambda tx: gateway.provider.session_clients.end(tx, visit.session_id, "shop", NOW))
    for token in (visit.access_token, visit.refresh_token):
        given_back(provider, token, auth=shop.auth)
    assert reason(provider, visit) is None
