"""Once means once: of any number of simultaneous requests one wins, on a real database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import msgspec
import pytest

from auth_gateway.core.letter import LETTER_PURPOSE, Posted
from auth_gateway.core.recovery_code import code_digest, drawn_code
from auth_gateway.flows.answers import Allowed, ChallengeOver, MfaRequired, Refreshed, WrongCode
from auth_gateway.flows.proofs import CodeProof

CONTENDERS = [2, 8, pytest.param(20, marks=pytest.mark.long)]


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Each job in a thread and event loop of its own, let go together."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        barrier.wait()
        return asyncio.run(job())

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


async def challenged(world: Any) -> str:
    world.throttle = type(world.throttle)()  # here nobody is asked too often, and nothing was guessed before
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM guesses")
    world.scorer.mark = 70.0
    answer = await world.login()
    assert isinstance(answer, MfaRequired)
    return answer.challenge_token


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_refresh_token_has_one_successor(world: Any, contenders: int, rounds: int) -> None:
    """Everyone who asks at once gets the same successor; no fork, and the session lives."""
    world.person()
    token = asyncio.run(world.login()).tokens.refresh_token
    for round_number in range(1, rounds + 1):
        answers = at_once([lambda token=token: world.refresh(token)] * contenders)
        assert all(isinstance(answer, Refreshed) for answer in answers)
        (token,) = {answer.tokens.refresh_token for answer in answers}
        assert world.count("refresh_tokens") == round_number + 1
    assert world.count("refresh_tokens", "used_at IS NULL") == 1


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_a_token_stolen_and_raced_after_the_window_revokes_all(world: Any, contenders: int) -> None:
    """However many present a spent token, the family is dead once and nobody is refreshed."""
    world.person()
    token = asyncio.run(world.login()).tokens.refresh_token
    asyncio.run(world.refresh(token))
    world.clock.advance(11)
    answers = at_once([lambda: world.refresh(token)] * contenders)
    assert sorted(answer.verdict for answer in answers) == ["reused"] + ["revoked"] * (contenders - 1)


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_challenge_has_one_winner(world: Any, contenders: int, rounds: int) -> None:
    """One session for one challenge, whoever is first."""
    secret = world.person(factor=True)
    for _ in range(rounds):
        world.clock.advance(60)
        world.throttle = type(world.throttle)()
        token, code = asyncio.run(challenged(world)), world.code(secret)
        before = world.count("sessions")
        complete = world.complete_flow
        proof = CodeProof(kind="totp", code=code)
        answers = at_once([lambda t=token, p=proof, f=complete: f(t, p, world.client, world.context())] * contenders)
        assert sum(isinstance(answer, Allowed) for answer in answers) == 1
        assert world.count("sessions") == before + 1


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_step_in_several_challenges_has_one_winner(world: Any, contenders: int, rounds: int) -> None:
    """A code that was seen over a shoulder does not open a second session."""
    secret = world.person(factor=True)
    for _ in range(rounds):
        world.clock.advance(60)
        world.throttle = type(world.throttle)()
        tokens = [asyncio.run(challenged(world)) for _ in range(contenders)]
        proof = CodeProof(kind="totp", code=world.code(secret))
        before = world.count("sessions")
        complete = world.complete_flow
        answers = at_once([lambda t=t, p=proof, f=complete: f(t, p, world.client, world.context()) for t in tokens])
        assert sum(isinstance(answer, Allowed) for answer in answers) == 1
        assert world.count("sessions") == before + 1


def test_attempts_are_counted_one_by_one(world: Any) -> None:
    """Twenty guesses at one challenge at once: five are looked at, the throttle aside."""
    world.person(factor=True)
    token = asyncio.run(challenged(world))

    class Unlimited(type(world.throttle)):  # type: ignore[misc]
        async def reserve(self, keys: Any, now: float) -> Any:
            return type(await super().reserve((), now))(keys=(), at=now)

    world.throttle = Unlimited()
    complete = world.complete_flow
    answers = at_once(
        [lambda: complete(token, CodeProof(kind="totp", code="000000"), world.client, world.context())] * 20
    )
    assert sorted(a.attempts_left for a in answers if isinstance(a, WrongCode)) == [0, 1, 2, 3, 4]
    assert sum(isinstance(answer, ChallengeOver) for answer in answers) == 15


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_recovery_code_in_several_challenges_has_one_winner(world: Any, contenders: int, rounds: int) -> None:
    """A sheet of paper that two people hold lets in one."""
    world.person(factor=True)
    for turn in range(max(1, rounds // 4)):
        code = drawn_code(bytes([turn % 256] * 10))
        kept = code_digest(world.proving.recovery_key, "alice", code)
        world.database.write_sync(lambda tx, k=kept: world.recovery_codes.replace(tx, "alice", [k], world.clock.now()))
        tokens = [asyncio.run(challenged(world)) for _ in range(contenders)]
        proof = CodeProof(kind="recovery_code", code=code)
        before = world.count("sessions")
        complete = world.complete_flow
        answers = at_once([lambda t=t, p=proof, f=complete: f(t, p, world.client, world.context()) for t in tokens])
        assert sum(isinstance(answer, Allowed) for answer in answers) == 1
        assert world.count("sessions") == before + 1


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_mailed_code_has_one_winner(world: Any, contenders: int) -> None:
    """It belongs to one challenge, and that counts once."""
    world.person()
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = 'alice@example.com', email_verified = 1")
    token = asyncio.run(challenged(world))
    asyncio.run(world.mail_flow(token, world.client))
    with world.database.engine.connect() as connection:
        body = connection.exec_driver_sql("SELECT body FROM outbox WHERE endpoint = 'mail'").scalar_one()
    letter = msgspec.json.decode(world.vault.open(body, LETTER_PURPOSE), type=Posted).letter
    proof = CodeProof(kind="email_code", code=letter.values["code"])
    complete = world.complete_flow
    answers = at_once([lambda: complete(token, proof, world.client, world.context())] * contenders)
    assert sum(isinstance(answer, Allowed) for answer in answers) == 1
    assert world.count("sessions") == 1
