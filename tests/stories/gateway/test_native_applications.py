"""Applications on people's own machines: what their code, their device and their refreshes are held against."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.stories.gateway.applications import (
    APP_AGENT,
    BROWSER,
    ISSUER,
    Application,
    Key,
    answer_device,
    code_for,
    refused,
    register,
    session_of,
    waiting_device,
)
from tests.stories.gateway.story import HOME, Story

STREET = "203.0.113.7"
STEP_UP = (400, "invalid_grant", "step_up_required")


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider; its scorer finds everybody in the country that they signed in from."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    story.scorer.country = "US"
    return story


@pytest.fixture
def phone(story: Story) -> Application:
    """An application on the person's phone."""
    return register(story, "phone", token_endpoint_auth_method="none", application_type="native")


def why(answer: Any) -> tuple[int, str, str | None]:
    body = answer.json()
    return answer.status_code, body["error"], body.get("reason")


def risky_away(event: Mapping[str, Any]) -> float:
    """Low at home, medium elsewhere, high for a program's user agent."""
    if event["user_agent"] == "curl/8":
        return 95.0
    return 10.0 if event["ip"] == HOME else 70.0


def test_a_code_redeemed_where_the_person_signed_in_is_not_scored(story: Story, phone: Application) -> None:
    """The login was, a moment ago; the user agent is another by nature."""
    assert phone.redeem(code_for(phone)).status_code == 200
    assert phone.redeem(code_for(phone), peer="198.51.100.77").status_code == 200
    assert story.scorer.events == []


def test_a_code_redeemed_elsewhere_is_scored_as_the_browser_there(story: Story, phone: Application) -> None:
    """Only the network weighs: the scorer hears of the browser that the person signed in with."""
    assert phone.redeem(code_for(phone), peer=STREET).status_code == 200
    event = story.scorer.events[-1]
    assert (event["kind"], event["ip"], event["user_agent"], event.get("device_id", "")) == (
        *("refresh", STREET, BROWSER),
        "",
    )
    assert (event["session"]["ip"], event["session"]["user_agent"]) == (HOME, BROWSER)


def test_in_the_same_country_the_verifier_stands_in_for_the_device(story: Story, phone: Application) -> None:
    """Medium goes on there; in another country, or in none that is known, the person signs in again."""
    story.scorer.score = 70.0
    assert phone.redeem(code_for(phone), peer=STREET).status_code == 200
    assert ("session.started", "medium_same_client") in story.audited()
    story.scorer.country = "BR"
    code = code_for(phone)
    assert why(phone.redeem(code, peer=STREET)) == STEP_UP
    assert refused(phone.redeem(code)) == (400, "invalid_grant")


def test_a_code_from_where_the_risk_is_high_ends_the_session(story: Story, phone: Application) -> None:
    """With an incident id, and announced as every end of a session."""
    session, story.scorer.score = session_of(story), 95.0
    answer = phone.redeem(code_for(phone, session), peer=STREET)
    assert (answer.status_code, answer.json()["incident_id"][:4]) == (400, "inc_")
    ended = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, session.session_id))
    assert ended is not None
    assert ended.revoked_reason == "high_risk"
    assert refused(phone.redeem(code_for(phone, session))) == (400, "invalid_grant")


def test_without_a_scorer_only_the_same_network_goes_on(story: Story, phone: Application) -> None:
    """And no session ends by it."""
    story.scorer.status = 500
    session = session_of(story)
    assert phone.redeem(code_for(phone, session)).status_code == 200
    assert why(phone.redeem(code_for(phone, session), peer=STREET)) == STEP_UP
    assert phone.redeem(code_for(phone, session)).status_code == 200


def test_an_application_with_a_server_says_nothing_about_the_person(story: Story) -> None:
    """Its codes and refreshes come from its own network, whatever that is, and are written down without it."""
    shop, story.scorer.score = register(story), 95.0
    body = shop.redeem(code_for(shop), peer=STREET).json()
    assert shop.refresh(body["refresh_token"], peer="192.0.2.9", agent="other").status_code == 200
    assert story.scorer.events == []
    assert ("token.refreshed", "context_unknown") in story.audited()


def test_refreshes_are_held_against_where_the_application_was_first_seen(story: Story, phone: Application) -> None:
    """As the browser as long as it is itself; as what it is when it is another program."""
    story.scorer.judge = risky_away
    body = phone.redeem(code_for(phone)).json()
    body = phone.refresh(body["refresh_token"]).json()
    event = story.scorer.events[-1]
    assert (event["user_agent"], event["session"]["user_agent"]) == (BROWSER, BROWSER)
    body = phone.refresh(body["refresh_token"], agent=APP_AGENT.replace("3.1", "3.2")).json()
    answer = phone.refresh(body["refresh_token"], agent="curl/8")
    event = story.scorer.events[-1]
    assert (event["user_agent"], event["session"]["user_agent"]) == ("curl/8", APP_AGENT)
    assert "incident_id" in answer.json()


def test_a_key_stands_in_for_the_device_on_the_way(story: Story, phone: Application) -> None:
    """At medium on another network of the country, whoever has the key goes on and whoever has none signs in again."""
    story.scorer.judge, key = risky_away, Key()
    bound = phone.redeem(code_for(phone), dpop=key.proof(story)).json()["refresh_token"]
    bare = phone.redeem(code_for(phone)).json()["refresh_token"]
    assert phone.refresh(bound, dpop=key.proof(story), peer=STREET).status_code == 200
    assert why(phone.refresh(bare, peer=STREET)) == STEP_UP
    assert phone.refresh(bare).status_code == 200


def test_an_application_that_stays_where_it_was_goes_on_at_medium(story: Story, phone: Application) -> None:
    """Its network and its user agent are all that it can show, and both are as they were."""
    story.scorer.score = 70.0
    body = phone.redeem(code_for(phone)).json()
    assert phone.refresh(body["refresh_token"]).status_code == 200
    assert ("token.refreshed", "medium_same_client") in story.audited()


def test_a_device_is_held_against_where_it_began_to_wait(story: Story) -> None:
    """Where the person agreed does not matter; another network has no proof to go on with at medium."""
    tv = register(story, "tv", token_endpoint_auth_method="none", application_type="native")
    story.scorer.judge = risky_away
    first, second = waiting_device(tv), waiting_device(tv, user_code="BCDFGHJL")
    for device_code in (first, second):
        answer_device(tv, device_code, session_of(story, ip=STREET))
    body = tv.poll(first, agent="TV/1").json()
    assert tv.refresh(body["refresh_token"], agent="TV/1").status_code == 200
    assert why(tv.poll(second, agent="TV/1", peer=STREET)) == STEP_UP
    assert refused(tv.poll(second, agent="TV/1")) == (400, "invalid_grant")
