"""How far a person's own step-up mark lies higher: what gives it, what takes it away, and what it can never reach."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.answered import ENDS, is_answered_by_owner
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts
from auth_gateway.core.leeway import EVERY_SECONDS, HALF_LIFE_SECONDS, MOST_POINTS, NO_LEEWAY, Leeway
from auth_gateway.core.marks import Marks
from auth_gateway.core.policy import USUAL_RISK, Policy, decide
from tests.unit.auth_gateway.core.test_marks import score_of

DAY = 86_400.0
ANSWERED = AuditEvent(
    event_id="e",
    ts=0.0,
    kind="challenge.passed",
    user_id="alice",
    level="low",
    facts=Facts(
        path="step_up",
        login_score=63.0,
        demand="any",
        method="totp",
        is_known_device=True,
        is_same_context=True,
        user_risk=10.0,
    ),
)


def answered(times: int, *, every: float = DAY) -> Leeway:
    leeway = NO_LEEWAY
    for number in range(times):
        leeway = leeway.after(number * every)
    return leeway


def test_two_answers_give_nothing_and_the_third_does() -> None:
    """Everybody is asked now and then."""
    assert answered(2).points(DAY) == 0.0
    assert 1.0 < answered(3).points(2 * DAY) < 2.0


def test_it_ends_at_ten_points_however_often_somebody_answers() -> None:
    """A thousand answers are worth what a dozen are."""
    assert MOST_POINTS == 10.0
    assert 9.0 < answered(1000).points(999 * DAY) <= MOST_POINTS


@pytest.mark.parametrize(("every", "counts"), [(EVERY_SECONDS - 1, False), (EVERY_SECONDS, True)])
def test_answers_of_one_day_count_once(every: float, counts: bool) -> None:
    """Twenty hours lie between two that count."""
    assert (NO_LEEWAY.after(0.0).after(every).at == every) is counts


def test_it_fades() -> None:
    """To nothing within two months without being asked, and never below nothing."""
    full = answered(12)
    last = full.at
    halved = full.points(last + HALF_LIFE_SECONDS)
    assert 0.0 < halved < full.points(last) / 2
    assert full.points(last + 2 * HALF_LIFE_SECONDS) == 0.0
    assert full.points(last - DAY) <= MOST_POINTS  # a clock that was set back gives nothing away


def test_an_answer_of_the_owner_counts() -> None:
    """On their device, from where they were asked, with their authenticator."""
    assert is_answered_by_owner(ANSWERED)
    assert is_answered_by_owner(with_facts(method="passkey"))


def with_facts(**changed: Any) -> AuditEvent:
    assert ANSWERED.facts is not None
    return msgspec.structs.replace(ANSWERED, facts=msgspec.structs.replace(ANSWERED.facts, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"is_known_device": False},
        {"is_same_context": False},
        {"is_same_context": None},
        {"method": "email_code"},
        {"method": "recovery_code"},
        {"method": "push"},
        {"method": ""},
        {"login_score": 59.99},
        {"login_score": 80.0},
        {"login_score": None},
        {"demand": "phishing_resistant"},
        {"user_risk": 60.0},
        {"unscored": "scorer_timeout"},
    ],
    ids=lambda changed: "-".join(f"{name}={value}" for name, value in changed.items()),
)
def test_no_other_answer_counts(changed: dict[str, Any]) -> None:
    """A new device, another place, a factor that others may have, another risk, a person at risk, no score."""
    assert not is_answered_by_owner(with_facts(**changed))


@pytest.mark.parametrize("changed", [{"level": "high"}, {"level": None}, {"kind": "login.allowed"}, {"facts": None}])
def test_no_other_line_counts(changed: dict[str, Any]) -> None:
    """An answer from where the risk is high, one without a score, and what is no answer."""
    assert not is_answered_by_owner(msgspec.structs.replace(ANSWERED, **changed))


def test_whatever_speaks_against_the_person_ends_it() -> None:
    """Detections and verdicts (each is a raised risk), reports, and changes of what they prove themselves with."""
    assert {"risk.user_raised", "sign_in.reported", "user.frozen", "account.recovered", "factor.enrolled"} <= ENDS


FACTORS = ("totp", "passkey")


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        (59.99, "low"),
        (60.0, "medium_usual"),
        (64.99, "medium_usual"),
        (65.0, "medium"),
        (75.0, "near_high"),
        (80.0, "high"),
    ],
)
def test_only_the_step_up_mark_moves(number: float, rule: str) -> None:
    """Five points: from 60 to 65 the risk is the person's usual one, above it all is as before."""
    assert decide(score_of(number), factors=FACTORS, policy=Policy(), leeway=5.0).rule == rule


@pytest.mark.parametrize("leeway", [0.0, 5.0, 10.0, 1e6])
@pytest.mark.parametrize("points", [0.0, 5.0, 10.0])
def test_it_is_never_more_than_the_operator_gives(leeway: float, points: float) -> None:
    """Whatever a person has earned, 60 and what the setting gives is the end; 0 is no leeway at all."""
    policy = Policy(leeway_points=points)
    at_end = decide(score_of(60.0 + points), factors=FACTORS, policy=policy, leeway=leeway)
    assert at_end.rule == "medium"
    just_below = decide(score_of(60.0 + points - 0.01), factors=FACTORS, policy=policy, leeway=leeway)
    assert just_below.name == ("allow" if points == 0.0 or leeway >= points else "challenge")


def test_it_never_reaches_the_marks_above() -> None:
    """Where passkeys are asked for from 62 on, or an application denies from 63 on, it ends there."""
    strict = Policy(phishing_resistant_from=62.0, leeway_points=10.0)
    assert decide(score_of(61.9), factors=FACTORS, policy=strict, leeway=10.0).rule == "medium_usual"
    assert decide(score_of(62.0), factors=FACTORS, policy=strict, leeway=10.0).rule == "near_high"
    own = Marks(step_up=60.0, deny=63.0)
    assert decide(score_of(63.0), factors=FACTORS, policy=Policy(), leeway=10.0, marks=own).rule == "high"


@pytest.mark.parametrize(
    ("user_level", "is_let_in"), [("none", True), ("low", True), ("medium", False), ("high", False)]
)
def test_it_ends_where_something_is_held_against_the_person(user_level: Any, is_let_in: bool) -> None:
    """Then they are asked, as everybody is."""
    decision = decide(score_of(61.0), factors=FACTORS, policy=Policy(), leeway=10.0, user_level=user_level)
    assert (decision.rule == "medium_usual") is is_let_in


def test_the_decision_says_why() -> None:
    """Its reasons name the usual risk, and only where it counted."""
    assert USUAL_RISK in decide(score_of(61.0), factors=FACTORS, policy=Policy(), leeway=5.0).reasons
    assert USUAL_RISK not in decide(score_of(66.0), factors=FACTORS, policy=Policy(), leeway=5.0).reasons
    assert USUAL_RISK not in decide(score_of(10.0), factors=FACTORS, policy=Policy(), leeway=5.0).reasons
