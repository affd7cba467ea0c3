"""Refresh: rotation, reuse, retry."""

import asyncio
import json
from typing import Any

import pytest

from auth_gateway.core.claims import Lifetimes
from auth_gateway.core.context import Client
from auth_gateway.flows.answers import InvalidGrant, Refreshed


def first_token(world: Any) -> str:
    world.person()
    return str(asyncio.run(world.login()).tokens.refresh_token)


def rotated(world: Any, token: str) -> str:
    answer = asyncio.run(world.refresh(token))
    assert isinstance(answer, Refreshed)
    return str(answer.tokens.refresh_token)


def test_a_refresh_gives_the_next_pair_of_the_same_session(world: Any) -> None:
    """A new refresh token, an access token of the same session, recognised as long ago as before."""
    token = first_token(world)
    world.clock.advance(600)
    answer = asyncio.run(world.refresh(token))
    claims = json.loads(answer.tokens.access_token)
    assert answer.tokens.refresh_token != token
    assert (claims["sid"], claims["iat"] - claims["auth_time"], claims["amr"]) == (answer.session_id, 600, ["pwd"])
    assert [line.kind for line in world.audited()] == ["login.allowed", "token.refreshed"]


def test_a_lost_answer_can_be_asked_for_again(world: Any) -> None:
    """Within ten seconds, and as long as the successor is unused: the same successor, not a second one."""
    token = first_token(world)
    successor = rotated(world, token)
    world.clock.advance(10)
    assert rotated(world, token) == successor
    assert world.count("refresh_tokens") == 2
    assert world.audited("token.retried")[0].user_id == "alice"
    assert isinstance(asyncio.run(world.refresh(successor)), Refreshed)


def test_a_retry_promises_no_longer_life_than_the_successor_has(world: Any) -> None:
    """The lifetime counts from the first answer."""
    token = first_token(world)
    rotated(world, token)
    world.clock.advance(10)
    assert asyncio.run(world.refresh(token)).tokens.refresh_expires_in == 604_800 - 10


def test_reuse_after_ten_seconds_kills_family_and_session(world: Any) -> None:
    """Whoever holds the successor is out as well: one of the two is a thief."""
    token = first_token(world)
    successor = rotated(world, token)
    world.clock.advance(10.001)
    assert asyncio.run(world.refresh(token)) == InvalidGrant("reused")
    assert asyncio.run(world.refresh(successor)) == InvalidGrant("revoked")
    assert world.audited("token.reused")[0].user_id == "alice"
    session_id = world.audited("token.reused")[0].session_id
    session = world.database.read(lambda tx: world.sessions.find(tx, session_id))
    assert session.revoked_reason == "refresh_token_reused"


def test_reuse_behind_a_used_successor_kills_at_once(world: Any) -> None:
    """A token two steps old was not lost: no ten seconds for it."""
    token = first_token(world)
    latest = rotated(world, rotated(world, token))
    assert asyncio.run(world.refresh(token)) == InvalidGrant("reused")
    assert asyncio.run(world.refresh(latest)) == InvalidGrant("revoked")


def test_a_token_is_good_for_its_own_client_alone(world: Any) -> None:
    """Another client gets nothing, and cannot end the session by trying."""
    token = first_token(world)
    assert asyncio.run(world.refresh(token, client=Client(client_id="b"))) == InvalidGrant("other_client")
    assert isinstance(asyncio.run(world.refresh(token)), Refreshed)


def test_replaying_dead_tokens_writes_a_line_a_minute(world: Any) -> None:
    """The theft is written once, and what is shown of its family afterwards cannot fill the disk."""
    token = first_token(world)
    latest = rotated(world, rotated(world, token))
    assert asyncio.run(world.refresh(token)) == InvalidGrant("reused")
    answers = [asyncio.run(world.refresh(dead)) for dead in (token, latest) * 20]
    assert set(answers) == {InvalidGrant("revoked")}
    assert (len(world.audited("token.reused")), len(world.audited("token.refused"))) == (1, 1)
    world.clock.advance(60)
    assert [asyncio.run(world.refresh(token)) for _ in range(2)] == [InvalidGrant("revoked")] * 2
    assert len(world.audited("token.refused")) == 2


def test_another_client_s_tries_are_written_once_a_minute_and_end_nothing(world: Any) -> None:
    """The family's own refreshes are all written."""
    token = first_token(world)
    for _ in range(20):
        assert asyncio.run(world.refresh(token, client=Client(client_id="b"))) == InvalidGrant("other_client")
    rotated(world, token)
    assert [line.kind for line in world.audited()][1:] == ["token.refused", "token.refreshed"]


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 1_000_000, "0" * 43])
def test_an_unknown_token_writes_nothing(world: Any, token: str) -> None:
    """A stranger cannot fill the audit trail with guesses."""
    assert asyncio.run(world.refresh(token)) == InvalidGrant("unknown")
    assert world.audited() == []


def test_a_frozen_person_is_refreshed_no_more(world: Any) -> None:
    """Freezing ends the session, and unfreezing does not bring it back."""
    token = first_token(world)
    world.accounts.freeze("alice")
    assert asyncio.run(world.refresh(token)) == InvalidGrant("revoked")
    world.accounts.unfreeze("alice")
    assert asyncio.run(world.refresh(token)) == InvalidGrant("revoked")
    assert world.audited("token.refused")[0].rule == "revoked"


def test_a_revoked_session_is_refreshed_no_more(world: Any) -> None:
    """One session ends, the person's other one lives."""
    token, other = first_token(world), asyncio.run(world.login())
    (session,) = [found for found in world.revoke.found("alice") if found.session_id != other.session_id]
    assert world.revoke.session(session.session_id, reason="operator")
    assert asyncio.run(world.refresh(token)) == InvalidGrant("revoked")
    assert isinstance(asyncio.run(world.refresh(other.tokens.refresh_token)), Refreshed)


def test_a_refresh_token_lives_a_week_and_a_session_a_month(world: Any) -> None:
    """Refreshing each day works until the session ends; the last tokens end with it."""
    token = first_token(world)
    for day in range(1, 30):
        world.clock.advance(86_400)
        answer = asyncio.run(world.refresh(token))
        assert answer.tokens.refresh_expires_in == min(7, 30 - day) * 86_400
        token = answer.tokens.refresh_token
    world.clock.advance(86_400)
    assert asyncio.run(world.refresh(token)) == InvalidGrant("expired")


def test_an_unused_token_expires(world: Any) -> None:
    """A week, to the second."""
    token = first_token(world)
    world.clock.advance(604_800)
    assert asyncio.run(world.refresh(token)) == InvalidGrant("expired")


def test_no_refresh_token_is_in_the_database(world: Any) -> None:
    """A copy of the file refreshes nobody."""
    token = first_token(world)
    successor = rotated(world, token)
    with world.database.engine.connect() as connection:
        dump = "\n".join(map(str, connection.connection.driver_connection.iterdump()))  # type: ignore[union-attr]
    assert token not in dump
    assert successor not in dump


def test_the_first_token_ends_with_its_session_too(world: Any) -> None:
    """A refresh lifetime set longer than the session's is cut from the start."""
    short = type(world)(world.database, lifetimes=Lifetimes(refresh_seconds=100, session_seconds=50))
    short.person()
    assert asyncio.run(short.login()).tokens.refresh_expires_in == 50
