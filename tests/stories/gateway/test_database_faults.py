"""The database is locked, full or restarted while people log in: 503 with Retry-After at worst, nobody in without an
audit line, and all is well soon after, without a restart of ours.
"""

import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from plumbing import connections
from tests.postgresql import Server, lock
from tests.stories.gateway.crowd import Crowd, assert_nothing_unseen
from tests.stories.gateway.story import Story, running_story

HEALTH_SECONDS = 3.0
"""What a machine that eight share may take; alone it is a fifth of that."""

MOST_FILLED = 32 * 2**20


@pytest.fixture
def server_story(tmp_path: Path, postgresql_url: str) -> Iterator[Story]:
    """A gateway on PostgreSQL."""
    given = {"risk_api_credential": "rgs_test", "auth_gateway_database": postgresql_url}
    with running_story(tmp_path / "state", **given) as running:
        yield running


def file_of(story: Story) -> Path:
    return Path(story.gateway.settings.auth_gateway_state) / "gateway.db"


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_file_lets_nobody_in_unseen(
    story_with: Callable[..., Story], monkeypatch: pytest.MonkeyPatch, is_long: bool, how: str
) -> None:
    """Another process holds it for 15 seconds; in short for two, with less patience."""
    if not is_long:
        monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 400)
    story = story_with(risk_api_credential="rgs_test")

    def hold() -> None:
        with closing(sqlite3.connect(file_of(story), isolation_level=None, timeout=30)) as holder:
            holder.execute(f"BEGIN {how}")
            time.sleep(15 if is_long else 2)
            holder.execute("ROLLBACK")

    told = Crowd(story).live_through(hold)
    assert_nothing_unseen(story, told)
    assert told.answers["/login", 503] + told.answers["/token", 503] > 0
    assert told.slowest_health_seconds < HEALTH_SECONDS


@pytest.mark.parametrize("tables", ["users, sessions, audit, refresh_tokens", "audit"])
def test_locked_tables_let_nobody_in_unseen(
    server_story: Story, postgresql_url: str, is_long: bool, tables: str
) -> None:
    """A session holds what a login reads, or only what it writes; who asks whether we live is answered all the same,
    and nobody is kept waiting for long."""

    def hold() -> None:
        with psycopg.connect(postgresql_url) as holder:
            lock(holder, tables)
            time.sleep(15 if is_long else 5)

    told = Crowd(server_story, people=12).live_through(hold)
    assert_nothing_unseen(server_story, told)
    assert told.answers["/login", 503] + told.answers["/token", 503] > 0
    assert told.slowest_health_seconds < HEALTH_SECONDS


def test_a_server_that_restarts_again_and_again_is_come_back_to(
    server_story: Story, postgresql_server: Server, is_long: bool
) -> None:
    """Ten times under load, in short three."""

    def restart() -> None:
        for _ in range(10 if is_long else 3):
            time.sleep(0.7)
            postgresql_server.stop()
            time.sleep(0.3)
            postgresql_server.start()

    told = Crowd(server_story).live_through(restart)
    assert_nothing_unseen(server_story, told)
    assert told.answers["/login", 200] > 0
    assert told.slowest_health_seconds < HEALTH_SECONDS


@contextmanager
def no_more_room(file: Path) -> Iterator[None]:
    """No file of this process may grow: what a quota does, without being root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = max(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_cannot_grow_lets_nobody_in_unseen(story_with: Callable[..., Story], is_long: bool) -> None:
    """Once there is room again, so are logins."""
    story = story_with(risk_api_credential="rgs_test")
    story.gateway.database.write_sync(lambda tx: tx._connection.execute("PRAGMA wal_autocheckpoint=0") and None)

    def fill() -> None:
        with no_more_room(file_of(story)):
            time.sleep(15 if is_long else 2)

    told = Crowd(story).live_through(fill)
    assert_nothing_unseen(story, told)
    assert told.answers["/login", 503] + told.answers["/token", 503] > 0


@pytest.mark.long
def test_a_full_disk_lets_nobody_in_unseen(tmp_path: Path) -> None:
    """A real one where we may mount it: a small file system of its own, filled to the last byte, and then freed."""
    with small_disk(tmp_path / "disk") as disk, running_story(disk / "state", risk_api_credential="rgs_test") as story:
        told = Crowd(story).live_through(lambda: fill(disk / "filler", seconds=15))
        assert_nothing_unseen(story, told)
        assert (told.answers["/login", 503] + told.answers["/token", 503] > 0) == disk.is_mount()


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 16 MiB; without root a directory, whose filling stops at as much."""
    place.mkdir()
    if os.geteuid() != 0:
        yield place
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(filler: Path, *, seconds: float) -> None:
    """Take every byte that is left, as soon as one is, and give them all back."""
    deadline = time.monotonic() + seconds
    with filler.open("ab", buffering=0) as sink:
        while time.monotonic() < deadline:
            try:
                if sink.tell() < MOST_FILLED:
                    sink.write(bytes(4096))
                    continue
            except OSError:
                pass
            time.sleep(0.01)
    filler.unlink()
