"""Recorded decisions, decided again: first as they were, then under other rules."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.core.backtest import Tally
from auth_gateway.core.policy_document import parse
from auth_gateway.core.policy_rule import NO_DOCUMENT
from auth_gateway.core.sign_in_report import SignIn
from auth_gateway.flows import backtest
from auth_gateway.flows.backtest import Backtest
from auth_gateway.policing import switches
from auth_gateway.user_risks import risk_desk
from auth_gateway.wiring import links
from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import HOME, NOW, Story

ELSEWHERE = "203.0.113.9"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider whose decisions are written down."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", refresh_score_reuse_seconds=0)


def replay(story: Story, rules: str = "", *, since: float = NOW - 1, until: float = NOW + 1e6) -> Tally:
    policy = switches(story.gateway.settings)
    run = Backtest(database=story.gateway.database, decisions=StoredDecisions(), policy=policy, present=NO_DOCUMENT)
    return run(parse(rules.encode(), policy), since=since, until=until)


def many_requests(story: Story) -> None:
    """Logins, answers and refreshes at each level and without one, from home and from elsewhere, by whoever has which
    factors, by browsers, programs and applications' servers."""
    server = story.client("server", may_vouch=True)
    for score, peer, name in product((10.0, 65.0, 77.0, 85.0, None), (HOME, ELSEWHERE), ("alice", "bob")):
        story.scorer.status, story.scorer.score = (500, 0.0) if score is None else (200, score)
        answer = story.login(name, peer=peer).json()
        for _ in range(3):  # the breaker waits, and nobody is prompted without end
            story.clock.advance(2000)
            story.scorer.status = 200 if score is not None else 500
        if answer.get("mfa_required"):
            challenged = story.login(name, peer=peer).json()
            story.clock.advance(30)
            story.complete(challenged["challenge_id"], peer=HOME)
        story.scorer.status, story.scorer.score = 200, 10.0
        story.forgive()
        token = story.login("bob").json()["tokens"]["refresh_token"]
        story.scorer.status, story.scorer.score = (500, 0.0) if score is None else (200, score)
        story.refresh(token, peer=peer)
        story.scorer.status, story.scorer.score = 200, 10.0
    served = story.login(auth=server, context={"ip": ELSEWHERE, "user_agent": "Firefox"})
    story.refresh(served.json()["tokens"]["refresh_token"], auth=server)


def test_what_was_decided_is_decided_again_the_same(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line keeps all that the answer rests on: under the rules of then nothing comes out otherwise, however small the
    pieces that the trail is read in."""
    many_requests(story)
    monkeypatch.setattr(backtest, "AT_A_TIME", 7)
    tally = replay(story)
    assert tally.differing == 0
    assert not tally.changed
    assert not tally.left_out
    answers = {(path, name) for side, path, name in tally.answers if side == "candidate"}
    assert answers == set(product(("login", "refresh"), ("allow", "challenge", "deny"))) | {
        ("step_up", "allow"),
        ("step_up", "deny"),
    }
    assert {"context_unknown", "unscored", "near_high", "medium", "high", "no_factor", "low"} <= {
        rule for _, rule in tally.rules
    }


def test_a_candidate_is_counted_beside_the_rules_in_force(story: Story) -> None:
    """Who would have been asked, who refused, and by which rule; what only reports is counted apart."""
    for name, peer in (("alice", HOME), ("alice", ELSEWHERE), ("bob", ELSEWHERE)):
        story.login(name, peer=peer)
    tally = replay(
        story,
        """[networks]
home = ["198.51.100.0/24"]
[groups]
a = ["alice"]
[[rule]]
name = "told"
when = { group = "a" }
then = "deny"
report_only = true
[[rule]]
name = "away"
when = { path = "login" }
unless = { network = "home" }
then = "challenge"
""",
    )
    found = tally.outcomes("candidate", "login")
    assert (found.allowed, found.challenged, found.denied, found.total) == (1, 1, 1, 3)
    assert tally.outcomes("present", "login").allowed == 3
    assert dict(tally.reported) == {("told", "deny"): 2}
    assert tally.changed == {("login", "allow", "challenge"): 1, ("login", "allow", "deny"): 1}
    assert tally.rules["candidate", "document:away:no_factor"] == 1


def test_people_are_known_by_name_where_a_line_has_only_their_id(story: Story) -> None:
    """An answered challenge names nobody, and a rule for a group holds for it all the same."""
    story.scorer.score = 65.0
    story.complete(story.login().json()["challenge_id"])
    rules = '[groups]\na = ["alice"]\n[[rule]]\nname = "r"\nwhen = { group = "a", path = "step_up" }\nthen = "deny"\n'
    assert replay(story, rules).outcomes("candidate", "step_up").denied == 1


def test_the_span_has_its_first_moment_and_not_its_last(story: Story) -> None:
    """So that two spans that meet count nothing twice."""
    story.login()
    story.clock.advance(10)
    story.login()
    assert replay(story, since=NOW, until=NOW + 10).outcomes("present", "login").total == 1
    assert replay(story, since=NOW + 0.5, until=NOW + 11).outcomes("present", "login").total == 1
    assert replay(story, since=NOW, until=NOW).outcomes("present", "login").total == 0


def said_not_me(story: Story, event_id: str) -> None:
    """The owner's word, a day later; the account is open again for the next one."""
    from auth_gateway.service import Service

    reporting = links.reporting(Service(story.gateway))
    sign_in = SignIn(user_id="id-alice", session_id="none", scored_as=event_id)
    story.runner.run(reporting.at_account(sign_in, was_owner=False, ip=HOME))
    story.gateway.accounts.unfreeze("alice")
    story.forgive()


def newest(story: Story, kind: str) -> Any:
    lines = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 100))
    return next(line for line in lines if line.kind == kind)


