"""Who comes back with a token or a code is looked at again: the owner who moves, the thief, and the scorer that is
down."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.gateway.story import HOME, Story

MOBILE = "192.0.2.33"
THIEF = "203.0.113.7"
BROWSER = {"user-agent": "Browser/1"}


def by_place(story: Story, **scores: float) -> None:
    """The scorer judges by the address that it is told."""
    marks = {HOME: 10.0, MOBILE: scores.get("mobile", 10.0), THIEF: scores.get("thief", 90.0)}
    story.scorer.judge = lambda event: marks[event["ip"]]


def logged_in(story: Story) -> tuple[str, dict[str, str]]:
    """A refresh token and the headers of the browser that holds it."""
    answer = story.login(headers=BROWSER)
    cookie = answer.headers["set-cookie"].split(";")[0]
    return answer.json()["tokens"]["refresh_token"], {**BROWSER, "cookie": cookie}


def test_a_refresh_is_scored_with_both_ends(story: Story) -> None:
    """Address, browser and device of the request; and what the session began with."""
    token, browser = logged_in(story)
    story.clock.advance(900)
    assert story.refresh(token, headers=browser, peer=MOBILE).status_code == 200
    login, event = story.scorer.events
    assert (event["kind"], event["ip"], event["user_agent"]) == ("refresh", MOBILE, "Browser/1")
    began = event["session"]
    assert (began["ip"], began["user_agent"], began["started_at"]) == (HOME, "Browser/1", login["timestamp"])
    assert began["device_id"] == event["device_id"] == login["device_id"]


def test_a_stolen_token_used_from_a_dangerous_place_ends_the_session(story: Story) -> None:
    """The thief reads an incident id, the owner signs in again."""
    by_place(story)
    token, browser = logged_in(story)
    stolen = story.refresh(token, headers={"user-agent": "Thief/1"}, peer=THIEF)
    body = stolen.json()
    assert (stolen.status_code, body["error"]) == (400, "invalid_grant")
    assert set(body) == {"error", "error_description", "incident_id"}
    owner = story.refresh(token, headers=browser)
    assert owner.json() == {
        "error": "invalid_grant",
        "error_description": "The refresh token is invalid, expired or revoked.",
    }
    found = story.gateway.database.read(lambda tx: story.gateway.audit.of_incident(tx, body["incident_id"]))
    assert [(event.kind, event.ip, event.score) for event in found] == [("token.denied", THIEF, 90.0)]
    assert story.login(headers=browser).status_code == 200


def test_a_stolen_token_used_from_a_doubtful_place_is_refused_while_the_owner_s_goes_on(story: Story) -> None:
    """Nothing is spent, nothing is ended, and an OAuth client understands the answer."""
    by_place(story, thief=70.0)
    token, browser = logged_in(story)
    stolen = story.refresh(token, headers={"user-agent": "Thief/1"}, peer=THIEF)
    assert stolen.status_code == 400
    assert stolen.json() == {
        "error": "invalid_grant",
        "error_description": "Log in again to go on.",
        "reason": "step_up_required",
    }
    assert stolen.headers["cache-control"] == "no-store"
    assert story.refresh(token, headers=browser).status_code == 200
    assert story.audited()[-2:] == [("token.refused", "medium"), ("token.refreshed", None)]


def test_from_the_house_to_the_street_a_session_goes_on(story: Story) -> None:
    """Another operator, doubtful as it may be, with the browser's own cookie; a token alone is not enough there."""
    story.scorer.country = "US"
    by_place(story, mobile=70.0)
    token, browser = logged_in(story)
    token = story.refresh(token, headers=browser, peer=MOBILE).json()["refresh_token"]
    assert story.refresh(token, headers=BROWSER, peer=MOBILE).json()["reason"] == "step_up_required"
    assert story.refresh(token, headers=browser).status_code == 200


def test_the_end_of_a_session_is_announced(story_with: Callable[..., Story]) -> None:
    """Once, with the incident id, without a token or the session's id."""
    story = story_with(webhook_url="https://siem.invalid/in", webhook_secret="whsec_Jk3Vt0Zq9s1xYb7cD2eF4gH6iK8lM0nP")
    by_place(story)
    body = story.login().json()
    incident = story.refresh(body["tokens"]["refresh_token"], peer=THIEF).json()["incident_id"]
    (message,) = story.announced()
    assert (message["endpoint"], message["type"]) == ("webhook", "session.revoked")
    assert (message["body"]["data"]["incident_id"], message["body"]["data"]["username"]) == (incident, "alice")
    assert body["session_id"] not in str(message)
    assert body["tokens"]["refresh_token"] not in str(message)


def test_a_scorer_that_is_down_ends_nobody_s_session(story: Story) -> None:
    """Where the session began, it goes on; from elsewhere it waits. Never a 500."""
    token, browser = logged_in(story)
    story.scorer.status = 500
    token = story.refresh(token, headers=browser).json()["refresh_token"]
    moved = story.refresh(token, headers=browser, peer=MOBILE)
    assert (moved.status_code, moved.json()["reason"]) == (400, "step_up_required")
    without_cookie = story.refresh(token, headers=BROWSER)
    assert (without_cookie.status_code, without_cookie.json()["reason"]) == (400, "step_up_required")
    assert [rule for _, rule in story.audited()][-2:] == ["unscored_same_context", "unscored_changed_context"]
    story.scorer.status = 200
    assert story.refresh(token, headers=browser, peer=MOBILE).status_code == 200


