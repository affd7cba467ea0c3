"""What the built-in tables make of a person's own risk, beside that of the request."""

from typing import Any

import pytest

from auth_gateway.core.circumstances import Circumstances, risk_at
from auth_gateway.core.decision import Allow, Challenge
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.policy import Policy, Unchanged, decide, decide_refresh, decide_step_up
from auth_gateway.core.policy_rule import Conditions, Rule, document_of
from auth_gateway.core.policy_unseen import decide_unseen
from auth_gateway.core.policy_verdict import verdict
from tests.unit.auth_gateway.core.test_policy import FACTORS, score

SAME = Unchanged(context=True, client=True)
LOWER = ("none", "low")


def said(decision: Any) -> tuple[str, str, str]:
    return decision.name, decision.rule, decision.demand if isinstance(decision, Challenge) else ""


def login(mark: float | None, person: Any, factors: tuple[FactorKind, ...], **more: Any) -> tuple[str, str, str]:
    found = None if mark is None else score(mark)
    policy = more.pop("policy", Policy())
    return said(decide(found, factors=factors, policy=policy, user_level=person, **more))


@pytest.mark.parametrize("person", LOWER)
@pytest.mark.parametrize("mark", [0.0, 59.9, 60.0, 79.9, 80.0, None])
@pytest.mark.parametrize("kind", FACTORS)
def test_below_medium_nothing_changes(person: str, mark: float | None, kind: str) -> None:
    """The answer is the request's own."""
    assert login(mark, person, FACTORS[kind]) == login(mark, "none", FACTORS[kind])


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("passkey", ("challenge", "user_medium", "any")),
        ("code", ("challenge", "user_medium", "any")),
        ("mail", ("challenge", "user_medium", "any")),
        ("none", ("deny", "no_factor", "")),
    ],
)
def test_at_medium_an_allow_becomes_a_challenge(kind: str, answer: tuple[str, str, str]) -> None:
    """At a low risk; at every other one the login's own row asks already."""
    assert login(10.0, "medium", FACTORS[kind]) == answer
    for mark in (65.0, 77.0, 90.0, None):
        assert login(mark, "medium", FACTORS[kind]) == login(mark, "none", FACTORS[kind])


def test_at_medium_the_operators_switch_counts() -> None:
    """Who asks nobody at medium asks nobody."""
    policy = Policy(medium_requires_mfa=False)
    assert login(10.0, "medium", (), policy=policy) == ("allow", "low", "")
    assert login(65.0, "medium", (), policy=policy) == ("allow", "medium_allowed", "")


@pytest.mark.parametrize("mark", [10.0, 65.0, 77.0, None])
@pytest.mark.parametrize("requires", [True, False])
def test_at_high_only_a_passkey_gets_in(mark: float | None, requires: bool) -> None:
    """Whatever the login looks like, and whatever the switches say."""
    policy = Policy(medium_requires_mfa=requires)
    assert login(mark, "high", FACTORS["passkey"], policy=policy) == ("challenge", "user_high", "phishing_resistant")
    for kind in ("code", "mail", "none"):
        assert login(mark, "high", FACTORS[kind], policy=policy) == ("deny", "password_reset_needed", "")


@pytest.mark.parametrize("person", ["medium", "high"])
@pytest.mark.parametrize("mark", [10.0, 65.0, 77.0, 90.0, None])
def test_a_passkey_that_was_shown_answers_for_the_person(person: str, mark: float | None) -> None:
    """What is left is the login's own risk."""
    shown = {"shown_phishing_resistant": True}
    assert login(mark, person, FACTORS["passkey"], **shown) == login(mark, "none", FACTORS["passkey"], **shown)


@pytest.mark.parametrize("mark", [10.0, 65.0, 77.0, None])
def test_a_refresh_at_high_is_a_new_login(mark: float | None) -> None:
    """Even from where nothing has changed, unless the session began with a passkey; high itself is denied as ever."""
    found = None if mark is None else score(mark)
    at_high = decide_refresh(found, unchanged=SAME, policy=Policy(), user_level="high")
    assert said(at_high) == ("challenge", "user_high", "phishing_resistant")
    by_passkey = decide_refresh(
        found, unchanged=SAME, policy=Policy(), user_level="high", shown_phishing_resistant=True
    )
    assert isinstance(by_passkey, Allow)
    assert isinstance(decide_refresh(found, unchanged=SAME, policy=Policy(), user_level="medium"), Allow)


def test_a_refresh_of_high_risk_ends_the_session_whoever_it_is() -> None:
    """The stricter answer counts."""
    assert said(decide_refresh(score(90), unchanged=SAME, policy=Policy(), user_level="high"))[:2] == ("deny", "high")


@pytest.mark.parametrize("mark", [10.0, 65.0, None])
def test_a_code_answers_no_challenge_at_high(mark: float | None) -> None:
    """It may have risen since the challenge was issued."""
    found = None if mark is None else score(mark)
    denied = decide_step_up(found, unchanged=SAME, policy=Policy(), user_level="high")
    assert said(denied)[:2] == ("deny", "password_reset_needed")
    shown = decide_step_up(found, unchanged=SAME, policy=Policy(), user_level="high", shown_phishing_resistant=True)
    assert isinstance(shown, Allow)


@pytest.mark.parametrize(
    ("path", "resistant", "person", "answer"),
    [
        ("refresh", False, "high", ("challenge", "user_high", "phishing_resistant")),
        ("refresh", True, "high", ("allow", "context_unknown", "")),
        ("refresh", False, "medium", ("allow", "context_unknown", "")),
        ("step_up", False, "high", ("deny", "password_reset_needed", "")),
        ("step_up", True, "high", ("allow", "context_unknown", "")),
    ],
)
def test_where_a_server_asks_the_person_still_counts(
    path: Any, resistant: bool, person: Any, answer: tuple[str, str, str]
) -> None:
    """Its connection says nothing of them."""
    assert said(decide_unseen(path, resistant, person)) == answer


@pytest.mark.parametrize(("risk", "answer"), [(79.0, "allow"), (80.0, "deny")])
def test_no_rule_of_a_document_lets_a_person_at_high_risk_in(risk: float, answer: str) -> None:
    """It may at medium, where it is the operator's to say."""
    document = document_of((Rule(name="all", then="allow", when=Conditions()),), "digest")
    now = Circumstances(path="login", client_id="web", login_risk=risk_at(10.0), user_risk=risk)
    built_in = decide(score(10.0), factors=(), policy=Policy(), user_level=now.user_level)
    assert verdict(document, now, built_in, policy=Policy()).decision.name == answer
