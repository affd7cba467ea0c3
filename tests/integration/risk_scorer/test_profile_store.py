"""Histories on disk: every outcome counts once, none is lost, and an import overwrites nothing that was learned."""

import asyncio

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.core.history import OutcomeKind, UserHistory, encode
from risk_scorer.flows.ports import Lesson
from tests.integration.risk_scorer.observations import observation

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(database: Database, clock: FixedClock) -> ProfileStore:
    return ProfileStore(database, clock=clock, cached_users=3)


def lesson(event_id: str, user: str = "alice", outcome: OutcomeKind = "success") -> Lesson:
    return Lesson(event_id=event_id, observation=observation(user_id=user), outcome=outcome)


def logins(store: ProfileStore, user: str = "alice") -> int | None:
    [history] = store.get_many([user])
    return None if history is None else history.logins


async def test_two_outcomes_at_once_both_count(store: ProfileStore) -> None:
    """Concurrent learning for one person loses nothing."""
    await asyncio.gather(*(store.learn([lesson(f"e{number}")]) for number in range(40)))
    assert logins(store) == 40


async def test_an_event_teaches_once(store: ProfileStore) -> None:
    """A repeated delivery of the same outcome changes nothing, alone or inside a batch."""
    assert await store.learn([lesson("e1"), lesson("e1")]) == 1
    assert await store.learn([lesson("e1")]) == 0
    assert logins(store) == 1


async def test_a_failed_factor_and_a_later_success_both_count(store: ProfileStore) -> None:
    """One login may fail first and pass later under the same event id."""
    assert await store.learn([lesson("e1", outcome="mfa_failed"), lesson("e1", outcome="mfa_passed")]) == 2
    [history] = store.get_many(["alice"])
    assert history is not None
    assert (history.logins, history.failures) == (1, 1)


async def test_what_was_learned_survives_a_restart(store: ProfileStore, database: Database, clock: FixedClock) -> None:
    """A new process reads from the disk what the old one had in memory."""
    await store.learn([lesson("e1"), lesson("e2")])
    assert logins(ProfileStore(database, clock=clock)) == 2


async def test_the_memory_is_bounded_and_answers_like_the_disk(store: ProfileStore) -> None:
    """People beyond the bound are read again, in the order asked, strangers as None."""
    await store.learn([lesson(f"e-{user}", user) for user in "abcdefgh"])
    histories = store.get_many(["h", "stranger", "a", "a"])
    assert [history and history.logins for history in histories] == [1, None, 1, 1]
    assert len(store._cache) <= 3


async def test_a_stranger_who_is_looked_up_first_is_learned_all_the_same(store: ProfileStore) -> None:
    """Having been unknown is not remembered past the first lesson."""
    assert logins(store) is None
    await store.learn([lesson("e1")])
    assert logins(store) == 1


async def test_an_import_fills_in_and_overwrites_nothing_learned(store: ProfileStore) -> None:
    """Histories of a model are a start; what was learned here is newer."""
    await store.learn([lesson("e1", "learned")])
    blob = encode(UserHistory(logins=50))
    assert store.import_histories("sha-1", [("learned", blob), ("new", blob)]) == 2
    assert (logins(store, "learned"), logins(store, "new")) == (1, 50)


async def test_a_model_is_imported_once_and_a_newer_one_replaces_it(store: ProfileStore) -> None:
    """The same data does nothing the second time; a retrained model refreshes whoever was not seen here."""
    assert store.import_histories("sha-1", [("u", encode(UserHistory(logins=50)))]) == 1
    assert store.import_histories("sha-1", [("u", encode(UserHistory(logins=51)))]) == 0
    assert store.import_histories("sha-2", [("u", encode(UserHistory(logins=60)))]) == 1
    assert logins(store, "u") == 60
    await store.learn([lesson("e1", "u")])
    assert logins(store, "u") == 61


async def test_a_damaged_history_is_somebody_new(store: ProfileStore) -> None:
    """Bytes that cannot be read stop neither scoring nor learning."""
    store.import_histories("sha-1", [("u", b"\xc1 not msgpack")])
    assert logins(store, "u") is None
    await store.learn([lesson("e1", "u")])
    assert logins(store, "u") == 1


async def test_old_event_ids_are_forgotten_and_what_they_taught_stays(store: ProfileStore, clock: FixedClock) -> None:
    """Pruning bounds the table of seen ids only."""
    await store.learn([lesson("old")])
    clock.advance(100)
    await store.learn([lesson("new")])
    assert await store.prune(clock.now() - 50) == 1
    assert await store.learn([lesson("new")]) == 0
    assert logins(store) == 2
