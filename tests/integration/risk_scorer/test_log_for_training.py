"""The scorer's database as a log to train on: what was scored, with how it ended, read without being touched."""

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.event_log import EventLog as ScorersLog
from risk_scorer.adapters.event_log import append_row
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.core.history import OutcomeKind
from risk_scorer.core.verdicts import taught_by
from risk_scorer.flows.ports import JudgedLogin, Judgement, Lesson
from tests.integration.risk_scorer.observations import NOW, observation, scored
from training import event_log
from training.cli import app
from training.database_labels import labels_for
from training.labelling.matching import matched
from training.labelling.report import labelled
from training.refusals import UnreachableError, WrongInputError
from training.sources import EventTable, read_events

pytestmark = pytest.mark.anyio


class Scorer:
    """Scores and outcomes as the service keeps them."""

    def __init__(self, database: Database) -> None:
        clock = FixedClock(NOW)
        self.database = database
        self.log = ScorersLog(database, recent_max=10, clock=clock, announce_to=None, wake_delivery=lambda: None)
        self.profiles = ProfileStore(database, clock=clock)

    async def scored(self, event_id: str, **fields: Any) -> None:
        """A login that was asked about, and is on the disk."""
        await self.log.record_and_announce([scored(event_id=event_id, **fields)], [])

    async def ended(self, outcome_id: str, outcome: OutcomeKind, *, login: str | None = None, **fields: Any) -> None:
        """The report of an end; `login` is the id that it was scored with, where that is another."""
        await self.profiles.learn([lesson(outcome_id, outcome, login=login, **fields)])


def lesson(outcome_id: str, outcome: OutcomeKind, *, login: str | None = None, **fields: Any) -> Lesson:
    """The report of an end; `login` is the id that it was scored with, where that is another."""
    seen = observation(event_id=login or outcome_id, **fields)
    return Lesson(event_id=outcome_id, observation=seen, outcome=outcome)


def as_json(event_id: str, **fields: Any) -> bytes:
    """A row of the log with this one login."""
    return msgspec.json.encode([scored(event_id=event_id, **fields)])


TABLES = ("scored_events", "seen_outcomes", "event_places")


@pytest.fixture
def scorer(database: Database) -> Scorer:
    return Scorer(database)


def row(table: EventTable, place: int) -> tuple[Any, ...]:
    return (table.user_id[place], float(table.timestamp[place]), bool(table.success[place]), table.user_agent[place])


async def test_a_login_is_in_the_log_with_how_it_ended(scorer: Scorer, scorer_url: str) -> None:
    """Own ones succeeded; what failed after it was scored did not; of what has no end nothing is known."""
    for number, name in enumerate(("passed", "failed", "open")):
        await scorer.scored(f"e-{name}", user_id=name, timestamp=NOW + number, user_agent="Agent 1")
    await scorer.ended("e-passed", "mfa_passed", user_id="passed", timestamp=NOW)
    await scorer.ended("e-failed", "mfa_failed", user_id="failed", timestamp=NOW + 1)
    table = read_events(scorer_url)
    assert [row(table, place) for place in range(len(table))] == [
        ("passed", NOW, True, "Agent 1"),
        ("failed", NOW + 1, False, "Agent 1"),
    ]
    assert (table.dropped, table.rows_in_file) == ({"bad_success": 1}, 3)


async def test_the_outcome_may_have_an_id_of_its_own(scorer: Scorer, scorer_url: str) -> None:
    """As the gateway reports it: the login that it ends is named beside it."""
    await scorer.scored("e1", timestamp=NOW, user_agent="Agent 1")
    await scorer.ended("o1", "success", login="e1", timestamp=NOW)
    table = read_events(scorer_url)
    assert [row(table, 0)] == [("alice", NOW, True, "Agent 1")]
    assert table.dropped == {}


async def test_wrong_passwords_are_in_the_log(scorer: Scorer, scorer_url: str) -> None:
    """They are never scored: whose account, from where and when is all there is of them."""
    await scorer.scored("e1", timestamp=NOW)
    await scorer.ended("e1", "success", timestamp=NOW)
    await scorer.ended("f1", "failure", user_id="bob", ip="203.0.113.7", timestamp=NOW - 5, user_agent="Agent 2")
    table = read_events(scorer_url)
    assert [row(table, place) for place in range(2)] == [("bob", NOW - 5, False, ""), ("alice", NOW, True, "")]
    assert table.ip[0] == "203.0.113.7"


