"""What those who watch a gateway see: counts of decisions that were committed, and the reasons behind `/ready`."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES
from auth_gateway.opening import CannotStart
from auth_gateway.watching import Watching
from plumbing.listening import Address
from tests.stories.gateway.risky import PROVIDER, signal
from tests.stories.gateway.story import PASSWORD, Story

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def told(story: Story) -> Samples:
    """Every sample, by its name and labels."""
    families = parsed(story.app.state.watching.meters.exposition().decode())
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(found: Samples, name: str, **labels: str) -> float:
    """One sample; 0 where nobody counted."""
    return found.get((name, frozenset(labels.items())), 0.0)


def watching(story: Story) -> Watching:
    found: Watching = story.app.state.watching
    return found


def test_decisions_are_counted_by_way_outcome_and_rule(story: Story) -> None:
    """A quiet login, a wrong password, a stranger's name, a step-up that is passed, a denial."""
    story.login()
    story.login(password="wrong")
    story.login(username="nobody-there")
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    story.complete(challenge)
    story.scorer.score = 95.0
    story.login()
    found = told(story)
    decisions = "riskgate_decisions_total"
    assert value(found, decisions, path="login", outcome="allowed", rule="low") == 1
    assert value(found, decisions, path="login", outcome="failed", rule="wrong_password") == 1
    assert value(found, decisions, path="login", outcome="failed", rule="unknown_user") == 1
    assert value(found, decisions, path="login", outcome="challenged", rule="medium") == 1
    assert value(found, decisions, path="step_up", outcome="passed", rule="stepped_up") == 1
    assert value(found, decisions, path="login", outcome="denied", rule="high") == 1
    assert value(found, "riskgate_decision_score_bucket", path="login", le="60.0") == 1
    assert value(found, "riskgate_decision_score_count", path="login") == 3
    for stage in ("password", "scorer", "policy", "write"):
        assert value(found, "riskgate_stage_seconds_count", stage=stage) >= 3
    assert value(found, "riskgate_http_request_seconds_count", route="/login", status="200") == 2
    assert value(found, "riskgate_http_request_seconds_count", route="/login", status="401") == 2


def test_signals_about_sessions_are_counted_by_what_the_marks_say(story_with: Callable[..., Story]) -> None:
    """Each once, however often it comes."""
    story = story_with(**PROVIDER)
    session_id = story.login().json()["session_id"]
    for score in (30, 65, 65, 85):
        signal(story, session_id, score)
    found = told(story)
    counted = {
        each: value(found, "riskgate_session_signals_total", response=each) for each in ("none", "step_up", "reset")
    }
    assert counted == {"none": 1, "step_up": 1, "reset": 1}


def test_no_label_is_a_person_an_address_or_a_url(story_with: Callable[..., Story]) -> None:
    """Whatever strangers type and wherever they go, the labels stay ours."""
    story = story_with(
        risk_api_credential="rgs_test",
        mfa_webhook_url="https://receiver.example/hook",
        webhook_secret="whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ",
    )
    story.scorer.score = 65.0
    story.login()
    story.login(username="somebody-typed-this")
    story.ask("GET", "/sign-in/somebody-typed-this")
    story.ask("BREW", "/somebody-typed-this")
    story.runner.run(watching(story).look())
    text = watching(story).meters.exposition().decode()
    for secret in ("somebody-typed-this", "alice", "198.51.100", "receiver.example", "evt_", "usr_"):
        assert secret not in text
    found = told(story)
    assert value(found, "riskgate_outbox_waiting", receiver="mfa") == 1
    assert value(found, "riskgate_event_lag_seconds") >= 0


def test_what_was_undone_or_refused_is_no_decision(story: Story) -> None:
    """A login whose audit line found no place is counted as a refusal of the database alone."""
    with story.gateway.database.engine.connect() as connection:
        file = connection.exec_driver_sql("PRAGMA database_list").fetchall()[0][2]
    story.gateway.database.write_sync(lambda tx: tx._connection.execute("PRAGMA busy_timeout=20") and None)
    before = told(story)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert story.login().status_code == 503
    finally:
        other.execute("ROLLBACK")
        other.close()
    after = told(story)
    allowed = {"path": "login", "outcome": "allowed", "rule": "low"}
    assert value(after, "riskgate_decisions_total", **allowed) == value(before, "riskgate_decisions_total", **allowed)
    assert value(after, "riskgate_database_refusals_total", code="storage_unavailable") >= 1