def test_it_is_told_which_compromises_would_have_been_stopped(story: Story) -> None:
    """A thief's password alone; a thief who answered by a code; one who did so near home. Their owner said so."""
    story.login(peer=ELSEWHERE)
    said_not_me(story, newest(story, "login.allowed").event_id)
    story.scorer.score = 65.0
    for peer in (ELSEWHERE, HOME):
        story.clock.advance(60)
        story.complete(story.login(peer=peer).json()["challenge_id"], peer=peer)
        said_not_me(story, newest(story, "login.challenged").event_id)
    away = '[networks]\nhome = ["198.51.100.0/24"]\n[[rule]]\nname = "r"\nwhen = {}\nunless = { network = "home" }\n'
    stopped = {
        "nothing": "",
        "a factor away from home": away + 'then = "challenge"\n',
        "a passkey away from home": away + 'then = "challenge"\ndemand = "phishing_resistant"\n',
        "no answer from afar": away.replace("{}", '{ path = "step_up" }') + 'then = "deny"\n',
        "nobody at all": '[[rule]]\nname = "r"\nthen = "deny"\n',
    }
    found = {what: len(replay(story, rules).stopped["candidate"]) for what, rules in stopped.items()}
    assert found == {
        "nothing": 0,
        "a factor away from home": 1,
        "a passkey away from home": 2,
        "no answer from afar": 1,
        "nobody at all": 3,
    }
    tally = replay(story, until=NOW + 59)
    assert (len(tally.seen), len(tally.stopped["present"])) == (1, 0)


def test_an_analysts_word_confirms_a_compromise(story: Story) -> None:
    """The risky sign-ins behind the person's risk, from the password to the answer."""
    story.scorer.score = 85.0
    story.login(peer=ELSEWHERE)
    assert not replay(story).seen
    desk = risk_desk(story.gateway)
    desk.verdict(desk.named("alice"), "compromised", by="carol", why="ticket 7")
    tally = replay(story, '[[rule]]\nname = "r"\nthen = "deny"\n')
    assert (len(tally.seen), len(tally.stopped["candidate"])) == (1, 1)


def test_lines_without_circumstances_are_counted_and_named(story: Story) -> None:
    """Those of an older version keep none."""
    story.login()
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET facts = NULL")
    tally = replay(story)
    assert dict(tally.left_out) == {("no_facts", "login.allowed"): 1}
    assert tally.outcomes("present", "login").total == 0


def test_an_answer_that_was_reused_is_not_counted_twice(story_with: Callable[..., Story]) -> None:
    """Refreshes of the same minute repeat it."""
    story = story_with(risk_api_credential="rgs_test")
    token = story.login().json()["tokens"]["refresh_token"]
    token = story.refresh(token).json()["refresh_token"]
    story.refresh(token)
    tally = replay(story)
    assert dict(tally.left_out) == {("reused", "token.refreshed"): 1}
    assert tally.outcomes("present", "refresh").total == 1


def test_a_sign_in_that_single_sign_on_spared_is_no_login(story: Story) -> None:
    """It is not written down as one, so it is not counted as one."""
    registered(story)
    registered(story, "other")
    browser = Browser(story)
    browser.sign_in()
    assert "code" in returned(browser.authorize("other"))
    assert replay(story).outcomes("present", "login").total == 1
