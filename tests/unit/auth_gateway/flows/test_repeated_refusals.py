"""A live token is refused only so often within an hour; then it is dead, and somebody hears of it."""

import asyncio
from typing import Any

from auth_gateway.flows.answers import InvalidGrant, LoginNeeded, Refreshed, SessionEnded

AWAY = {"user_agent": "curl/8", "device_id": ""}


def first_token(world: Any) -> str:
    world.person()
    return str(asyncio.run(world.login()).tokens.refresh_token)


def probe(world: Any, token: str, times: int) -> list[Any]:
    """From another address each time, at medium risk."""
    world.scorer.mark = 70.0
    return [asyncio.run(world.refresh(token, ip=f"203.0.113.{n}", **AWAY)) for n in range(times)]


def test_the_tenth_refusal_within_an_hour_ends_the_session(world: Any) -> None:
    """One line for the first, one for the end, and the announcement, though medium is below its threshold."""
    token = first_token(world)
    *refused, ended = probe(world, token, 10)
    assert refused == [LoginNeeded("medium")] * 9
    assert isinstance(ended, SessionEnded)
    world.scorer.mark = 10.0
    assert asyncio.run(world.refresh(token)) == InvalidGrant("revoked")
    first, last, _ = world.audited("token.refused", "token.denied", "token.refreshed")
    assert (first.kind, first.rule, first.ip) == ("token.refused", "medium", "203.0.113.0")
    assert (last.kind, last.rule, last.decision, last.ip) == ("token.denied", "repeated_risk", "deny", "203.0.113.9")
    assert (last.incident_id, last.score) == (ended.incident_id, 70.0)
    session = world.database.read(lambda tx: world.sessions.find(tx, last.session_id))
    assert session.revoked_reason == "repeated_risk"
    ((event_type, body),) = world.messages("webhook")
    assert (event_type, body["data"]["rule"]) == ("session.revoked", "repeated_risk")
    assert body["data"]["incident_id"] == ended.incident_id


def test_the_same_context_again_and_again_is_counted_too(world: Any) -> None:
    """A reused answer is a refusal like its first; the announcement has no score then."""
    token = first_token(world)
    world.scorer.mark = 70.0
    answers = [asyncio.run(world.refresh(token, ip="203.0.113.5", **AWAY)) for _ in range(10)]
    assert isinstance(answers[-1], SessionEnded)
    ((_, body),) = world.messages("webhook")
    assert (body["data"]["risk_score"], body["data"]["rule"]) == (None, "repeated_risk")


def test_an_hour_later_the_count_begins_anew(world: Any) -> None:
    """Nine an hour end nothing, and the owner's refresh goes on in between."""
    token = first_token(world)
    assert probe(world, token, 9) == [LoginNeeded("medium")] * 9
    world.clock.advance(3600)
    assert probe(world, token, 9) == [LoginNeeded("medium")] * 9
    assert len(world.audited("token.refused")) == 2
    world.scorer.mark = 10.0
    assert isinstance(asyncio.run(world.refresh(token)), Refreshed)


def test_a_rotation_does_not_begin_the_count_anew(world: Any) -> None:
    """It is the family's, and a restart of the gateway forgets nothing."""
    token = first_token(world)
    probe(world, token, 9)
    world.scorer.mark = 10.0
    token = asyncio.run(world.refresh(token)).tokens.refresh_token
    again = type(world)(world.database)
    assert isinstance(probe(again, token, 1)[0], SessionEnded)


def test_a_scorer_that_is_down_ends_no_session_however_often(world: Any) -> None:
    """Its absence is nobody's guilt: one line a minute and no end."""
    token = first_token(world)
    world.scorer.mark = None
    answers = [asyncio.run(world.refresh(token, ip="203.0.113.5", **AWAY)) for _ in range(20)]
    assert answers == [LoginNeeded("unscored_changed_context")] * 20
    assert len(world.audited("token.refused")) == 1
    world.scorer.mark = 10.0
    assert isinstance(asyncio.run(world.refresh(token)), Refreshed)
