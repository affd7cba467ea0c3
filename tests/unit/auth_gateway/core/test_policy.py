"""The table of policy, as a full matrix."""

from itertools import product
from typing import Any

import pytest

from auth_gateway.core.decision import Challenge
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.policy import (
    Policy,
    Unchanged,
    decide,
    decide_refresh,
    decide_step_up,
    is_worth_announcing,
    level_of,
    taken,
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


FACTORS: dict[str, tuple[FactorKind, ...]] = {
    "passkey": ("passkey", "totp"),
    "code": ("totp", "recovery_code"),
    "mail": ("email_code",),
    "none": (),
}
ASKED = {
    "passkey": ("challenge", "medium", "any"),
    "code": ("challenge", "medium", "any"),
    "mail": ("challenge", "medium", "any"),
    "none": ("deny", "no_factor", ""),
}
NEAR_HIGH = {
    "passkey": ("challenge", "near_high", "phishing_resistant"),
    "code": ("deny", "no_phishing_resistant_factor", ""),
    "mail": ("deny", "no_factor", ""),
    "none": ("deny", "no_factor", ""),
}
UNSCORED = {
    "passkey": ("challenge", "unscored", "enrolled"),
    "code": ("challenge", "unscored", "enrolled"),
    "mail": ("deny", "no_factor_unscored", ""),
    "none": ("deny", "no_factor_unscored", ""),
}
HIGH_STEP_UP = {
    "passkey": ("challenge", "high_step_up", "phishing_resistant"),
    "code": ("deny", "no_phishing_resistant_factor", ""),
    "mail": ("deny", "no_factor_high", ""),
    "none": ("deny", "no_factor_high", ""),
}
ALLOWED = dict.fromkeys(FACTORS, ("allow", "low", ""))
ALLOWED_AT_MEDIUM = dict.fromkeys(FACTORS, ("allow", "medium_allowed", ""))
DENIED = dict.fromkeys(FACTORS, ("deny", "high", ""))
# (level, high_deny, medium_requires_mfa) → factors → (decision, rule, demand); every combination is here
MATRIX = {
    **{("low", *switches): ALLOWED for switches in product((True, False), (True, False))},
    **{(level, high_deny, False): ALLOWED_AT_MEDIUM for level in ("medium", "near") for high_deny in (True, False)},
    **{("medium", high_deny, True): ASKED for high_deny in (True, False)},
    **{("near", high_deny, True): NEAR_HIGH for high_deny in (True, False)},
    **{("high", True, mfa): DENIED for mfa in (True, False)},
    **{("high", False, mfa): HIGH_STEP_UP for mfa in (True, False)},
    **{(None, *switches): UNSCORED for switches in product((True, False), (True, False))},
}
MARKS: dict[str | None, list[float | None]] = {
    "low": [0.0, 59.999],
    "medium": [60.0, 74.999],
    "near": [75.0, 79.999],
    "high": [80.0, 100.0],
    None: [None],
}


def test_the_matrix_is_complete() -> None:
    """No combination of level, switches and factors is left to chance."""
    switches = (True, False)
    assert set(MATRIX) == set(product(["low", "medium", "near", "high", None], switches, switches))
    assert all(set(row) == set(FACTORS) for row in MATRIX.values())


@pytest.mark.parametrize("kind", FACTORS)
@pytest.mark.parametrize("situation", MATRIX, ids=str)
def test_policy_answers_as_the_matrix_says(situation: tuple[str | None, bool, bool], kind: str) -> None:
    """Both ends of every level give the decision, the rule and the demand of their row."""
    level, high_deny, medium_requires_mfa = situation
    policy = Policy(high_deny=high_deny, medium_requires_mfa=medium_requires_mfa)
    for mark in MARKS[level]:
        decision = decide(None if mark is None else score(mark), factors=FACTORS[kind], policy=policy)
        demand = decision.demand if isinstance(decision, Challenge) else ""
        assert (decision.name, decision.rule, demand) == MATRIX[situation][kind]


@pytest.mark.parametrize("high_deny", [True, False])
@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("low", ("allow", "low")),
        ("medium", ("allow", "medium_passkey")),
        ("near", ("allow", "medium_passkey")),
        (None, ("allow", "unscored_passkey")),
    ],
)
def test_a_passkey_alone_answers_what_it_would_be_asked_for(
    level: str | None, expected: tuple[str, str], high_deny: bool
) -> None:
    """Nobody is asked for the passkey that was just shown, and a high risk is refused whatever the switches say."""
    policy = Policy(high_deny=high_deny)
    for mark in MARKS[level]:
        found = None if mark is None else score(mark)
        decision = decide(found, factors=FACTORS["passkey"], policy=policy, shown_phishing_resistant=True)
        assert (decision.name, decision.rule) == expected
    high = decide(score(80), factors=FACTORS["passkey"], policy=policy, shown_phishing_resistant=True)
    assert (high.name, high.rule) == ("deny", "high" if high_deny else "high_passkey")


