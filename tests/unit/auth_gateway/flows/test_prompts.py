"""Whoever has the password cannot wear the owner down with prompts."""

import asyncio
from typing import Any

from auth_gateway.flows.answers import Allowed, LetIn, MfaRequired, Throttled

ELSEWHERE: dict[str, Any] = {"ip": "203.0.113.5", "device_id": "dev-thief"}


def login(world: Any, mark: float = 70.0, **context: Any) -> Any:
    world.scorer.mark = mark
    return asyncio.run(world.login(**context))


def told(world: Any) -> int:
    return len(world.messages("mfa"))


def test_five_prompts_may_stay_unanswered(world: Any) -> None:
    """The sixth login waits: no challenge is written, and nobody is told of one."""
    world.person(factor=True)
    answers = [login(world, **ELSEWHERE) for _ in range(7)]
    assert [type(answer) for answer in answers] == [MfaRequired] * 5 + [Throttled] * 2
    assert (world.count("pending_logins"), told(world)) == (5, 5)
    assert answers[-1].retry_after_seconds == 600.0


def test_one_prompt_is_forgiven_each_ten_minutes(world: Any) -> None:
    """Not before, and one at a time."""
    world.person(factor=True)
    for _ in range(5):
        login(world, **ELSEWHERE)
    world.clock.advance(599)
    assert isinstance(login(world, **ELSEWHERE), Throttled)
    world.clock.advance(1)
    assert isinstance(login(world, **ELSEWHERE), MfaRequired)
    assert isinstance(login(world, **ELSEWHERE), Throttled)


def test_a_passed_challenge_gives_its_prompt_back(world: Any) -> None:
    """However often the owner is asked and answers, they are asked again."""
    secret = world.person(factor=True)
    for _ in range(12):
        world.clock.advance(31)
        token = login(world).challenge_token
        assert isinstance(asyncio.run(world.complete(token, world.code(secret))), Allowed)


def test_the_owners_known_device_is_asked_all_the_same(world: Any) -> None:
    """A stranger's prompts count elsewhere; the owner's own count for themselves."""
    secret = world.person(factor=True)
    token = login(world, 70.0).challenge_token
    asyncio.run(world.complete(token, world.code(secret)))
    for _ in range(6):
        login(world, **ELSEWHERE)
    assert isinstance(login(world, **ELSEWHERE), Throttled)
    assert [type(login(world)) for _ in range(6)] == [MfaRequired] * 5 + [Throttled]


def test_a_passed_challenge_on_a_known_device_forgives_no_strangers_prompt(world: Any) -> None:
    """Each counter gets its own back."""
    secret = world.person(factor=True)
    asyncio.run(world.complete(login(world).challenge_token, world.code(secret)))
    for _ in range(5):
        login(world, **ELSEWHERE)
    world.clock.advance(60)
    asyncio.run(world.complete(login(world).challenge_token, world.code(secret)))
    assert isinstance(login(world, **ELSEWHERE), Throttled)


def test_who_waits_for_prompts_is_let_in_at_low_risk(world: Any) -> None:
    """Only being asked has to wait, and another account's prompts are another count."""
    world.person(factor=True)
    world.person("bob", factor=True)
    for _ in range(6):
        login(world, **ELSEWHERE)
    assert isinstance(login(world, 10.0, **ELSEWHERE), LetIn)
    assert isinstance(login(world, username="bob", **ELSEWHERE), MfaRequired)


def test_a_prompt_that_could_not_be_written_is_not_counted(world: Any) -> None:
    """A storage that fails is nobody's doing."""
    world.person(factor=True)

    class Failing:
        def add(self, *_: Any) -> None:
            raise OSError("the disk is full")

    kept, world.pending_logins = world.pending_logins, Failing()
    for _ in range(6):
        try:
            login(world, **ELSEWHERE)
        except OSError:
            continue
    world.pending_logins = kept
    assert isinstance(login(world, **ELSEWHERE), MfaRequired)