async def test_a_login_is_there_once(scorer: Scorer, scorer_url: str) -> None:
    """The first event of an id is what happened; a refresh is no login; what failed first and passed later passed."""
    await scorer.scored("e1", timestamp=NOW, user_agent="first")
    await scorer.scored("e1", timestamp=NOW + 1, user_agent="again")
    await scorer.scored("e2", timestamp=NOW + 2, kind="refresh")
    await scorer.ended("e1", "mfa_failed", timestamp=NOW)
    await scorer.ended("e1", "mfa_passed", timestamp=NOW)
    table = read_events(scorer_url)
    told = zip(table.user_agent, table.success, strict=True)
    assert [each for each in told if each[0]] == [("first", True)]
    assert table.dropped == {}


async def test_a_moment_that_was_not_reported_is_that_of_the_score(scorer: Scorer, scorer_url: str) -> None:
    """As the scorer took it; one that was reported as text is read as text."""
    await scorer.scored("e1")
    await scorer.scored("e2", timestamp="2025-10-09T10:00:00+02:00")
    for each in ("e1", "e2"):
        await scorer.ended(each, "success")
    assert sorted(read_events(scorer_url).timestamp) == [1_759_996_800.0, NOW]


async def test_all_pages_are_read(scorer: Scorer, scorer_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a page, more outcomes than a page, more logins than a batch."""
    count = event_log.PAGE_ROWS + 1
    monkeypatch.setattr(event_log, "ROWS_AT_ONCE", 64)
    rows = [as_json(f"e{n}", user_id=f"u{n % 7}", timestamp=NOW + n) for n in range(count)]
    scorer.database.write_sync(lambda tx: [append_row(tx, 1, NOW, each) for each in rows])
    lessons = [lesson(f"e{n}", "success", user_id=f"u{n % 7}", timestamp=NOW + n) for n in range(count)]
    lessons += [lesson(f"f{n}", "failure", timestamp=NOW - n - 1) for n in range(event_log.OUTCOMES_PAGE_ROWS)]
    await scorer.profiles.learn(lessons)
    table = read_events(scorer_url)
    assert int(table.success.sum()) == count
    assert len(table) == count + event_log.OUTCOMES_PAGE_ROWS


async def test_months_are_read_in_their_order(scorer: Scorer, scorer_url: str) -> None:
    """Where the log is kept by months, all of them are one log."""
    for number in range(4):
        moment = NOW + number * 31 * 86_400
        body = as_json(f"e{number}", timestamp=moment)
        scorer.database.write_sync(lambda tx, body=body, at=moment: append_row(tx, 1, at, body))  # type: ignore[misc]
        await scorer.ended(f"e{number}", "success", timestamp=moment)
    assert len(read_events(scorer_url)) == 4


async def test_rows_of_another_version_are_counted(scorer: Scorer, scorer_url: str) -> None:
    """What cannot be read is told, and the rest is used."""
    await scorer.scored("e1", timestamp=NOW)
    await scorer.ended("e1", "success", timestamp=NOW)
    scorer.database.write_sync(lambda tx: append_row(tx, 3, NOW, b'{"of": "later"}'))
    table = read_events(scorer_url)
    assert (len(table), table.dropped, table.rows_in_file) == (1, {"malformed_row": 3}, 4)


async def test_a_log_without_ends_is_not_taken_for_one_of_successes(scorer: Scorer, scorer_url: str) -> None:
    """Nobody reports outcomes there: who is whom is unknown, and a file without outcomes would mean otherwise."""
    await scorer.scored("e1", timestamp=NOW)
    with pytest.raises(WrongInputError) as caught:
        read_events(scorer_url)
    assert caught.value.code == "no_outcomes"


async def test_reading_changes_nothing(scorer: Scorer, scorer_url: str, run_sql: Callable[[str], Any]) -> None:
    """Not a row; a file may even be one that we must not write to."""
    await scorer.scored("e1", timestamp=NOW)
    await scorer.ended("e1", "success", timestamp=NOW)
    before = [run_sql(f"SELECT count(*) FROM {name}") for name in TABLES]  # noqa: S608 our own names
    with event_log.opened(scorer_url, needed=()) as reading, pytest.raises(Exception, match=r"read-?only"):
        reading._connection.execute("DELETE FROM scored_events")
    read_events(scorer_url)
    after = [run_sql(f"SELECT count(*) FROM {name}") for name in TABLES]  # noqa: S608 our own names
    assert before == after


async def test_a_file_that_somebody_holds_is_told_as_such(
    scorer: Scorer, tmp_path: Path, scorer_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting has an end, and it is no mistake of the person's."""
    if not scorer_url.startswith("sqlite"):
        return
    monkeypatch.setattr("training.read_only.BUSY_TIMEOUT_MS", 10)
    scorer.database.close()
    holder = sqlite3.connect(tmp_path / "scorer.db")
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnreachableError) as caught:
        read_events(scorer_url)
    holder.close()
    assert caught.value.code == "database_unreachable"


