"""Marks of applications and groups: how they are written, whom they are for, and what they can never do."""

from collections.abc import Mapping

import pytest

from auth_gateway.core.circumstances import Circumstances, risk_at
from auth_gateway.core.marks import SHARED, Marks, OwnMarks, marks_for
from auth_gateway.core.policy import Policy, Unchanged, decide, decide_refresh, decide_step_up, level_by
from auth_gateway.core.policy_document import BadDocument, parse
from auth_gateway.core.policy_verdict import verdict
from risk_scorer.contract.assessment import Explain, RiskScore, risk_level

NAMES = '[groups]\nadmins = ["ada", "grace"]\n[roles]\nroot = ["@admins", "zoe"]\n'
POLICY = Policy()


def problems(text: str, policy: Policy = POLICY) -> list[tuple[int, str]]:
    try:
        parse((NAMES + text).encode(), policy)
    except BadDocument as bad:
        return [(problem.line, problem.message) for problem in bad.problems]
    return []


def said(body: str, policy: Policy = POLICY) -> str:
    """The one complaint about marks with this body."""
    [(line, message)] = problems(f"[[marks]]\n{body}\n", policy)
    assert line >= 5
    return message


def score_of(mark: float) -> RiskScore:
    counts = dict.fromkeys(["user_freq", "ip_freq", "device_freq", "ua_freq", "ja4_freq", "ja4h_freq", "ja4s_freq"], 0)
    return RiskScore(
        risk_score=mark,
        risk_level=risk_level(mark),
        model_label=1,
        explain=Explain(hour=0, day_of_week=0, success=1, ip_rep=0.0, **counts),
        ts_scored=0.0,
        reasons=[],
        model_version="m1",
        event_id="e",
    )


def test_marks_are_read_in_their_order() -> None:
    """Whom they are for, by client, group and role; what is not written is the shared mark."""
    document = parse(
        (
            NAMES
            + '[[marks]]\nclient = ["shop", "bank"]\ngroup = "admins"\nstep_up = 45\nmodel = "m1"\n'
            + '[[marks]]\nrole = "root"\ndeny = 70.5\n'
        ).encode(),
        POLICY,
    )
    assert document.names_people
    first, second = document.marks
    assert first == OwnMarks(
        marks=Marks(step_up=45.0),
        clients=frozenset({"shop", "bank"}),
        usernames=(frozenset({"ada", "grace"}),),
        model="m1",
        meant="client=shop|bank group=admins",
    )
    assert second.marks == Marks(deny=70.5)
    assert second.usernames == (frozenset({"ada", "grace", "zoe"}),)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("step_up = 50", "marks say whom they are for"),
        ("client = 'a'", "marks say from which score on"),
        ("client = 'a'\nstep_up = 29.9", "is not from 30 to 75"),
        ("client = 'a'\nstep_up = 75.1", "is not from 30 to 75"),
        ("client = 'a'\ndeny = 80.1", "is not from 60 to 80"),
        ("client = 'a'\ndeny = 59", "is not from 60 to 80"),
        ("client = 'a'\nstep_up = 70\ndeny = 65", "who is denied from 65 on"),
        ("client = 'a'\ndeny = true", "is not a number"),
        ("client = 'a'\ndeny = nan", "is not a number"),
        (f"client = 'a'\ndeny = 7{'0' * 400}", "is not from 60 to 80"),
        (f"client = 'a'\ndeny = 0x{'f' * 5000}", "is not from 60 to 80"),
        ("client = 'a'\ndeny = '70'", "is not a number"),
        ("client = 'a'\ndeny = 70\nsince = 1", "unknown key 'since'"),
        ("client = 'a'\ndeny = 70\nmodel = ''", "is not a model's version"),
        ("client = 'a'\ndeny = 70\nmodel = 7", "is not a model's version"),
        ("group = 'nobody'\ndeny = 70", "is not defined under [groups]"),
        ("client = 'a b'\ndeny = 70", "is not a client id"),
    ],
)
def test_what_is_wrong_with_marks_is_said(body: str, complaint: str) -> None:
    """One line a problem, with the place; nothing is guessed."""
    assert complaint in said(body)


@pytest.mark.parametrize("body", ["step_up = 30", "step_up = 75", "deny = 60", "deny = 80", "step_up = 60\ndeny = 60"])
def test_the_ends_of_what_is_taken(body: str) -> None:
    """30 to 75 and 60 to 80 themselves are good."""
    assert problems(f"[[marks]]\nclient = 'a'\n{body}") == []