@pytest.mark.parametrize(
    ("start", "mark", "rule"), [(60, 60.0, "near_high"), (80, 79.999, "medium"), (70, 69.9, "medium")]
)
def test_the_operator_says_where_near_high_begins(start: float, mark: float, rule: str) -> None:
    """From the lowest medium risk on, or nowhere."""
    decision = decide(score(mark), factors=FACTORS["passkey"], policy=Policy(phishing_resistant_from=start))
    assert decision.rule == rule


def test_a_code_by_mail_is_a_factor_where_the_operator_says_so() -> None:
    """Switched off, whoever has nothing else is refused as if there were none."""
    policy = Policy(email_code=False)
    assert decide(score(70), factors=("email_code",), policy=policy).rule == "no_factor"
    assert decide(score(70), factors=("totp", "email_code"), policy=policy).name == "challenge"
    assert taken(("totp", "email_code"), "any", policy) == ("totp",)
    assert taken(("totp", "email_code"), "any", Policy()) == ("totp", "email_code")


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
    assert decide(odd, factors=("totp",), policy=Policy()).rule == "unscored"
    assert decide(odd, factors=(), policy=Policy()).name == "deny"
    assert decide(odd, factors=("totp",), policy=Policy()).reasons == ()


def test_reasons_travel_with_the_decision() -> None:
    """The operator reads why in the audit trail."""
    assert decide(score(70), factors=("totp",), policy=Policy()).reasons == ("new_device",)


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
    **{("near", *rest, True): ("challenge", "near_high") for rest in product((True, False), (True, False))},
    **{
        (level, *rest, False): ("allow", "medium_allowed")
        for level in ("medium", "near")
        for rest in product((True, False), (True, False))
    },
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
    ("near", True, True): ("allow", "stepped_up"),
    ("near", True, False): ("allow", "stepped_up"),
    ("near", False, True): ("deny", "no_phishing_resistant_factor"),
    ("near", False, False): ("deny", "no_phishing_resistant_factor"),
    ("high", True, True): ("deny", "high"),
    ("high", False, True): ("deny", "high"),
    ("high", True, False): ("allow", "stepped_up"),
    ("high", False, False): ("deny", "high"),
}


def test_the_matrix_of_refreshes_is_whole() -> None:
    """Nothing is left to chance."""
    levels = (None, "low", "medium", "near", "high")
    assert set(REFRESHES) == set(product(levels, (True, False), (True, False), (True, False)))
    assert set(STEP_UPS) == set(product(levels, (True, False), (True, False)))


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


def test_a_refresh_near_high_asks_for_what_cannot_be_phished() -> None:
    """A challenge says which factors answer it, on this way too."""
    near = decide_refresh(score(75), unchanged=Unchanged(), policy=Policy())
    below = decide_refresh(score(74.9), unchanged=Unchanged(), policy=Policy())
    assert isinstance(near, Challenge)
    assert isinstance(below, Challenge)
    assert (near.demand, below.demand) == ("phishing_resistant", "any")


@pytest.mark.parametrize(("mark", "name"), [(74.9, "allow"), (75.0, "allow"), (79.9, "allow"), (80.0, "deny")])
def test_a_passkey_answers_from_elsewhere_up_to_high(mark: float, name: str) -> None:
    """It cannot have been passed on, so it counts where a code would be refused."""
    decision = decide_step_up(score(mark), unchanged=Unchanged(), policy=Policy(), shown_phishing_resistant=True)
    assert decision.name == name
