"""Copies of histories: whatever they are and however old, a look-up gives what is committed."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.history_rows import kept_of
from risk_scorer.adapters.hot_histories import HotHistories, digest_of
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import open_database
from risk_scorer.core.history import EMPTY, UserHistory, encode, learn_taught
from risk_scorer.core.lessons import taught_by
from risk_scorer.flows.ports import Lesson
from tests.integration.risk_scorer.observations import NOW, observation

pytestmark = pytest.mark.anyio
PEOPLE = ("alice", "bob", "carol", "dave")


class Unreliable:
    """Shared copies that lose what they are given, keep what is long gone, mix people up and make things up."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.everything: list[tuple[str, bytes]] = []

    def get(self, users: Sequence[str]) -> list[bytes]:
        theirs = [stored for _, stored in self.everything]
        many = self._chance.choices(theirs, k=5) if theirs else []
        forged = encode(learn_taught(EMPTY, taught_by(observation(user_id=users[0], device_id="thiefs"), "success")))
        return [*many, forged, b"", b"\x00garbage", *(stored for user, stored in self.everything[-8:] if user in users)]

    def keep(self, copies: Mapping[str, bytes]) -> None:
        if self._chance.random() < 0.7:
            self.everything += copies.items()

    def forget(self, user: str) -> None:
        """It never does."""


@pytest.fixture
def databases(scorer_url: str) -> Iterator[list[Database]]:
    """The same database, opened by two."""
    with ExitStack() as stack:
        opened = [open_database(scorer_url) for _ in range(2)]
        for each in opened:
            stack.callback(each.close)
        yield opened


def committed(database: Database) -> list[UserHistory | None]:
    found = database.read(lambda tx: kept_of(tx, PEOPLE))
    return [found[user].history for user in PEOPLE]


def lesson(number: int, user: str) -> Lesson:
    return Lesson(
        event_id=f"e{number}", observation=observation(user_id=user, device_id=f"d{number}"), outcome="success"
    )


async def test_a_look_up_never_gives_what_is_older_than_what_is_committed(
    databases: list[Database], is_long: bool
) -> None:
    """Two processes that learn, erase and import in any order, behind copies that cannot be trusted in any way."""
    chance = random.Random(11)
    shared = Unreliable(chance)
    stores = [
        ProfileStore(each, clock=FixedClock(NOW), cached_users=0, hot=HotHistories(most=3, shared=shared))
        for each in databases
    ]
    for number in range(2000 if is_long else 150):
        one, user = chance.choice(stores), chance.choice(PEOPLE)
        what = chance.random()
        if what < 0.6:
            await one.learn([lesson(number, user), lesson(-number, chance.choice(PEOPLE))])
        elif what < 0.7:
            erase_person(databases[0], user)
        elif what < 0.8:
            brought = encode(learn_taught(EMPTY, taught_by(lesson(number, user).observation, "success")))
            one.import_histories(f"model-{number}", [(user, brought)])
        for store in stores:
            assert store.get_many(PEOPLE) == committed(databases[0])
            assert store.get_many([user]) == [dict(zip(PEOPLE, committed(databases[1]), strict=True))[user]]


async def test_a_copy_spares_reading_the_history(
    databases: list[Database], run_sql: Callable[[str], list[tuple[Any, ...]]], scorer_url: str
) -> None:
    """Where the server keeps digests, the bytes of a history that is known are not read again."""
    store = ProfileStore(databases[0], clock=FixedClock(NOW), cached_users=0, hot=HotHistories(most=3))
    await store.learn([lesson(1, "alice")])
    first = store.get_many(["alice"])
    if scorer_url.startswith("sqlite"):
        assert run_sql("SELECT digest FROM user_histories") == [(None,)]
        [again], [known] = store.get_many(["alice"]), first
        assert again is known  # its bytes are read, and not decoded again
        return
    [(digest, blob)] = run_sql("SELECT digest, blob FROM user_histories")
    assert digest == digest_of(bytes(blob))
    run_sql("ALTER TABLE user_histories DISABLE TRIGGER digest_of_history")
    try:
        run_sql("UPDATE user_histories SET blob = '\\x00'")  # what only the bytes would tell
        assert store.get_many(["alice"]) == first
        assert store.get_many(["alice", "bob"]) == [*first, None]
    finally:
        run_sql("ALTER TABLE user_histories ENABLE TRIGGER digest_of_history")


async def test_whoever_writes_changes_the_digest(
    databases: list[Database], run_sql: Callable[[str], list[tuple[Any, ...]]], scorer_url: str
) -> None:
    """An earlier release, or somebody at the console, knows of no digest: the next look-up reads what it wrote."""
    store = ProfileStore(databases[0], clock=FixedClock(NOW), cached_users=0, hot=HotHistories(most=3))
    await store.learn([lesson(1, "alice"), lesson(2, "alice")])
    store.get_many(["alice"])
    older = encode(learn_taught(EMPTY, taught_by(lesson(1, "alice").observation, "success")))
    number = f"X'{older.hex()}'" if scorer_url.startswith("sqlite") else f"'\\x{older.hex()}'"
    run_sql(f"UPDATE user_histories SET blob = {number}")  # noqa: S608 - of our own making
    [found] = store.get_many(["alice"])
    assert found is not None
    assert found.logins == 1