async def test_training_knows_what_the_database_knows(scorer: Scorer, scorer_url: str, tmp_path: Path) -> None:
    """A confirmed compromise is a label though nobody gave a file of them; one that is given is taken alone."""
    store = VerdictStore(scorer.database, profiles=scorer.profiles, clock=FixedClock(NOW))
    for number in range(20):
        await scorer.scored(f"e{number}", timestamp=NOW + number)
        await scorer.ended(f"e{number}", "success", timestamp=NOW + number)
    with labels_for([scorer_url], None) as labels:
        assert labels is None
    seen, context = scored(event_id="e1", timestamp=NOW + 1).event, observation(timestamp=NOW + 1)
    login = JudgedLogin(event=seen, score=None, context=taught_by(context, "success"))
    await store.record(
        [Judgement(event_id="e1", verdict="confirmed_compromised", by="soc", reason="x", ts=NOW, login=login)]
    )
    with labels_for([scorer_url, str(tmp_path)], None) as labels:
        assert labels is not None
        assert labels.parent.stat().st_mode & 0o077 == 0
        [line] = [json.loads(each) for each in labels.read_text().splitlines()]
        assert (line["event_id"], line["label"], line["timestamp"]) == ("e1", "compromised", NOW + 1)
        table = read_events(scorer_url)
        left = labelled(labels, table.timestamp, partial(matched, table), until=None).matched.table
        assert (len(left), left.dropped) == (19, {"confirmed_compromised": 1})
    assert not labels.exists()
    given = tmp_path / "labels.jsonl"
    with labels_for([scorer_url], given) as labels:
        assert labels == given


@pytest.mark.parametrize(
    "url", ["postgresql://nobody:s3cret@127.0.0.1:1/scorer", "postgresql://nobody:s3cret@[/scorer"]
)
def test_a_server_that_is_away_is_one_line_without_its_password(url: str, tmp_path: Path) -> None:
    """Status 4 where nothing answers, 2 for an address that is none."""
    result = CliRunner().invoke(app, ["import", "--input", url, "--out", str(tmp_path / "out.parquet")])
    assert result.exit_code == (4 if "127.0.0.1" in url else 2), result.output
    assert len(result.stderr.splitlines()) == 1
    assert "s3cret" not in result.output


async def test_training_declines_a_log_that_is_too_small(scorer: Scorer, scorer_url: str, tmp_path: Path) -> None:
    """The whole way from the database to the first gate; nothing is published, and labels are no hindrance."""
    for number in range(3):
        await scorer.scored(f"e{number}", timestamp=NOW + number)
        await scorer.ended(f"e{number}", "success", timestamp=NOW + number)
    options = ["--model_dir", str(tmp_path / "models"), "--key", str(tmp_path / "key")]
    result = CliRunner().invoke(app, ["train", "--input", scorer_url, *options])
    assert (result.exit_code, len(result.stderr.splitlines())) == (3, 1), result.output
    assert not (tmp_path / "models").exists()


async def test_import_writes_what_training_would_see(scorer: Scorer, scorer_url: str, tmp_path: Path) -> None:
    """The same command as for a file, and the address is not told."""
    await scorer.scored("e1", timestamp=NOW)
    await scorer.ended("e1", "success", timestamp=NOW)
    out = tmp_path / "out.parquet"
    result = CliRunner().invoke(app, ["import", "--input", scorer_url, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 1
    assert list(read_events(out).user_id) == ["alice"]
    if scorer_url.startswith("sqlite"):
        file = tmp_path / "scorer.db"
        result = CliRunner().invoke(app, ["import", "--input", scorer_url, "--out", str(file)])
        assert (result.exit_code, result.stderr[:23]) == (2, "error output_is_input: ")
