"""What leaves with a decision: messages to MFA systems and SIEMs, and the outcome for the scorer."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.story import Story

WEBHOOK_SECRET = "whsec_Jk3Vt0Zq9s1xYb7cD2eF4gH6iK8lM0nP"


@pytest.fixture
def announcing(story_with: Callable[..., Story]) -> Story:
    """Webhook, MFA webhook and scorer outcomes; the addresses answer nobody, so the messages stay in the outbox."""
    return story_with(
        webhook_url="https://siem.invalid/in",
        mfa_webhook_url="https://mfa.invalid/in",
        webhook_secret=WEBHOOK_SECRET,
        mfa_tenant="example",
        risk_api_credential="rgs_test",
    )


def messages(story: Story, kind: str) -> list[dict[str, Any]]:
    return [message for message in story.announced() if message["type"] == kind]


def test_a_challenge_is_told_to_the_mfa_system(announcing: Story) -> None:
    """With tenant, score and explanation, and the challenge's public name, which finishes nothing."""
    announcing.scorer.score = 65.0
    answer = announcing.login().json()
    (message,) = messages(announcing, "login.mfa_required")
    data = message["body"]["data"]
    assert message["endpoint"] == "mfa"
    assert (data["tenant"], data["user_id"], data["risk_score"]) == ("example", "id-alice", 65.0)
    assert (data["explain"]["geo_distance_km"], data["explain"]["asn"]) == (12.5, 64500)
    assert data["challenge_id"] == answer["challenge_ref"]
    assert answer["challenge_id"] not in str(message)


def test_a_denial_is_told_to_the_general_webhook(announcing: Story) -> None:
    """With the incident id that the person was given."""
    announcing.scorer.score = 95.0
    incident = announcing.login().json()["incident_id"]
    (message,) = messages(announcing, "login.denied")
    assert (message["endpoint"], message["body"]["data"]["incident_id"]) == ("webhook", incident)


def test_how_a_login_ended_is_told_to_the_scorer(announcing: Story) -> None:
    """A success, a wrong password as a failure, and a name that nobody has as a failure of nobody's."""
    announcing.login()
    announcing.login("alice", "wrong")
    announcing.login("nobody", "wrong")
    told = [message["body"] for message in messages(announcing, "login.outcome")]
    outcomes = [(body["outcome"], body["event"]["user_id"].partition(":")[0]) for body in told]
    assert outcomes == [("success", "id-alice"), ("failure", "id-alice"), ("failure", "unknown")]
    assert "nobody" not in str(told)


def test_a_passed_challenge_is_told_to_the_scorer(announcing: Story) -> None:
    """The history learns from the finished login, not from its first half."""
    announcing.scorer.score = 65.0
    challenge = announcing.login().json()["challenge_id"]
    assert messages(announcing, "login.outcome") == []
    announcing.complete(challenge)
    (message,) = messages(announcing, "login.outcome")
    assert message["body"]["outcome"] == "mfa_passed"


def test_without_receivers_nothing_is_kept_for_them(story_with: Callable[..., Story]) -> None:
    """An outbox that nobody empties must not grow."""
    story = story_with()
    story.scorer.score = 95.0
    story.login()
    assert story.announced() == []


def test_what_is_decided_is_told_to_the_scorer_with_the_outcome_where_there_is_one(announcing: Story) -> None:
    """A login that is let in costs no second message; one that is asked, or refused, has no outcome yet."""
    announcing.login()
    (message,) = messages(announcing, "login.outcome")
    (decision,) = message["body"]["decisions"]
    assert (decision["event_id"], decision["decision"]) == (message["body"]["event"]["event_id"], "allow")
    assert announcing.decided() == []
    announcing.scorer.score = 95.0
    announcing.login()
    assert [(each["decision"], each["rule"] != "") for each in announcing.decided()] == [("deny", True)]


def test_an_answered_challenge_is_told_with_its_factor(announcing: Story) -> None:
    """The login that asked is named in the outcome of the answer, and the answer itself."""
    announcing.scorer.score = 65.0
    challenge = announcing.login().json()["challenge_id"]
    (asked,) = announcing.decided()
    assert (asked["decision"], asked.get("factor")) == ("challenge", None)
    announcing.complete(challenge)
    (message,) = messages(announcing, "login.outcome")
    answer, login = message["body"]["decisions"]
    assert (login["event_id"], login["decision"], login["factor"]) == (asked["event_id"], "challenge", "totp")
    assert (answer["event_id"], answer["decision"]) == (message["body"]["event_id"], "allow")
    assert len(announcing.decided()) == 1