def test_decisions_without_a_score_and_the_breaker_are_counted_by_cause(story: Story) -> None:
    """Each says why; the breaker opens once, and closes once the scorer is well."""
    story.scorer.status = 500
    for _ in range(CONSECUTIVE_FAILURES + 1):
        story.login()
    found = told(story)
    assert value(found, "riskgate_degraded_decisions_total", cause="scorer_invalid") == CONSECUTIVE_FAILURES
    assert value(found, "riskgate_degraded_decisions_total", cause="breaker_open") >= 1
    assert value(found, "riskgate_breaker_open") == 1
    assert value(found, "riskgate_breaker_transitions_total", to="open") == 1
    story.scorer.status = 200
    story.clock.advance(6.0)
    story.login(username="bob")
    found = told(story)
    assert value(found, "riskgate_breaker_open") == 0
    assert value(found, "riskgate_breaker_transitions_total", to="closed") == 1


def test_attempts_that_wait_are_counted_by_what_was_counted(story: Story) -> None:
    """An account's guesses, not the network's."""
    for _ in range(7):
        story.login(password="wrong")
    assert value(told(story), "riskgate_throttled_total", scope="account") >= 1
    assert value(told(story), "riskgate_throttled_total", scope="network") == 0


@pytest.fixture
def watched(story_with: Callable[..., Story]) -> Story:
    """A gateway with a door for those who watch."""
    return story_with(auth_gateway_metrics_listen=Address("127.0.0.1", 0))


def at_the_door(story: Story, path: str) -> httpx2.Response:
    """What the door answers, over a real connection."""

    async def ask() -> httpx2.Response:
        door = watching(story).door
        assert door is not None
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{door.port}", trust_env=False) as client:
            return await client.get(path)

    return story.runner.run(ask())


def test_metrics_are_told_at_the_door_alone(watched: Story) -> None:
    """The address that people reach knows nothing of them."""
    watched.login()
    answer = at_the_door(watched, "/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "riskgate_decisions_total{" in answer.text
    assert "process_resident_memory_bytes" in answer.text
    assert watched.ask("GET", "/metrics").status_code == 404
    assert at_the_door(watched, "/login").status_code == 404


def test_the_reasons_behind_ready_are_told_at_the_door_alone(watched: Story) -> None:
    """In public a part is well or not; at the door it says why."""
    watched.scorer.status = 500
    ready = at_the_door(watched, "/ready")
    assert ready.status_code == 200
    parts = ready.json()["parts"]
    assert (
        parts["scorer"] == {"ok": False, "needed": False, "reason": "scorer_unreachable"} or not parts["scorer"]["ok"]
    )
    assert parts["database"] == {"ok": True, "needed": True, "reason": None}
    assert set(watched.ask("GET", "/ready").json()) == {"status", "checks", "scorer", "policy"}
    assert at_the_door(watched, "/live").json() == {"status": "ok"}


def test_live_looks_at_nothing(story: Story) -> None:
    """A gateway whose storage is gone lives, and is not ready; neither takes longer than a second."""

    async def hangs(*_: Any) -> None:
        await asyncio.Event().wait()

    story.gateway.database.read_in_thread = hangs  # type: ignore[assignment, method-assign]
    began = time.perf_counter()
    assert story.ask("GET", "/live").status_code == 200
    assert time.perf_counter() - began < 0.5
    ready = story.ask("GET", "/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
    assert time.perf_counter() - began < 1.5


def test_a_door_that_is_taken_stops_the_start(watched: Story, story_with: Callable[..., Story]) -> None:
    """Else metrics would be missing without anybody's noticing."""
    door = watching(watched).door
    assert door is not None
    with pytest.raises(CannotStart, match="cannot listen on"):
        story_with(auth_gateway_metrics_listen=Address("127.0.0.1", door.port))


def test_the_password_is_in_no_metric(story: Story) -> None:
    """Neither as a label nor as a value."""
    story.login(password=PASSWORD + "x")
    assert PASSWORD not in watching(story).meters.exposition().decode()
