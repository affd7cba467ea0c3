"""The table of policy, as a full matrix."""

from itertools import product
from typing import Any

import pytest

from auth_gateway.core.policy import (
    Policy,
    Unchanged,
    decide,
    decide_refresh,
    decide_step_up,
    is_worth_announcing,
    level_of,
)
from risk_scorer.contract.assessment import Explain, Reason, RiskScore, risk_level

NOTHING_KNOWN = Explain(
    hour=0,
    day_of_week=0,
    success=1,
    user_freq=0,
    ip_freq=0,
    device_freq=0,
    ua_freq=0,
    ja4_freq=0,
    ja4h_freq=0,
    ja4s_freq=0,
    ip_rep=0.0,
)


def score(mark: float, level: Any = None) -> RiskScore:
    return RiskScore(
        risk_score=mark,
        risk_level=level or risk_level(mark),
        model_label=1,
        explain=NOTHING_KNOWN,
        ts_scored=0.0,
        reasons=[Reason(code="new_device", points=mark, observed="", usual="", text="")],
        model_version="m",
        event_id="evt_1",
    )


# (level, high_deny, medium_requires_mfa, has_factor) → (decision, rule); every combination is here
MATRIX = {
    ("low", True, True, True): ("allow", "low"),
    ("low", True, True, False): ("allow", "low"),
    ("low", True, False, True): ("allow", "low"),
    ("low", True, False, False): ("allow", "low"),
    ("low", False, True, True): ("allow", "low"),
    ("low", False, True, False): ("allow", "low"),
    ("low", False, False, True): ("allow", "low"),
    ("low", False, False, False): ("allow", "low"),
    ("medium", True, True, True): ("challenge", "medium"),
    ("medium", True, True, False): ("deny", "no_factor"),
    ("medium", True, False, True): ("allow", "medium_allowed"),
    ("medium", True, False, False): ("allow", "medium_allowed"),
    ("medium", False, True, True): ("challenge", "medium"),
    ("medium", False, True, False): ("deny", "no_factor"),
    ("medium", False, False, True): ("allow", "medium_allowed"),
    ("medium", False, False, False): ("allow", "medium_allowed"),
    ("high", True, True, True): ("deny", "high"),
    ("high", True, True, False): ("deny", "high"),
    ("high", True, False, True): ("deny", "high"),
    ("high", True, False, False): ("deny", "high"),
    ("high", False, True, True): ("challenge", "high_step_up"),
    ("high", False, True, False): ("deny", "no_factor_high"),
    ("high", False, False, True): ("challenge", "high_step_up"),
    ("high", False, False, False): ("deny", "no_factor_high"),
    (None, True, True, True): ("challenge", "unscored"),
    (None, True, True, False): ("deny", "no_factor_unscored"),
    (None, True, False, True): ("challenge", "unscored"),
    (None, True, False, False): ("deny", "no_factor_unscored"),
    (None, False, True, True): ("challenge", "unscored"),
    (None, False, True, False): ("deny", "no_factor_unscored"),
    (None, False, False, True): ("challenge", "unscored"),
    (None, False, False, False): ("deny", "no_factor_unscored"),
}
MARKS: dict[str | None, list[float | None]] = {
    "low": [0.0, 59.999],
    "medium": [60.0, 79.999],
    "high": [80.0, 100.0],
    None: [None],
}


def test_the_matrix_is_complete() -> None:
    """No combination of level, switches and factor is left to chance."""
    switches = (True, False)
    assert set(MATRIX) == set(product(["low", "medium", "high", None], switches, switches, switches))


@pytest.mark.parametrize("situation", MATRIX, ids=str)
def test_policy_answers_as_the_matrix_says(situation: tuple[str | None, bool, bool, bool]) -> None:
    """Both ends of every level give the decision and the rule of their row."""
    level, high_deny, medium_requires_mfa, has_factor = situation
    policy = Policy(high_deny=high_deny, medium_requires_mfa=medium_requires_mfa)
    for mark in MARKS[level]:
        decision = decide(None if mark is None else score(mark), has_factor=has_factor, policy=policy)
        assert (decision.name, decision.rule) == MATRIX[situation]


@pytest.mark.parametrize(
    "odd",
    [
        score(float("nan"), "low"),
        score(float("inf"), "high"),
        score(-0.1, "low"),
        score(100.1, "high"),
        score(50, "high"),
    ],
    ids=["nan", "infinite", "below", "above", "at odds with its level"],
)
def test_what_is_no_score_steps_up(odd: RiskScore) -> None:
    """A score that cannot be is treated like none at all, and is never a reason."""
    assert level_of(odd) is None
    assert decide(odd, has_factor=True, policy=Policy()).rule == "unscored"
    assert decide(odd, has_factor=False, policy=Policy()).name == "deny"
    assert decide(odd, has_factor=True, policy=Policy()).reasons == ()


