"""The event store as a log to train session models on: the same events as in a file, read once and for all."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete

from plumbing.clock import FixedClock
from plumbing.statements import Statement
from risk_scorer.adapters.storage import FILE_NAME
from risk_scorer.adapters.tables import activity_events
from tests.commands import full_disk
from tests.integration.risk_scorer.service import Running, running
from tests.integration.training.session_models import run
from training.activity import reading
from training.activity.files import simulate
from training.activity.log import Plan
from training.activity.people import STARTS
from training.activity.reading import ActivityLog, Events
from training.activity.stored import opened_log
from training.lookup_files import open_lookups
from training.lookups import Lookups
from training.refusals import WrongInputError

pytestmark = pytest.mark.anyio
DAYS, LATER = 5, STARTS + 30 * 86_400.0
AT_ONCE, PAGE = 250, 100


@pytest.fixture(scope="module")
def lookups() -> Lookups:
    return open_lookups()


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    """A scorer on either database; its client may vouch for people of whom no gateway told."""
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(LATER), **shared) as found:
        secret = found.scorer.credentials.add("vouching", ["activity", "vouch"])
        found.client.headers["authorization"] = f"Bearer {secret}"
        yield found


@pytest.fixture
def store(service: Running, scorer_url: str, tmp_path: Path) -> str:
    """The URL of its database."""
    return f"sqlite:///{tmp_path / 'scorer' / FILE_NAME}" if scorer_url.startswith("sqlite") else scorer_url


def invented(place: Path, rows: int = 700, people: int = 20, days: int = DAYS) -> Path:
    log = place / "log.jsonl"
    simulate(Plan(rows, people, days, 5), log, lambda step, share: None)
    return log


def lines_of(log: Path) -> list[bytes]:
    return log.read_bytes().splitlines()


async def reported(service: Running, log: Path) -> None:
    """The applications tell the scorer of all that is in the log."""
    lines = lines_of(log)
    for first in range(0, len(lines), AT_ONCE):
        body = b"[" + b",".join(lines[first : first + AT_ONCE]) + b"]"
        answers = (await service.client.post("/assess/bulk", content=body)).json()
        assert all("total_score" in each for each in answers), answers[0]


async def forgotten(service: Running) -> None:
    """All but the late one, as retention would."""
    statement = Statement(delete(activity_events).where(activity_events.c.event_id != "late"))
    await service.scorer.database.write(lambda tx: tx.run(statement))


def told(events: Events) -> list[str]:
    return [repr(each) for each in events]


async def test_the_store_tells_what_the_file_told(
    service: Running, store: str, lookups: Lookups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event with rights, things and beginnings, and the same digest; as often as asked, over many pages."""
    monkeypatch.setattr(reading, "HELD_EVENTS", 0)
    log = invented(tmp_path)
    await reported(service, log)
    file = ActivityLog(log, lookups)
    expected = told(file)
    assert any("Change(" in each for each in expected)
    with opened_log(store, lookups, page_rows=PAGE) as stored:
        assert told(stored) == expected
        assert told(stored) == expected
        assert stored.sha256() == file.sha256()


async def test_what_comes_and_goes_meanwhile_is_for_the_next_time(
    service: Running, store: str, lookups: Lookups, tmp_path: Path
) -> None:
    """Fitting goes through the log several times, and sees one log."""
    log = invented(tmp_path)
    await reported(service, log)
    with opened_log(store, lookups, page_rows=PAGE) as stored:
        late = msgspec.json.decode(lines_of(log)[-1]) | {"event_id": "late"}
        assert (await service.client.post("/assess", json=late)).status_code == 200
        await forgotten(service)
        assert told(stored) == told(ActivityLog(log, lookups))
    with opened_log(store, lookups) as stored:
        assert [each.event_id for each in stored] == ["late"]


async def test_a_store_of_nothing_trains_nothing(service: Running, store: str, tmp_path: Path) -> None:
    """One line with a code, and no model."""
    asked = ["train", "--kind", "session", "--input", store, "--model_dir", tmp_path / "m", "--key", tmp_path / "k"]
    assert "empty_file" in run(*asked, status=2)
    assert not (tmp_path / "m").exists()


def test_a_store_of_an_older_release_is_refused(lookups: Lookups, tmp_path: Path) -> None:
    """It has no rights of people; migrated, it has them of what comes from then on."""
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE activity_events (id INTEGER PRIMARY KEY, ts REAL)")
    with pytest.raises(WrongInputError) as refused, opened_log(f"sqlite:///{file}", lookups):
        pass
    assert refused.value.code == "not_an_event_log"


@pytest.mark.parametrize("scorer_url", ["sqlite"], indirect=True)
async def test_a_copy_that_finds_no_room_is_said(
    service: Running, store: str, lookups: Lookups, tmp_path: Path
) -> None:
    """Nothing is trained on half of the events."""
    await reported(service, invented(tmp_path))
    with full_disk(64), pytest.raises(WrongInputError) as refused, opened_log(store, lookups):
        pass
    assert refused.value.code == "unwritable_output"


async def test_what_is_evaluated_of_the_store_is_what_the_file_says(
    service: Running, store: str, tmp_path: Path
) -> None:
    """Every figure: sessions, marks reached, attacks by kind and how soon; and nothing of an empty store."""
    log = invented(tmp_path)
    labels = log.with_suffix(".labels.jsonl")
    asked = ("evaluate", "--kind", "session", "--labels", labels, "--detectors-alone", "--json")
    assert "empty_file" in run(*asked, "--input", store, status=2)
    await reported(service, log)
    of_file, of_store = (msgspec.json.decode(run(*asked, "--input", source)) for source in (log, store))
    assert of_store == of_file
    assert of_file["attack_sessions"] > 0
    assert of_file["events"] == len(lines_of(log))


@pytest.mark.long
async def test_a_model_of_the_store_is_that_of_the_file_to_the_byte(
    service: Running, store: str, tmp_path: Path
) -> None:
    """Signature, card and version included."""
    log = invented(tmp_path, rows=7_000, people=100, days=12)
    await reported(service, log)
    found = []
    for number, source in enumerate((log, store)):
        folder = tmp_path / f"model{number}"
        asked = ["train", "--kind", "session", "--input", source, "--labels", log.with_suffix(".labels.jsonl")]
        run(*asked, "--model_dir", folder, "--key", tmp_path / "keys" / "signing.key")
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert found[0] == found[1]
