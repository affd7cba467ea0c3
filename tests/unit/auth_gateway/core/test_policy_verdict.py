"""What a matching rule means for a request, and what no rule can do."""

from itertools import product
from typing import Any

import pytest

from auth_gateway.core.circumstances import UNSCORED, Circumstances, Risk, risk_at
from auth_gateway.core.decision import Allow, Challenge, Decision, Deny
from auth_gateway.core.facts import Facts, Reported
from auth_gateway.core.facts import Path as RequestPath
from auth_gateway.core.policy import CONTEXT_UNKNOWN, Policy
from auth_gateway.core.policy_document import parse
from auth_gateway.core.policy_rule import PATHS, PolicyDocument
from auth_gateway.core.policy_verdict import verdict

POLICY = Policy(high_deny=False)
STRICTNESS = {"allow": 0, "challenge": 1, "deny": 2}


def document(*rules: str) -> PolicyDocument:
    text = "".join(f'[[rule]]\nname = "r{number}"\n{rule}\n' for number, rule in enumerate(rules, 1))
    names = "[networks]\noffice = ['203.0.113.0/24', '2001:db8::/32']\n[groups]\nadmins = ['ada']\n"
    return parse((names + text).encode(), POLICY)


def request(path: RequestPath = "login", risk: Risk | None = UNSCORED, **known: Any) -> Circumstances:
    own = {"login_risk": risk or UNSCORED} if path == "login" else {"session_risk": risk}
    return Circumstances(**{"path": path, "client_id": "web", "factors": ("totp",), **own, **known})


def said(rules: PolicyDocument, now: Circumstances, built_in: Decision = Allow("low")) -> str:  # noqa: B008 -- frozen
    decision = verdict(rules, now, built_in, policy=POLICY).decision
    return f"{decision.name} {decision.rule}"


MEETS: dict[str, tuple[Circumstances, Circumstances]] = {
    "client = 'web'": (request(), request(client_id="app")),
    "group = 'admins'": (request(username="ada"), request(username="adam")),
    "network = 'office'": (request(ip="203.0.113.255"), request(ip="203.0.114.0")),
    "network = ['office']": (request(ip="2001:db8:ffff::1"), request(ip="2001:db9::")),
    "country = ['KP', 'IR']": (request(country="IR"), request(country="")),
    "country = 'unknown'": (request(country=""), request(country="DE")),
    "factor = 'totp'": (request(), request(factors=("passkey",))),
    "factor = 'none'": (request(factors=()), request()),
    "shown = 'phishing_resistant'": (request(shown="passkey"), request()),
    "login_risk = 'medium'": (request(risk=risk_at(60.0)), request(risk=risk_at(59.9))),
    "login_risk = 'unscored'": (request(), request(risk=risk_at(0.0))),
    "login_risk = '>= 70'": (request(risk=risk_at(70.0)), request(risk=risk_at(69.9))),
    "login_risk = '> 70, <= 75'": (request(risk=risk_at(75.0)), request(risk=risk_at(70.0))),
    "login_risk = ['low', '>= 90']": (request(risk=risk_at(90.0)), request(risk=risk_at(60.0))),
    "session_risk = 'low', path = 'refresh'": (request("refresh", risk_at(1.0)), request("refresh", None)),
    "user_risk = 'high'": (request(user_risk=80.0), request(user_risk=79.9)),
    "user_risk = 'none'": (request(), request(user_risk=0.1)),
    "user_risk = '> 10'": (request(user_risk=10.1), request(user_risk=10.0)),
    "reasons = ['a', 'b']": (request(reasons=("c", "b")), request(reasons=("c",))),
    "path = 'step_up'": (request("step_up"), request("refresh")),
    "client = 'web', country = 'DE'": (request(country="DE"), request(country="FR")),
}


@pytest.mark.parametrize("when", MEETS)
def test_a_rule_is_for_those_that_meet_all_it_asks(when: str) -> None:
    """Both sides of each condition; what is not known meets none but those that say so."""
    rules, (meets, fails) = document(f"when = {{ {when} }}\nthen = 'deny'"), MEETS[when]
    assert said(rules, meets) == "deny document:r1"
    assert said(rules, fails) == "allow low"


