"""A gateway goes on logging people in while a newer release brings their database up, and starts again afterwards."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from auth_gateway.adapters import storage
from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.assembly import assemble
from auth_gateway.opening import CannotStart
from plumbing.migrations import upgrade
from plumbing.schema_steps import newest
from tests.postgresql import Server
from tests.stories.gateway.story import PASSWORD, Story, running_story

ADDS = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None


def upgrade():
    op.add_column({table!r}, sa.Column("newer", sa.String(), server_default=sa.text("''"), nullable=False))
"""
INDEX = """
from alembic import op
from plumbing.schema_steps import add_index

revision, down_revision, branch_labels, depends_on = "9007", "9006", None, None


def upgrade():
    add_index(op, "sessions_newer", "sessions", ["newer"])
"""
TAKES_AWAY = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "9008", "9007", None, None
oldest_code = "9007"


def upgrade():
    op.drop_column("users", "display_name")
"""
TABLES = ("users", "sessions", "refresh_families", "refresh_tokens", "audit", "outbox")


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A database of its own: it gets a schema that no other test has."""
    url = postgresql_server.new_database()
    yield url
    postgresql_server.drop_database(url)


@pytest.fixture
def story(tmp_path: Path, postgresql_url: str) -> Iterator[Story]:
    """A gateway of this release, and another person to log in beside Alice."""
    given = {"risk_api_credential": "rgs_test", "auth_gateway_database": postgresql_url}
    with running_story(tmp_path / "state", **given) as running:
        yield running


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a release to come: one for each table that adds, an index, and one that takes away."""
    place = tmp_path / "newer"
    shutil.copytree(storage.MIGRATIONS, place, ignore=shutil.ignore_patterns("__pycache__"))
    texts, before = {"9007": INDEX, "9008": TAKES_AWAY}, newest(storage.MIGRATIONS)
    for number, table in enumerate(TABLES, start=9001):
        texts[str(number)] = ADDS.format(revision=str(number), before=before, table=table)
        before = str(number)
    for revision, text in texts.items():
        (place / "versions" / f"{revision}_newer.py").write_text(text)
    return place


class Load:
    """Logins and refreshes by the old code, one after the other, until stopped."""

    def __init__(self, story: Story) -> None:
        self.statuses: list[int] = []
        self.longest = 0.0
        self._story = story
        self._token = story.login().json()["tokens"]["refresh_token"]

    def once(self) -> None:
        began = time.monotonic()
        login = self._story.login("bob", PASSWORD)
        refreshed = self._story.refresh(self._token)
        self.longest = max(self.longest, time.monotonic() - began)
        self.statuses += [login.status_code, refreshed.status_code]
        self._token = refreshed.json().get("refresh_token", self._token)


def test_logins_go_on_while_a_newer_release_migrates(story: Story, newer: Path, postgresql_url: str) -> None:
    """Also while a long transaction makes its steps wait; and an older process starts on what was only added to."""
    load = Load(story)
    long = psycopg.connect(postgresql_url, autocommit=True)
    long.execute("BEGIN")
    long.execute("SELECT count(*) FROM users, sessions, audit, outbox")
    problems: list[BaseException] = []

    def migrate() -> None:
        try:
            upgrade(postgresql_url, str(newer))
        except BaseException as error:
            problems.append(error)

    migrating = threading.Thread(target=migrate)
    migrating.start()
    for _ in range(6):
        load.once()
    assert migrating.is_alive()
    long.close()
    while migrating.is_alive():
        load.once()
    load.once()
    assert problems == []
    assert set(load.statuses) == {200}
    assert load.longest < 5
    columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'newer'"
    with psycopg.connect(postgresql_url) as looking:
        assert looking.execute(columns).fetchone() != (0,)
        assert looking.execute("SELECT to_regclass('sessions_newer') IS NOT NULL").fetchone() == (True,)
    hasher = PasswordHasher(memory_kib=64, passes=1)
    assemble(story.gateway.settings, clock=story.clock, hasher=hasher).close()
    upgrade(postgresql_url, str(newer), may_contract=True)
    with pytest.raises(CannotStart, match="later release"):
        assemble(story.gateway.settings, clock=story.clock, hasher=hasher)