def test_a_scorer_that_hangs_delays_a_refresh_by_its_deadline_and_no_more(story_with: Callable[..., Story]) -> None:
    """Answered from where it began, without a score."""
    story = story_with(scorer_deadline_ms=50, risk_api_credential="rgs_test")
    token, browser = logged_in(story)
    story.scorer.hang = True
    try:
        assert story.refresh(token, headers=browser).status_code == 200
    finally:
        story.scorer.hang = False
    assert story.audited()[-1] == ("token.refreshed", "unscored_same_context")


def test_context_in_the_body_counts_only_from_who_may_vouch(story: Story) -> None:
    """An application's server says where the person is, in a form as in JSON; everybody else is refused, in OAuth's
    word."""
    app = story.client("app", may_vouch=True)
    by_place(story)
    token = story.login(auth=app, context={"ip": HOME, "user_agent": "Browser/1"}).json()["tokens"]["refresh_token"]
    grant = {"grant_type": "refresh_token", "refresh_token": token, "ip": MOBILE, "user_agent": "Browser/1"}
    token = story.ask("POST", "/token", json=grant, auth=app, peer="10.0.0.1").json()["refresh_token"]
    form = {**grant, "refresh_token": token, "ip_rep": "12.5", "asn": "64500"}
    assert story.ask("POST", "/token", data=form, auth=app, peer="10.0.0.1").status_code == 200
    assert (story.scorer.events[-1]["ip"], story.scorer.events[-1]["ip_rep"]) == (MOBILE, 12.5)
    public = story.login().json()["tokens"]["refresh_token"]
    answer = story.ask("POST", "/token", json={**grant, "refresh_token": public})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert story.refresh(public).status_code == 200


@pytest.mark.parametrize("changes", [{"ip": "198.01.100.9"}, {"ip_rep": "many"}, {"asn": "-1"}, {"user_agent": "\0"}])
def test_a_context_that_is_none_is_an_invalid_request(story: Story, changes: dict[str, Any]) -> None:
    """In OAuth's word, without an echo, and the token is not spent."""
    app = story.client("app", may_vouch=True)
    token = story.login(auth=app).json()["tokens"]["refresh_token"]
    grant = {"grant_type": "refresh_token", "refresh_token": token}
    for options in ({"json": {**grant, **changes}}, {"data": {**grant, **changes}}):
        answer = story.ask("POST", "/token", auth=app, **options)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert not any(value in answer.text for value in changes.values())
    assert story.refresh(token, auth=app).status_code == 200


def test_a_server_that_says_nothing_of_the_person_is_not_taken_for_them(story: Story) -> None:
    """It moved to another data centre; the person did not."""
    app = story.client("app", may_vouch=True)
    by_place(story)
    token = story.login(auth=app, context={"ip": HOME}).json()["tokens"]["refresh_token"]
    answer = story.refresh(token, auth=app, peer=THIEF)
    assert answer.status_code == 200
    assert story.audited()[-1] == ("token.refreshed", "context_unknown")
    assert [event.get("kind", "login") for event in story.scorer.events] == ["login"]


def test_a_relayed_answer_to_a_challenge_is_refused(story: Story) -> None:
    """Challenge token and code in a thief's hands: refused like a login, spent, and announced; the owner starts
    anew."""
    story.scorer.score = 65.0
    challenge = story.login(headers=BROWSER).json()["challenge_id"]
    by_place(story)
    answer = story.complete(challenge, headers={"user-agent": "Relay/1"}, peer=THIEF)
    assert answer.status_code == 403
    assert set(answer.json()) == {"allowed", "denied", "incident_id", "message"}
    event = story.scorer.events[-1]
    assert (event["kind"], event["ip"], event["session"]["ip"]) == ("step_up", THIEF, HOME)
    assert story.complete(challenge, headers=BROWSER).json()["error"] == "invalid_challenge"


def test_who_moves_between_password_and_code_is_let_in(story: Story) -> None:
    """From the house to the street: low or medium, the code was shown."""
    story.scorer.score = 65.0
    first = story.login(headers=BROWSER)
    browser = {**BROWSER, "cookie": first.headers["set-cookie"].split(";")[0]}
    by_place(story, mobile=70.0)
    assert story.complete(first.json()["challenge_id"], headers=browser, peer=MOBILE).status_code == 200


def test_without_a_scorer_only_who_was_asked_may_answer(story: Story) -> None:
    """The challenge's own place goes on, another one is refused."""
    story.scorer.status = 500
    first, second = (story.login(headers=BROWSER).json()["challenge_id"] for _ in range(2))
    assert story.complete(first, headers=BROWSER, peer=THIEF).status_code == 403
    story.clock.advance(60)
    assert story.complete(second, headers=BROWSER).status_code == 200


def test_the_score_of_the_answer_is_shown_to_who_may_see_it(story: Story) -> None:
    """To no one else."""
    seeing = story.client("seeing", may_see_scores=True)
    story.scorer.score = 65.0
    challenge = story.login(auth=seeing).json()["challenge_id"]
    story.scorer.score = 30.0
    assert story.complete(challenge, auth=seeing).json()["score"]["risk_score"] == 30.0