def test_unless_is_where_a_rule_does_not_hold() -> None:
    """An address that nobody knows is not in the office."""
    rules = document("when.client = 'web'\nunless.network = 'office'\nthen = 'deny'")
    assert said(rules, request(ip="203.0.113.9")) == "allow low"
    assert said(rules, request(ip="198.51.100.9")) == "deny document:r1"
    assert said(rules, request(ip="")) == "deny document:r1"


def test_the_first_match_answers() -> None:
    """Whatever stands below it."""
    rules = document("when.country = 'KP'\nthen = 'deny'", "then = 'challenge'")
    assert said(rules, request(country="KP")) == "deny document:r1"
    assert said(rules, request(country="DE")) == "challenge document:r2"


def test_a_rule_that_only_reports_changes_nothing_and_is_told() -> None:
    """With what it would have said; rules below the one that answers are not asked."""
    rules = document(
        "then = 'challenge'\nreport_only = true",
        "when.client = 'app'\nthen = 'deny'\nreport_only = true",
        "when.client = 'web'\nthen = 'deny'",
        "then = 'deny'\nreport_only = true",
    )
    found = verdict(rules, request(), Allow("low"), policy=POLICY)
    assert found.decision == Deny("document:r3")
    told = (Reported(rule="r1", decision="challenge", demand="any"),)
    assert found.reported == found.on(Facts()).report_only == told


@pytest.mark.parametrize(
    ("demand", "factors", "answer"),
    [
        ("any", ("email_code",), "challenge document:r1"),
        ("any", (), "deny document:r1:no_factor"),
        ("enrolled", ("email_code",), "deny document:r1:no_factor"),
        ("phishing_resistant", ("passkey",), "challenge document:r1"),
        ("phishing_resistant", ("totp",), "deny document:r1:no_phishing_resistant_factor"),
        ("phishing_resistant", (), "deny document:r1:no_factor"),
    ],
)
def test_who_has_no_factor_that_a_challenge_takes_is_refused(
    demand: str, factors: tuple[str, ...], answer: str
) -> None:
    """As at a medium risk (0003), under the rule's own name."""
    rules = document(f"then = 'challenge'\ndemand = '{demand}'")
    assert said(rules, request(risk=risk_at(1.0), factors=factors)) == answer


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (request(risk=risk_at(1.0), shown="passkey"), "allow low"),
        (request("step_up", risk_at(1.0), shown="passkey"), "allow low"),
        (request("step_up", risk_at(1.0), shown="totp"), "deny document:r1:no_phishing_resistant_factor"),
        (request("refresh", risk_at(1.0), amr=("pwd", "otp", "mfa"), acr="aal2"), "challenge document:r1"),
        (request("refresh", risk_at(1.0), amr=("pop", "mfa"), acr="phr"), "allow low"),
        (request("refresh", None, amr=("pop", "mfa"), acr="phr"), "allow low"),
    ],
)
def test_a_challenge_is_over_once_its_factor_was_shown(now: Circumstances, answer: str) -> None:
    """With the login, with the answer, or when the session began: from there on the built-in table answers."""
    assert said(document("then = 'challenge'\ndemand = 'phishing_resistant'"), now) == answer


@pytest.mark.parametrize(
    ("demand", "amr", "is_asked"),
    [
        ("any", ("pwd",), True),
        ("any", ("pwd", "mfa"), True),
        ("any", ("pwd", "mca"), False),
        ("enrolled", ("pwd", "mca"), True),
        ("enrolled", ("pwd", "otp", "mfa"), False),
    ],
)
def test_a_session_answers_for_what_was_shown_in_it(demand: str, amr: tuple[str, ...], is_asked: bool) -> None:
    """A trusted device was shown nothing, and a code by mail is no enrolled factor."""
    rules = document(f"then = 'challenge'\ndemand = '{demand}'")
    assert said(rules, request("refresh", risk_at(1.0), amr=amr)).startswith("challenge") is is_asked


