"""The right code for a challenge, held against where the challenge was issued to."""

import asyncio
from typing import Any

import pytest

from auth_gateway.core.context import Client
from auth_gateway.core.policy import Policy
from auth_gateway.core.throttle import ThrottleKey, factor_keys, network_key
from auth_gateway.flows.answers import Allowed, ChallengeOver, Denied, WrongCode

AWAY = {"ip": "203.0.113.5", "user_agent": "curl/8", "device_id": "dev-2"}
TRUSTED = Client(client_id="web", may_vouch=True)


def challenged(world: Any, **context: Any) -> tuple[str, str]:
    """The challenge's token and a right code; what comes after is no part of the login's own score."""
    secret = world.person(factor=True)
    world.scorer.mark = 70.0
    token = asyncio.run(world.login(**context)).challenge_token
    world.scorer.events.clear()
    return token, world.code(secret)


def complete(world: Any, token: str, code: str, **context: Any) -> Any:
    return asyncio.run(world.complete(token, code, **context))


def test_the_scorer_is_told_who_answers_and_who_was_asked(world: Any) -> None:
    """The answer's circumstances, and those of the challenge beside them."""
    token, code = challenged(world, user_agent="Firefox", ja4="t13d")
    world.clock.advance(20)
    assert isinstance(complete(world, token, code, **AWAY), Allowed)
    (event,) = world.scorer.events
    assert (event.kind, event.user_id, event.ip, event.user_agent) == ("step_up", "alice", "203.0.113.5", "curl/8")
    assert (event.session.ip, event.session.user_agent, event.session.ja4) == ("198.51.100.9", "Firefox", "t13d")
    assert event.session.device_id not in {"dev-1", "dev-2", ""}
    assert event.timestamp - event.session.started_at == 20
    line = world.audited("challenge.passed")[0]
    assert (line.event_id, line.ip, line.rule) == (event.event_id, "203.0.113.5", "stepped_up")


def test_a_wrong_code_is_not_scored(world: Any) -> None:
    """The scorer hears of it as a failure, from where it was typed, and cannot be made to work by guessing."""
    token, _ = challenged(world)
    assert isinstance(complete(world, token, "000000", **AWAY), WrongCode)
    assert world.scorer.events == []
    ((_, body),) = world.messages("scorer")
    assert (body["outcome"], body["event"]["ip"], body["event"]["success"]) == ("mfa_failed", "203.0.113.5", False)


def test_a_right_code_from_a_high_risk_is_refused_like_a_login(world: Any) -> None:
    """An incident id and a webhook; no session, nothing learned, and the challenge cannot be tried again."""
    token, code = challenged(world)
    world.scorer.mark = 90.0
    denied = complete(world, token, code, **AWAY)
    assert isinstance(denied, Denied)
    (line,) = world.audited("login.denied")
    assert (line.incident_id, line.rule, line.score, line.ip) == (denied.incident_id, "high", 90.0, "203.0.113.5")
    ((event_type, body),) = world.messages("webhook")
    assert (event_type, body["data"]["incident_id"]) == ("login.denied", denied.incident_id)
    assert body["data"]["username"] == "alice"
    assert world.messages("scorer") == []
    assert world.count("sessions") == 0
    world.scorer.mark = 10.0
    assert complete(world, token, code) == ChallengeOver()


def test_the_code_of_a_refused_answer_is_spent(world: Any) -> None:
    """It opens no other challenge either."""
    token, code = challenged(world)
    other = asyncio.run(world.login()).challenge_token
    world.scorer.mark = 90.0
    complete(world, token, code, **AWAY)
    world.scorer.mark = 10.0
    assert complete(world, other, code) == WrongCode(attempts_left=4)


@pytest.mark.parametrize(("context", "is_let_in"), [({}, True), (AWAY, False), ({"device_id": "dev-2"}, False)])
def test_without_a_score_only_who_was_asked_may_answer(world: Any, context: Any, *, is_let_in: bool) -> None:
    """A scorer that is down locks nobody out who stays where they are, and opens no door for a relay."""
    token, code = challenged(world)
    world.scorer.mark = None
    answer = complete(world, token, code, **context)
    assert isinstance(answer, Allowed if is_let_in else Denied)
    kind, rule = ("challenge.passed", "same") if is_let_in else ("login.denied", "changed")
    assert world.audited(kind)[0].rule == f"unscored_{rule}_context"


def test_a_challenge_that_had_no_score_gets_one(world: Any) -> None:
    """Who was asked only because the scorer was down is still refused when it is back and says high."""
    secret = world.person(factor=True)
    world.scorer.mark = None
    token = asyncio.run(world.login()).challenge_token
    world.scorer.mark = 90.0
    assert isinstance(complete(world, token, world.code(secret)), Denied)


def test_passkeys_at_high_risk_are_for_who_was_asked(world: Any) -> None:
    """LOGIN_POLICY_HIGH_DENY=false: a passkey answers high risk, but not from somewhere else."""
    world.policy = Policy(high_deny=False)
    world.person()
    proof = world.passkey()
    world.scorer.mark = 90.0
    token = asyncio.run(world.login()).challenge_token
    assert isinstance(asyncio.run(world.show(token, proof)), Allowed)
    world.clock.advance(60)
    token = asyncio.run(world.login()).challenge_token
    assert isinstance(asyncio.run(world.show(token, proof, **AWAY)), Denied)


def test_a_server_that_vouches_for_nothing_says_nothing_of_the_person(world: Any) -> None:
    """The code decides; the audit line and a failure's report name the address of the first half."""
    token, code = challenged(world, client=TRUSTED, is_vouched=True)
    complete(world, token, "000000", client=TRUSTED, **AWAY)
    assert isinstance(complete(world, token, code, client=TRUSTED, **AWAY), Allowed)
    assert world.scorer.events == []
    assert world.audited("challenge.passed")[0].rule == "context_unknown"
    assert {line.ip for line in world.audited()} == {"198.51.100.9", None}
    assert {body["event"]["ip"] for _, body in world.messages("scorer")} == {"198.51.100.9"}


def test_the_session_of_a_vouched_login_is_one(world: Any) -> None:
    """So a later refresh without a word about the person is not held against them."""
    token, code = challenged(world, client=TRUSTED, is_vouched=True)
    tokens = complete(world, token, code, client=TRUSTED, is_vouched=True).tokens
    world.scorer.mark = 90.0
    assert asyncio.run(world.refresh(tokens.refresh_token, **AWAY)).tokens


def test_who_is_frozen_while_the_answer_is_scored_gets_nothing(world: Any) -> None:
    """The transaction looks again."""
    token, code = challenged(world)
    world.scorer.before = lambda: world.accounts.freeze("alice")
    assert complete(world, token, code) == ChallengeOver()
    assert world.count("sessions") == 0


@pytest.mark.parametrize(("mark", "network_left"), [(70.0, 50), (90.0, 49)])
def test_a_refused_answer_costs_the_network_and_not_the_owner(world: Any, mark: float, network_left: int) -> None:
    """No guess at a code was made; but the challenge's network pays, as for a denied login."""
    token, code = challenged(world)
    world.scorer.mark = mark
    complete(world, token, code)
    assert free_attempts(world, factor_keys("alice")[0]) == 5
    assert free_attempts(world, network_key("198.51.100.9")) == network_left


def free_attempts(world: Any, key: ThrottleKey) -> int:
    """How many attempts at once are not made to wait."""

    async def count() -> int:
        found = 0
        while (await world.throttle.reserve([key], world.clock.now())).wait_seconds == 0:
            found += 1
        return found

    return asyncio.run(count())
