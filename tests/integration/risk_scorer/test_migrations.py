"""The migrations build exactly what the repositories use."""

import shutil
import sqlite3
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from plumbing.clock import FixedClock
from plumbing.database import Database, upgrade
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import MIGRATIONS, open_database, ping
from risk_scorer.adapters.tables import metadata
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.adapters.verdict_words import words_between
from risk_scorer.core.history import EMPTY, encode, learn_taught
from risk_scorer.core.verdicts import taught_by
from risk_scorer.flows.ports import JudgedLogin, Judgement
from tests.integration.risk_scorer.observations import NOW, event, observation, scored
from tests.postgresql import is_whole


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    """No table, column or index differs between the migrations and the metadata."""
    with database.engine.connect() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"include_object": is_whole}), metadata
        )
    assert differences == []


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    """A second start finds the newest schema and leaves it."""
    url = f"sqlite:///{tmp_path}/scorer.db"
    open_database(url).close()
    again = open_database(url)
    assert again.read(ping)
    again.close()


@pytest.fixture
def first_version(tmp_path: Path) -> str:
    """A database as the first version made it, with a login that was logged and learned."""
    later = shutil.ignore_patterns("__pycache__", "000[2-9]*", "00[1-9]*")
    shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=later)
    url, body = f"sqlite:///{tmp_path}/scorer.db", msgspec.json.encode([scored(10.0, "e1"), scored(20.0, "e2")])
    upgrade(url, str(tmp_path / "migrations"))
    history = learn_taught(EMPTY, taught_by(observation(), "success"))
    connection = sqlite3.connect(tmp_path / "scorer.db")
    with connection:
        connection.execute("INSERT INTO scored_events (events, ts_scored, body) VALUES (2, ?, ?)", (NOW, body))
        connection.execute("INSERT INTO scored_events (events, ts_scored, body) VALUES (1, ?, ?)", (NOW, b"[{}]"))
        connection.execute("INSERT INTO seen_outcomes VALUES ('own:e1', ?)", (NOW,))
        connection.execute("INSERT INTO user_histories VALUES ('alice', ?, 1, ?)", (encode(history), NOW))
    connection.close()
    return url


@pytest.mark.anyio
async def test_a_database_of_the_first_version_takes_verdicts(first_version: str) -> None:
    """What was logged before is found, what was learned before is taken back, and what is damaged is passed over."""
    database, clock = open_database(first_version), FixedClock(NOW)
    log = EventLog(database, recent_max=3, clock=clock, announce_to=None, wake_delivery=lambda: None)
    found = await log.find_many(["e1", "e2", "e3"])
    assert [each and each.score.risk_score for each in found] == [10.0, 20.0, None]
    profiles = ProfileStore(database, clock=clock)
    login = JudgedLogin(event=event(), score=None, context=taught_by(observation(), "success"))
    judgement = Judgement(event_id="e1", verdict="confirmed_compromised", by="soc", reason="", ts=NOW, login=login)
    assert await VerdictStore(database, profiles=profiles, clock=clock).record([judgement]) == 0
    [history] = profiles.get_many(["alice"])
    assert history is not None
    assert (history.logins, history.device) == (0, {})
    assert list(profiles.recent_lessons(0.0)) == []
    database.close()


def test_verdicts_from_before_words_were_kept_are_words(tmp_path: Path) -> None:
    """The last one of each login is known, and whose it was."""
    older = shutil.ignore_patterns("__pycache__", "0008*", "0009*", "00[1-9]*")
    shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=older)
    url = f"sqlite:///{tmp_path}/scorer.db"
    upgrade(url, str(tmp_path / "migrations"))
    connection = sqlite3.connect(tmp_path / "scorer.db")
    with connection:
        for number, by in enumerate(("soc", "account-owner")):
            row = (f"e{number}", "alice", "confirmed_safe", by, "", 1.0, 2.0 - number, b"{}", None, b"", b"")
            connection.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()
    database = open_database(url)
    words = database.read(lambda tx: words_between(tx, "e0", "e1"))
    assert {event_id: [(word.source, word.known_at) for word in said] for event_id, said in words.items()} == {
        "e0": [("analyst", 2.0)],
        "e1": [("owner", 1.0)],
    }
    database.close()