def test_a_step_up_mark_stays_below_the_phishing_resistant_one() -> None:
    """An operator who wants passkeys from 65 on cannot be talked out of it by marks."""
    assert "from 30 to 65" in said("client = 'a'\nstep_up = 66", Policy(phishing_resistant_from=65.0))


@pytest.mark.parametrize("text", ["marks = 3", "[marks]\nclient = 'a'"])
def test_marks_in_another_shape_are_refused(text: str) -> None:
    """They are an array of tables."""
    assert problems(f"{text}\n")
    assert any("[[marks]]" in message or "must be" in message for _, message in problems(f"{text}\n"))


@pytest.mark.parametrize(
    ("client_id", "username", "model", "expected"),
    [
        ("shop", "ada", "m1", Marks(step_up=45.0, deny=70.0)),
        ("shop", "bob", "m1", Marks(step_up=70.0)),
        ("web", "ada", "m1", SHARED),
        ("shop", "ada", "m2", Marks(step_up=45.0, deny=70.0)),
        ("shop", "bob", "m2", SHARED),
        ("shop", "bob", "", SHARED),
    ],
)
def test_the_first_marks_that_are_meant_count(client_id: str, username: str, model: str, expected: Marks) -> None:
    """By client and by person; for another model's scores they make nothing milder, and still make it stricter."""
    own = (
        OwnMarks(
            marks=Marks(step_up=45.0, deny=70.0),
            clients=frozenset({"shop"}),
            usernames=(frozenset({"ada"}),),
            model="m1",
        ),
        OwnMarks(marks=Marks(step_up=70.0), clients=frozenset({"shop"}), model="m1"),
    )
    assert marks_for(own, client_id=client_id, username=username, model_version=model) == expected


EARLY, LATE = Marks(step_up=45.0, deny=70.0), Marks(step_up=70.0)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (SHARED, {59.99: "allow low", 60.0: "challenge medium", 75.0: "challenge near_high", 80.0: "deny high"}),
        (EARLY, {44.99: "allow low", 45.0: "challenge medium", 69.99: "challenge medium", 70.0: "deny high"}),
        (LATE, {69.99: "allow low", 70.0: "challenge medium", 75.0: "challenge near_high", 80.0: "deny high"}),
    ],
)
def test_a_login_is_decided_by_its_marks(marks: Marks, expected: Mapping[float, str]) -> None:
    """Both sides of each; what only a passkey answers, and what is denied to everybody, stays where it is."""
    found = {}
    for number in expected:
        decision = decide(score_of(number), factors=("totp", "passkey"), policy=POLICY, marks=marks)
        found[number] = f"{decision.name} {decision.rule}"
    assert found == expected


def test_refreshes_and_answers_are_decided_by_the_same_marks() -> None:
    """Denied from the own mark on, and asked from the own one."""
    moved = Unchanged()
    assert decide_refresh(score_of(50.0), unchanged=moved, policy=POLICY, marks=EARLY).name == "challenge"
    assert decide_refresh(score_of(70.0), unchanged=moved, policy=POLICY, marks=EARLY).name == "deny"
    assert decide_refresh(score_of(65.0), unchanged=moved, policy=POLICY, marks=LATE).name == "allow"
    assert decide_step_up(score_of(70.0), unchanged=moved, policy=POLICY, marks=EARLY).name == "deny"
    assert decide_step_up(score_of(69.9), unchanged=moved, policy=POLICY, marks=EARLY).name == "allow"


@pytest.mark.parametrize("number", [0.0, 30.0, 59.99, 60.0, 79.99, 80.0, 100.0])
def test_the_shared_marks_are_the_scorers_levels(number: float) -> None:
    """So that a gateway without marks of its own decides by what the scorer says."""
    assert level_by(SHARED, number) == risk_level(number)


def test_a_rule_of_the_document_makes_an_own_high_no_milder() -> None:
    """77 is high where denial begins at 70: an allow for numbers below 80 does not pass it."""
    rules = '[[rule]]\nname = "r"\nwhen = { login_risk = ">= 60, < 80" }\nthen = "allow"\n'
    document = parse(rules.encode(), POLICY)
    built_in = decide(score_of(77.0), factors=(), policy=POLICY, marks=EARLY)
    own = Circumstances(path="login", client_id="shop", login_risk=risk_at(77.0, EARLY))
    assert verdict(document, own, built_in, policy=POLICY).decision.name == "deny"
    shared = Circumstances(path="login", client_id="web", login_risk=risk_at(77.0))
    assert verdict(document, shared, built_in, policy=POLICY).decision.name == "allow"
