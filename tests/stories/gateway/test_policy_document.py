"""Rules of an operator's document at work: logins, refreshes, answered challenges and returns by single sign-on through
the real gateway.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Reported
from auth_gateway.opening import CannotStart
from tests.stories.gateway.applications import code_for, register, session_of
from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import Story

NAMES = """
[networks]
office = ["203.0.113.0/24"]
[groups]
admins = ["alice"]
"""
OFFICE, ELSEWHERE = "203.0.113.7", "198.51.100.77"

Start = Callable[..., Story]


@pytest.fixture
def start(story_with: Callable[..., Story], tmp_path: Path) -> Start:
    """A gateway with these rules."""

    def begin(rules: str, **given: Any) -> Story:
        file = tmp_path / "policy.toml"
        file.write_text(NAMES + rules)
        return story_with(login_policy_file=file, risk_api_credential="rgs_test", **given)

    return begin


def rule(when: str, then: str, more: str = "", name: str = "r") -> str:
    return f'[[rule]]\nname = "{name}"\nwhen = {{ {when} }}\nthen = "{then}"\n{more}\n'


def reason(code: str) -> dict[str, Any]:
    return {"code": code, "points": 1.0, "observed": "", "usual": "", "text": ""}


def lines(story: Story) -> list[AuditEvent]:
    recent = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 100))
    return [line for line in recent if not line.kind.startswith("risk.user_")]


def answered(story: Story, **how: Any) -> str:
    """What became of one login, and by which rule; a challenge is `mfa_required`."""
    response = story.login(**how)
    became = "challenged" if response.json().get("mfa_required") else "let in" if response.is_success else "refused"
    return f"{became} {lines(story)[0].rule}"


def test_a_rule_for_one_client(start: Start) -> None:
    """The others go on as before."""
    story = start(rule("client = 'payroll'", "challenge", "demand = 'enrolled'"))
    client = story.client("payroll")
    assert answered(story) == "let in low"
    assert answered(story, auth=client) == "challenged document:r"


def test_a_rule_for_one_network_and_all_others(start: Start) -> None:
    """From the office a medium risk passes, from elsewhere not."""
    story = start(rule("network = 'office', login_risk = 'medium'", "allow"))
    story.scorer.score = 65.0
    assert answered(story, username="bob", peer=OFFICE) == "let in document:r"
    assert answered(story, username="bob", peer=ELSEWHERE) == "refused no_factor"
    story.scorer.score = 85.0
    assert answered(story, username="bob", peer=OFFICE) == "refused high"


def test_a_rule_for_one_group(start: Start) -> None:
    """Its people show a factor each time; a right one lets them in, and their session goes on by itself."""
    story = start(rule("group = 'admins'", "challenge"))
    assert answered(story, username="bob") == "let in low"
    challenged = story.login("alice")
    assert lines(story)[0].rule == "document:r"
    let_in = story.complete(challenged.json()["challenge_id"])
    assert let_in.status_code == 200
    assert story.refresh(let_in.json()["tokens"]["refresh_token"]).status_code == 200


def test_a_rule_for_one_reason_and_one_country(start: Start) -> None:
    """Each by itself refuses, with an incident id."""
    story = start(rule("reasons = ['tor_exit']", "deny", name="tor") + rule("country = 'KP'", "deny", name="kp"))
    story.scorer.country = "DE"
    assert answered(story) == "let in low"
    story.scorer.country = "KP"
    assert answered(story) == "refused document:kp"
    story.scorer.reasons = [reason("new_device"), reason("tor_exit")]
    response = story.login()
    assert response.json()["incident_id"].startswith("inc_")
    assert lines(story)[0].rule == "document:tor"


def test_nobody_without_a_factor_passes_a_challenge(start: Start) -> None:
    """And the operator reads why."""
    story = start(rule("client = 'public'", "challenge", "demand = 'phishing_resistant'"))
    assert answered(story, username="bob") == "refused document:r:no_factor"
    assert answered(story, username="alice") == "refused document:r:no_phishing_resistant_factor"


def test_a_high_risk_and_none_stay_what_they_are(start: Start) -> None:
    """A challenge for everybody does not soften a denial, nor take a weaker factor when the scorer is away."""
    story = start(rule("client = 'public'", "challenge"))
    story.scorer.score = 90.0
    assert answered(story) == "refused high"
    story.scorer.status = 500
    assert answered(story) == "challenged unscored"


def test_a_rule_that_only_reports_changes_nothing_and_is_written_down(start: Start) -> None:
    """On each of the three kinds of requests, with what it would have said."""
    story = start(rule("group = 'admins'", "deny", "report_only = true"))
    story.scorer.score = 65.0
    challenge_id = story.login().json()["challenge_id"]
    let_in = story.complete(challenge_id)
    story.scorer.score = 10.0
    assert story.refresh(let_in.json()["tokens"]["refresh_token"]).status_code == 200
    told = {line.kind: line.facts.report_only for line in lines(story) if line.facts is not None and line.facts.path}
    expected = (Reported(rule="r", decision="deny"),)
    assert told == dict.fromkeys(("login.challenged", "challenge.passed", "token.refreshed"), expected)


def test_a_refresh_is_refused_where_a_rule_says_so(start: Start) -> None:
    """A denial ends the session, even without a score; the line says that the document did it."""
    story = start(
        rule("country = 'KP', path = 'refresh'", "deny") + rule("session_risk = 'unscored'", "deny", name="u")
    )
    story.scorer.country = "DE"
    tokens = [story.login("bob").json()["tokens"]["refresh_token"] for _ in range(3)]
    assert story.refresh(tokens[0]).status_code == 200
    story.scorer.country = "KP"
    story.clock.advance(61)
    assert story.refresh(tokens[1]).status_code == 400
    ended = next(line for line in lines(story) if line.kind == "session.revoked")
    assert ended.rule == "policy_document"
    story.scorer.status = 500
    assert story.refresh(tokens[2]).status_code == 400
    assert [line.rule for line in lines(story) if line.kind == "token.denied"] == ["document:u", "document:r"]


def test_an_application_that_first_shows_up_elsewhere_is_held_against_the_rules(start: Start) -> None:
    """Its code is worth nothing there, and the session ends for it, without a score too."""
    story = start(rule("session_risk = 'unscored'", "deny"), jwt_issuer=ISSUER)
    phone = register(story, "phone", token_endpoint_auth_method="none", application_type="native")
    session = session_of(story)
    story.scorer.status = 500
    assert phone.redeem(code_for(phone, session), peer=OFFICE).status_code == 400
    ended = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, session.session_id))
    assert ended is not None
    assert ended.revoked_reason == "policy_document"


def test_a_right_answer_is_held_against_the_rules_too(start: Start) -> None:
    """A rule may want it from the office."""
    story = start(rule("path = 'step_up'", "deny", "unless = { network = 'office' }"))
    story.scorer.score = 65.0
    denied = story.complete(story.login(peer=OFFICE).json()["challenge_id"], peer=ELSEWHERE)
    assert (denied.status_code, lines(story)[0].rule) == (403, "document:r")
    story.clock.advance(60)
    assert story.complete(story.login(peer=OFFICE).json()["challenge_id"], peer=OFFICE).status_code == 200


def test_a_rule_for_one_application_holds_for_who_is_signed_in_already(start: Start) -> None:
    """Single sign-on stops for the factor, once."""
    story = start(rule("client = 'payroll'", "challenge", "demand = 'enrolled'"), jwt_issuer=ISSUER)
    registered(story)
    registered(story, "payroll")
    browser = Browser(story)
    browser.sign_in()
    assert 'autocomplete="one-time-code"' in browser.authorize("payroll").text
    assert "code" in returned(browser.code())
    story.clock.advance(1)
    assert "code" in returned(browser.authorize("payroll"))


def test_an_edit_counts_within_two_seconds_and_a_bad_one_never(start: Start, tmp_path: Path) -> None:
    """The last good document stays; each change is written down, and `/ready` tells what is in force."""
    story = start(rule("group = 'admins'", "deny"))
    file = tmp_path / "policy.toml"

    def edit(rules: str) -> str:
        file.write_text(NAMES + rules)
        story.runner.run(asyncio.sleep(1.7))
        state: str = story.ask("GET", "/ready").json()["policy"]
        return state

    assert answered(story) == "refused document:r"
    assert edit(rule("group = 'admins'", "challenge", name="new")) == "document"
    assert answered(story) == "challenged document:new"
    changed = next(line for line in lines(story) if line.kind == "policy.changed")
    assert (changed.detail or "").endswith(" 1 rules")
    assert edit(rule("group = 'nobody'", "allow")) == "last_good_document"
    story.clock.advance(30)
    assert answered(story) == "challenged document:new"
    assert edit("") == "document"
    assert answered(story) == "let in low"
    written = [line for line in reversed(lines(story)) if line.kind.startswith("policy.")]
    assert [line.kind for line in written] == ["policy.changed", "policy.refused", "policy.changed"]
    assert [line.facts and line.facts.by for line in written] == ["operator", "gateway", "operator"]


def test_an_edit_counts_for_sessions_that_were_just_judged(start: Start, tmp_path: Path) -> None:
    """The answer to a refresh is reused for a minute, but not under other rules."""
    story = start("")
    first = story.login("bob").json()["tokens"]["refresh_token"]
    second = story.refresh(first).json()["refresh_token"]
    (tmp_path / "policy.toml").write_text(rule("path = 'refresh'", "deny"))
    story.runner.run(asyncio.sleep(1.7))
    assert story.refresh(second).status_code == 400


@pytest.mark.parametrize("text", ["[[rule]]\nname = 'x'\nthen = 'allow'", None])
def test_a_wrong_document_stops_the_start(story_with: Callable[..., Story], tmp_path: Path, text: str | None) -> None:
    """With the line, or with why it cannot be read."""
    file = tmp_path / "policy.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CannotStart, match="line 3: an allow" if text else "LOGIN_POLICY_FILE cannot be read: No such"):
        story_with(login_policy_file=file)


def test_without_a_document_the_tables_answer(story_with: Callable[..., Story]) -> None:
    """And `/ready` says so."""
    story = story_with(risk_api_credential="rgs_test")
    assert answered(story) == "let in low"
    assert story.ask("GET", "/ready").json()["policy"] == "built_in"
