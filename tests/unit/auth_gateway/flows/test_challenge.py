"""The second half of a login."""

import asyncio
import json
from typing import Any

import pytest

from auth_gateway.core.context import Client
from auth_gateway.flows.answers import Allowed, ChallengeOver, MfaRequired, Throttled, WrongCode


async def challenged(world: Any, **context: Any) -> MfaRequired:
    world.scorer.mark = 70.0
    answer = await world.login(**context)
    assert isinstance(answer, MfaRequired)
    return answer


def test_the_right_code_finishes_the_login(world: Any) -> None:
    """A session of two factors about the user of the first half, and the scorer learns that it was them."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world, ip="203.0.113.5"))
    answer = asyncio.run(world.complete(challenge.challenge_token, world.code(secret)))
    assert isinstance(answer, Allowed)
    claims = json.loads(answer.tokens.access_token)
    assert (claims["sub"], claims["amr"], claims["acr"]) == ("alice", ["pwd", "otp", "mfa"], "aal2")
    ((_, body),) = world.messages("scorer")
    assert (body["outcome"], body["event"]["ip"], body["event"].get("success", True)) == (
        "mfa_passed",
        "203.0.113.5",
        True,
    )
    line = world.audited("challenge.passed")[0]
    assert (line.session_id, line.score, line.level) == (answer.session_id, 70.0, "medium")
    assert challenge.challenge_id in line.detail


def test_the_session_has_the_facts_of_the_first_half(world: Any) -> None:
    """Nothing that the second request could say is asked for."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world, ip="203.0.113.5", user_agent="Firefox"))
    answer = asyncio.run(world.complete(challenge.challenge_token, world.code(secret)))
    session = world.database.read(lambda tx: world.sessions.find(tx, answer.session_id))
    assert (session.ip, session.user_agent, session.risk_score) == ("203.0.113.5", "Firefox", 70.0)


def test_a_challenge_is_finished_once(world: Any) -> None:
    """The same token with a later, valid code gives nothing."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    asyncio.run(world.complete(challenge.challenge_token, world.code(secret)))
    world.clock.advance(60)
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(secret))) == ChallengeOver()
    assert world.count("sessions") == 1


def test_a_code_is_spent_across_challenges(world: Any) -> None:
    """A second login cannot be finished with the code of the first."""
    secret = world.person(factor=True)
    first, second = asyncio.run(challenged(world)), asyncio.run(challenged(world))
    code = world.code(secret)
    assert isinstance(asyncio.run(world.complete(first.challenge_token, code)), Allowed)
    assert asyncio.run(world.complete(second.challenge_token, code)) == WrongCode(attempts_left=4)


@pytest.mark.parametrize(("elapsed", "is_open"), [(299.9, True), (300.0, False)])
def test_a_challenge_expires(world: Any, elapsed: float, is_open: bool) -> None:
    """Five minutes, and not a moment longer."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    world.clock.advance(elapsed)
    answer = asyncio.run(world.complete(challenge.challenge_token, world.code(secret)))
    assert isinstance(answer, Allowed if is_open else ChallengeOver)


def test_a_challenge_belongs_to_its_client(world: Any) -> None:
    """Another client with the token and the code gets nothing and spends no attempt."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    answer = asyncio.run(world.complete(challenge.challenge_token, world.code(secret), client=Client(client_id="b")))
    assert answer == ChallengeOver()
    assert isinstance(asyncio.run(world.complete(challenge.challenge_token, world.code(secret))), Allowed)


def test_five_wrong_codes_end_a_challenge(world: Any) -> None:
    """The sixth try is not looked at, even when it is right; the scorer hears of each failure under its own id."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    left = [asyncio.run(world.complete(challenge.challenge_token, "000000")).attempts_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    world.clock.advance(10)
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(secret))) == ChallengeOver()
    outcomes = [body for _, body in world.messages("scorer")]
    assert [body["outcome"] for body in outcomes] == ["mfa_failed"] * 5
    assert len({body["event_id"] for body in outcomes}) == 5


def test_codes_are_throttled_across_challenges(world: Any) -> None:
    """Who knows the password cannot guess on with fresh challenges."""
    secret = world.person(factor=True)
    for tries in (2, 2, 1):
        challenge = asyncio.run(challenged(world))
        for _ in range(tries):
            asyncio.run(world.complete(challenge.challenge_token, "000000"))
    challenge = asyncio.run(challenged(world))
    answer = asyncio.run(world.complete(challenge.challenge_token, world.code(secret)))
    assert isinstance(answer, Throttled)
    world.clock.advance(answer.retry_after_seconds)
    assert isinstance(asyncio.run(world.complete(challenge.challenge_token, world.code(secret))), Allowed)


@pytest.mark.parametrize("token", ["", "x", "é" * 10, "a\0b", "a" * 100_000])
def test_what_is_no_challenge_is_over(world: Any, token: str) -> None:
    """Hostile texts are merely unknown."""
    assert asyncio.run(world.complete(token, "123456")) == ChallengeOver()


def test_who_is_frozen_meanwhile_cannot_finish(world: Any) -> None:
    """Freezing holds for logins that are half done."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    world.accounts.freeze("alice")
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(secret))) == ChallengeOver()
    assert world.count("sessions") == 0


def test_a_challenge_of_before_a_freeze_is_none_after_it(world: Any) -> None:
    """Whoever was half in when the account was frozen is not let in because it was lifted soon."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    world.accounts.freeze("alice")
    world.accounts.unfreeze("alice")
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(secret))) == ChallengeOver()
    assert world.count("sessions") == 0


def test_a_changed_password_ends_the_challenge(world: Any) -> None:
    """The first half was for the old one."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET password_version = 2")
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(secret))) == ChallengeOver()


def test_a_new_authenticator_makes_the_old_one_useless(world: Any) -> None:
    """Codes of the replaced secret are wrong, codes of the new one right."""
    old = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    new = world.enrol("alice", replace=True).secret
    assert asyncio.run(world.complete(challenge.challenge_token, world.code(old))) == WrongCode(attempts_left=4)
    assert isinstance(asyncio.run(world.complete(challenge.challenge_token, world.code(new))), Allowed)


def test_neither_challenge_token_nor_totp_secret_is_in_the_database(world: Any) -> None:
    """A copy of the file finishes nobody's login."""
    secret = world.person(factor=True)
    challenge = asyncio.run(challenged(world))
    with world.database.engine.connect() as connection:
        dump = "\n".join(map(str, connection.connection.driver_connection.iterdump()))  # type: ignore[union-attr]
    for text in (challenge.challenge_token, secret):
        assert text not in dump
        assert text.encode().hex().upper() not in dump.upper()
