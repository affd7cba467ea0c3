"""A gateway that cannot write lets nobody in, and says so to whoever sends people to it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from auth_gateway.adapters.storage import probe
from plumbing.write_probe import PROBE_EVERY_SECONDS
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway."""
    return story_with()


@contextmanager
def nobody_writes(story: Story) -> Iterator[None]:
    """Another process keeps the database to itself; it can still be read."""
    with story.gateway.database.engine.connect() as connection:
        file = connection.exec_driver_sql("PRAGMA database_list").fetchall()[0][2]
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def checks(story: Story) -> tuple[int, dict[str, bool]]:
    answer = story.ask("GET", "/ready")
    return answer.status_code, answer.json()["checks"]


def test_a_storage_that_takes_no_write_is_not_ready(story: Story) -> None:
    """It is named; once it writes again, so are we."""
    ready = {"database": True, "storage": True, "keys": True}
    assert checks(story) == (200, ready)
    story.clock.advance(PROBE_EVERY_SECONDS)
    with nobody_writes(story):
        assert checks(story) == (503, {**ready, "storage": False})
    story.clock.advance(PROBE_EVERY_SECONDS)
    assert checks(story) == (200, ready)


def test_asking_often_writes_seldom(story: Story) -> None:
    """One write for all who ask within a few seconds, and it leaves nothing."""
    count, written = 0, story.gateway.database.write

    async def counted(job: object) -> object:
        nonlocal count
        count += getattr(job, "__module__", "") == probe.__name__
        return await written(job)  # type: ignore[arg-type]

    story.gateway.database.write = counted  # type: ignore[assignment, method-assign]
    for _ in range(5):
        assert checks(story)[0] == 200
    assert count == 1
    story.clock.advance(PROBE_EVERY_SECONDS)
    checks(story)
    assert count == 2
    with story.gateway.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM seen_once").scalar_one() == 0