def test_a_risk_of_the_session_wants_its_factor_anew() -> None:
    """What was shown before the risk was there says nothing about it."""
    rules = document("when.session_risk = 'medium'\nthen = 'challenge'")
    now = request("refresh", risk_at(65.0), amr=("pop", "mfa"), acr="phr")
    assert said(rules, now, Allow("medium_same_client")) == "challenge document:r1"


BUILT_IN: tuple[Decision, ...] = (
    Allow("a"),
    Challenge("c", demand="any"),
    Challenge("c", demand="enrolled"),
    Challenge("c", demand="phishing_resistant"),
    Deny("d"),
)
RULES = (
    "then = 'deny'",
    "then = 'challenge'",
    "then = 'challenge'\ndemand = 'phishing_resistant'",
    "when = { login_risk = ['low', 'medium'] }\nthen = 'allow'",
    "when = { session_risk = ['low', 'medium'] }\nthen = 'allow'",
    "when = { login_risk = ['low', 'medium', 'high', 'unscored'], shown = 'passkey' }\nthen = 'allow'",
    "when = { session_risk = ['high', 'unscored'], shown = 'passkey', path = 'step_up' }\nthen = 'allow'",
)
RANK = {"any": 0, "enrolled": 1, "phishing_resistant": 2}


def strictness(decision: Decision) -> tuple[int, int]:
    demand = RANK[decision.demand] if isinstance(decision, Challenge) else 0
    return STRICTNESS[decision.name], demand


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_is_milder_than_the_table_at_a_high_or_unscored_risk(rule: str) -> None:
    """Whatever it says, whoever comes and however, unless they have just shown a passkey."""
    rules = document(rule)
    shown = (None, "totp", "email_code", "recovery_code")
    risks = (risk_at(80.0), risk_at(100.0), UNSCORED, None)
    for path, risk, factor, built_in in product(PATHS, risks, shown, BUILT_IN):
        if path == "login" and risk is None:
            continue
        now = request(path, risk, shown=factor, amr=("pop",), acr="phr")
        decision = verdict(rules, now, built_in, policy=POLICY).decision
        assert strictness(decision) >= strictness(built_in), (path, risk, factor, built_in)


@pytest.mark.parametrize(("user_risk", "answer"), [(79.9, "allow document:r1"), (80.0, "challenge user_high")])
def test_no_rule_is_milder_than_the_table_with_a_person_at_high_risk(user_risk: float, answer: str) -> None:
    """However quiet the login is: that is what somebody who has taken over an account looks like."""
    rules, asked = document(RULES[3]), Challenge("user_high", demand="phishing_resistant")
    assert said(rules, request(risk=risk_at(1.0), user_risk=user_risk), asked) == answer
    if user_risk >= 80.0:
        assert said(rules, request(risk=risk_at(1.0), user_risk=user_risk, shown="passkey"), asked) == (
            "allow document:r1"
        )


def test_a_passkey_may_open_what_a_rule_opens_to_it() -> None:
    """That and nothing else: the built-in table refuses it."""
    rules = document(RULES[5])
    now = request(risk=risk_at(90.0), shown="passkey")
    assert said(rules, now, Deny("high_passkey")) == "allow document:r1"
    assert said(rules, request(risk=risk_at(90.0), shown="totp"), Deny("high")) == "deny high"
    assert said(document(RULES[1]), now, Deny("high_passkey")) == "deny high_passkey"


def test_a_server_that_says_nothing_of_the_person_is_asked_about_both_all_the_same() -> None:
    """Who they are and what is held against them is known without their address."""
    rules = document("when.user_risk = 'high'\nthen = 'deny'", "when.network = 'office'\nthen = 'deny'")
    now = request("refresh", None, user_risk=90.0)
    assert said(rules, now, CONTEXT_UNKNOWN) == "deny document:r1"
    assert said(rules, request("refresh", None), CONTEXT_UNKNOWN) == "allow context_unknown"