def test_reasons_travel_with_the_decision() -> None:
    """The operator reads why in the audit trail."""
    assert decide(score(70), has_factor=True, policy=Policy()).reasons == ("new_device",)


@pytest.mark.parametrize(("mark", "expected"), [(79.9, False), (80.0, True), (100.0, True)])
def test_denials_are_announced_from_the_threshold_on(mark: float, expected: bool) -> None:
    """The threshold itself is included."""
    assert is_worth_announcing(score(mark), 80.0) is expected
    assert not is_worth_announcing(None, 0.0)
    assert not is_worth_announcing(score(float("nan"), "high"), 0.0)


# (level, is_same_context, high_deny, medium_requires_mfa) → the refresh's (decision, rule)
REFRESHES = {
    **{
        (None, True, *switches): ("allow", "unscored_same_context")
        for switches in product((True, False), (True, False))
    },
    **{
        (None, False, *switches): ("challenge", "unscored_changed_context")
        for switches in product((True, False), (True, False))
    },
    **{("low", *rest): ("allow", "low") for rest in product((True, False), (True, False), (True, False))},
    **{("medium", *rest, True): ("challenge", "medium") for rest in product((True, False), (True, False))},
    **{("medium", *rest, False): ("allow", "medium_allowed") for rest in product((True, False), (True, False))},
    **{("high", is_same, True, mfa): ("deny", "high") for is_same, mfa in product((True, False), (True, False))},
    **{
        ("high", is_same, False, mfa): ("challenge", "high_step_up")
        for is_same, mfa in product((True, False), (True, False))
    },
}
# (level, is_same_context, high_deny) → the step-up's (decision, rule)
STEP_UPS = {
    (None, True, True): ("allow", "unscored_same_context"),
    (None, True, False): ("allow", "unscored_same_context"),
    (None, False, True): ("deny", "unscored_changed_context"),
    (None, False, False): ("deny", "unscored_changed_context"),
    **{("low", *rest): ("allow", "stepped_up") for rest in product((True, False), (True, False))},
    **{("medium", *rest): ("allow", "stepped_up") for rest in product((True, False), (True, False))},
    ("high", True, True): ("deny", "high"),
    ("high", False, True): ("deny", "high"),
    ("high", True, False): ("allow", "stepped_up"),
    ("high", False, False): ("deny", "high"),
}


def test_the_matrix_of_refreshes_is_whole() -> None:
    """Nothing is left to chance."""
    assert set(REFRESHES) == set(product((None, "low", "medium", "high"), (True, False), (True, False), (True, False)))
    assert set(STEP_UPS) == set(product((None, "low", "medium", "high"), (True, False), (True, False)))


@pytest.mark.parametrize(("case", "expected"), REFRESHES.items())
def test_a_refresh_goes_by_its_level(case: Any, expected: tuple[str, str]) -> None:
    """Without a score only what has not changed goes on; no switch lets a high risk through."""
    level, is_same, high_deny, mfa = case
    policy = Policy(high_deny=high_deny, medium_requires_mfa=mfa)
    for mark in MARKS[level]:
        found = None if mark is None else score(mark)
        decision = decide_refresh(found, unchanged=Unchanged(context=is_same), policy=policy)
        assert (decision.name, decision.rule) == expected
        assert decision.reasons == (("new_device",) if level else ())


@pytest.mark.parametrize(("case", "expected"), STEP_UPS.items())
def test_an_answered_challenge_goes_by_its_level(case: Any, expected: tuple[str, str]) -> None:
    """Medium is what the code was for; high is refused, but where the operator asks for codes at high risk."""
    level, is_same, high_deny = case
    for mark in MARKS[level]:
        found = None if mark is None else score(mark)
        decision = decide_step_up(found, unchanged=Unchanged(context=is_same), policy=Policy(high_deny=high_deny))
        assert (decision.name, decision.rule) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("low", ("allow", "low")),
        ("medium", ("allow", "medium_same_client")),
        ("high", ("deny", "high")),
        (None, ("challenge", "unscored_changed_context")),
    ],
)
def test_a_known_client_excuses_another_network_at_medium_risk_and_nothing_more(
    level: str | None, expected: tuple[str, str]
) -> None:
    """From Wi-Fi to mobile a session goes on; high stays high, and without a score nobody said the country."""
    for mark in MARKS[level]:
        found = None if mark is None else score(mark)
        decision = decide_refresh(found, unchanged=Unchanged(client=True), policy=Policy())
        assert (decision.name, decision.rule) == expected
