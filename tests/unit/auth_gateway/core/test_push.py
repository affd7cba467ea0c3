"""What the word of an MFA system is worth, and the number that ties it to one screen."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.factor import Demand
from auth_gateway.core.pending import PendingLogin, push_standing, refusal_of
from auth_gateway.core.policy import Policy, available, decide, taken
from auth_gateway.core.push import Standing, drawn_number, is_too_soon
from plumbing.randomness import SeededRandomness
from tests.unit.auth_gateway.core.test_policy import score

NOW = 1_700_000_000.0
PENDING = PendingLogin(
    challenge_id="chg_1",
    token_digest=b"challenge",
    user_id="alice",
    client_id="web",
    password_version=1,
    device_digest=None,
    event_id="evt_1",
    event=b"{}",
    risk_score=70.0,
    risk_level="medium",
    created_at=NOW,
    expires_at=NOW + 300,
    attempts_left=5,
    push="waiting",
)


@pytest.mark.parametrize(
    ("changed", "after", "expected"),
    [
        ({"push": ""}, 0, "none"),
        ({}, 299.9, "waiting"),
        ({}, 300, "over"),
        ({"attempts_left": 0}, 0, "over"),
        ({"attempts_left": 1}, 0, "waiting"),
        ({"consumed_at": NOW}, 0, "over"),
        ({"push": "approved"}, 299.9, "approved"),
        ({"push": "approved"}, 300, "over"),
        ({"push": "approved", "consumed_at": NOW}, 0, "over"),
        ({"push": "denied", "consumed_at": NOW}, 299.9, "refused"),
        ({"push": "reported", "consumed_at": NOW}, 0, "refused"),
        ({"push": "denied", "consumed_at": NOW}, 300, "over"),
    ],
)
def test_a_word_is_worth_something_while_its_challenge_lives(
    changed: dict[str, Any], after: float, expected: Standing
) -> None:
    """A no is heard as long as the challenge would have lived; a yes counts once."""
    assert push_standing(msgspec.structs.replace(PENDING, **changed), NOW + after) == expected


@pytest.mark.parametrize(
    ("client_id", "after", "expected"), [("web", 0, "inc_1"), ("other", 0, None), ("web", 300, None)]
)
def test_a_refusal_is_its_own_applications(client_id: str, after: float, expected: str | None) -> None:
    """Nobody else learns that somebody said no."""
    refused = msgspec.structs.replace(PENDING, push="denied", consumed_at=NOW, incident_id="inc_1")
    assert refusal_of(refused, expected_client_id=client_id, now=NOW + after) == expected
    assert refusal_of(PENDING, expected_client_id=client_id, now=NOW + after) is None
    assert refusal_of(None, expected_client_id=client_id, now=NOW) is None


def test_numbers_have_two_digits_and_are_spread() -> None:
    """Each of ninety, none much more often than the others."""
    randomness = SeededRandomness(7)
    drawn = [drawn_number(randomness.bytes(8)) for _ in range(9_000)]
    assert set(drawn) == {str(number) for number in range(10, 100)}
    assert max(map(drawn.count, set(drawn))) < 160
    assert (drawn_number(b"\0" * 8), drawn_number((89).to_bytes(8))) == ("10", "99")


@pytest.mark.parametrize(("polled_at", "expected"), [(None, False), (NOW - 0.9, True), (NOW - 1.0, False)])
def test_a_second_is_the_least_pause(polled_at: float | None, expected: bool) -> None:
    """Who asks for the first time never waits."""
    assert is_too_soon(polled_at, NOW) is expected


@pytest.mark.parametrize(("demand", "is_taken"), [("any", True), ("enrolled", True), ("phishing_resistant", False)])
def test_the_word_is_a_factor_for_everybody_where_the_operator_says_so(demand: Demand, is_taken: bool) -> None:
    """It answers what an authenticator answers; where a passkey is wanted it is nothing."""
    with_push = Policy(push=True)
    assert available(("totp", "email_code"), with_push) == ("totp", "push", "email_code")
    assert available(("totp", "email_code"), Policy()) == ("totp", "email_code")
    assert bool(taken(available((), with_push), demand, with_push)) is is_taken
    assert taken(("email_code",), "enrolled", with_push) == ()


@pytest.mark.parametrize(
    ("mark", "rule"), [(70, "medium"), (None, "unscored"), (76, "no_phishing_resistant_factor"), (95, "high")]
)
def test_it_lifts_no_denial(mark: float | None, rule: str) -> None:
    """Near high it is a factor of the wrong kind; at high nothing is asked."""
    policy = Policy(push=True)
    assert decide(None if mark is None else score(mark), factors=available((), policy), policy=policy).rule == rule
