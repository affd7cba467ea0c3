"""The right password from an unknown device while the scorer is slow, down or lying: never let in, never a 500, and
the audit trail says that there was no score and why.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx2
import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES, OPEN_SECONDS
from auth_gateway.core.audit import AuditEvent
from tests.hostile_scorers import BROKEN, CAUSES, FAULTS, INVALID, SLOW, HostileScorer, says_score
from tests.stories.gateway.story import Story

ELSEWHERE = "203.0.113.77"
DEADLINE_MS = 500
"""Long enough for a busy machine."""
MOST_SECONDS = 5.0
AN_HOUR = 3600.0
"""Longer than the breaker stays open, and than anybody is left alone who was asked for a factor."""
WELL_BETWEEN = 4
"""Logins that are scored between two faults, so that the breaker sees no scorer that drowns."""
TELLING = (
    "NaN",
    "1e9",
    "score twice",
    "another person's answer",
    "10 MB",
    "compressed bomb",
    "redirect",
    "hang",
    "reset",
)
"""Those that a short run tries at every door; the adapter's own tests know all of them."""


@pytest.fixture
def scorer() -> Iterator[HostileScorer]:
    """A scorer that behaves as it is told, on an event loop of its own."""
    with HostileScorer(says_score()).on_its_own() as hostile:
        yield hostile


@pytest.fixture
def story(story_with: Callable[..., Story], scorer: HostileScorer) -> Story:
    """A gateway that asks it."""
    return story_with(risk_api_url=scorer.url, risk_api_credential="rgs_test", scorer_deadline_ms=DEADLINE_MS)


def lines(story: Story) -> list[AuditEvent]:
    """The audit trail's lines of decisions, oldest first."""
    newest = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 10_000))
    return [line for line in reversed(newest) if line.decision is not None]


def count(story: Story, table: str) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - our words


def tried(story: Story, name: str, device: str, peer: str = ELSEWHERE) -> httpx2.Response:
    """The right password from a device and a network that nobody knows."""
    began = time.monotonic()
    answer = story.login(name, peer=peer, headers={"user-agent": f"Agent of {device}"})
    assert time.monotonic() - began < MOST_SECONDS
    return answer


def test_no_fault_of_the_scorer_lets_anybody_in(story: Story, scorer: HostileScorer, is_long: bool) -> None:
    """Whoever has a factor is asked for it, whoever has none is refused, a session does not move to another place; and
    once the scorer is well the same person is let in. Of all that, what the trail says is what was answered."""
    faults = list(FAULTS) if is_long else TELLING
    for fault in faults:
        story.clock.advance(AN_HOUR)
        token = [story.login("bob") for _ in range(WELL_BETWEEN)][-1].json()["tokens"]["refresh_token"]
        scorer.behave = FAULTS[fault]
        asked, refused = tried(story, "alice", fault), tried(story, "bob", fault)
        moved = story.refresh(token, peer=ELSEWHERE, headers={"user-agent": f"Agent of {fault}"})
        assert asked.json().get("mfa_required") is True, (fault, asked.text)
        assert (refused.status_code, refused.json().get("denied")) == (403, True), (fault, refused.text)
        assert (moved.status_code, "access_token" in moved.json()) == (400, False), (fault, moved.text)
        without = [(line.kind, line.rule, line.score, line.facts and line.facts.unscored) for line in lines(story)[-3:]]
        assert without == [
            ("login.challenged", "unscored", None, CAUSES[fault]),
            ("login.denied", "no_factor_unscored", None, CAUSES[fault]),
            ("token.refused", "unscored_changed_context", None, CAUSES[fault]),
        ], fault
        scorer.behave = says_score()
        story.clock.advance(AN_HOUR)
        well = tried(story, "alice", "home")
        assert well.json()["allowed"] is True, (fault, well.text)
        facts = lines(story)[-1].facts
        assert facts is not None
        assert facts.unscored == ""
    kinds = Counter(line.kind for line in lines(story))
    assert kinds["login.allowed"] == count(story, "sessions") == (WELL_BETWEEN + 1) * len(faults)
    assert kinds["login.challenged"] == count(story, "pending_logins") == len(faults)


def test_nobody_is_let_in_while_nobody_listens(story: Story, scorer: HostileScorer) -> None:
    """After five refusals the breaker answers, and says so; 5 seconds after the scorer is back all is well."""
    scorer.behave = FAULTS["close"]
    for _ in range(CONSECUTIVE_FAILURES):
        tried(story, "bob", "box")
    told = len(scorer.requests)
    assert tried(story, "bob", "box").status_code == 403
    assert len(scorer.requests) == told
    found = [line.facts.unscored for line in lines(story) if line.facts]
    assert found == ["scorer_unreachable"] * CONSECUTIVE_FAILURES + ["breaker_open"]
    scorer.behave = says_score()
    story.clock.advance(OPEN_SECONDS - 0.1)
    assert tried(story, "bob", "box").status_code == 403
    story.clock.advance(0.1)
    assert tried(story, "bob", "box").json()["allowed"] is True


def test_of_a_scorer_that_flaps_only_good_answers_count(story: Story, scorer: HostileScorer, is_long: bool) -> None:
    """Good and bad in no order: as many are let in as were scored, every other is asked, and nobody gets an error."""
    chance, wrong = random.Random(5), [*INVALID.values(), *BROKEN.values(), *SLOW.values()]
    rounds, found = 300 if is_long else 40, Counter[str]()
    for number in range(rounds):
        story.clock.advance(AN_HOUR if number % 7 == 0 else 1.0)
        scorer.behave = says_score() if chance.random() < 0.5 else chance.choice(wrong)
        answer = tried(story, "bob", "box", peer=f"203.0.113.{number % 250}")
        assert answer.status_code in {200, 403}, answer.text
        found[lines(story)[-1].kind] += 1
    scored = [line for line in lines(story) if line.score is not None]
    assert {line.kind for line in scored} == {"login.allowed"}
    assert found["login.allowed"] == len(scored) == count(story, "sessions")
    assert found["login.allowed"] + found["login.denied"] == rounds
    assert min(found.values()) > rounds // 10
