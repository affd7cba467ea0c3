"""The invented activity log: repeatable, in order, with every kind of attack and of look-alike, in bounded memory."""

import collections
import csv
import functools
from pathlib import Path

import msgspec
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from training.activity.attacks import BOTS, SHARES
from training.activity.event import Event, Session
from training.activity.log import MAX_ROWS, MOST_DAYS, Plan, events, planned
from training.activity.rows import COLUMNS, flat
from training.cli import app
from training.refusals import WrongInputError

SMALL = Plan(rows=9_000, people=240, days=14, seed=3)
LOOK_ALIKES = {
    "office_nat",
    "carrier_nat",
    "wifi_to_mobile",
    "month_end",
    "on_call_night",
    "role_change",
    "slow_server",
}


@functools.cache
def whole(plan: Plan) -> tuple[list[Event], list[Session]]:
    """The log and its sessions, made once for all tests."""
    told: list[Session] = []
    return list(events(plan, told.append)), told


def test_events_come_in_order_and_once() -> None:
    """No event comes before an earlier one, none twice, and each session is whole."""
    log, told = whole(SMALL)
    assert log == sorted(log, key=lambda event: (event.moment, event.session_id, event.number))
    assert len({event.event_id for event in log}) == len(log) == sum(len(each.events) for each in told)
    assert len({each.session_id for each in told}) == len(told)


def test_there_are_about_as_many_events_as_were_asked_for() -> None:
    """Within a quarter of the rows of the plan; each kind of attack is there, however small the log."""
    log, told = whole(SMALL)
    assert 0.75 < len(log) / SMALL.rows < 1.25
    assert {each.kind for each in told if each.is_attack} == set(SHARES)


def test_look_alikes_are_no_attacks() -> None:
    """Every kind of harmless session that looks like an attack is there, and has no hostile event."""
    _, told = whole(Plan(rows=30_000, people=400, days=21, seed=5))
    assert {each.kind for each in told if each.kind and not each.is_attack} == LOOK_ALIKES
    assert not any(event.hostile for each in told if not each.is_attack for event in each.events)
    assert all(any(event.hostile for event in each.events) for each in told if each.is_attack)


def test_a_campaign_is_many_accounts_of_one_fingerprint_behind_many_proxies() -> None:
    """Twelve bots, twelve addresses, one JA4, one rhythm; nobody else uses these accounts."""
    log, told = whole(SMALL)
    bots = [each for each in told if each.kind == "campaign"]
    accounts = {each.user_id for each in bots}
    assert len(accounts) == len({event.ip for each in bots for event in each.events}) == BOTS
    assert len({event.ja4 for each in bots for event in each.events}) == 1
    assert {event.session_id for event in log if event.user_id in accounts} == {each.session_id for each in bots}


def test_an_office_has_one_address_and_many_people() -> None:
    """Two hundred people of five hundred work behind one address."""
    _, told = whole(Plan(rows=30_000, people=400, days=21, seed=5))
    office = [each for each in told if each.kind == "office_nat"]
    assert len({each.events[0].ip for each in office}) == 1
    assert len({each.user_id for each in office}) > 150


def test_what_a_thief_does_has_the_owners_session_and_another_network() -> None:
    """A stolen session is one session of two networks and two fingerprints."""
    _, told = whole(SMALL)
    for each in (each for each in told if each.kind == "stolen_session"):
        sides = collections.defaultdict(set)
        for event in each.events:
            sides[event.hostile].add((event.asn, event.ja4))
        assert sides[True]
        assert sides[False]
        assert not sides[True] & sides[False]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_same_seed_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    """Log and labels are repeated to the byte in every format, and another seed gives another log."""
    written = {}
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        run("--rows", 600, "--days", 3, "--seed", seed, "--out", tmp_path / f"{name}.{kind}")
        written[name] = [(tmp_path / f"{name}.{end}").read_bytes() for end in (kind, "labels.jsonl")]
    assert written["a"] == written["b"]
    assert written["a"] != written["c"]


def test_all_formats_say_the_same(tmp_path: Path) -> None:
    """CSV and Parquet have the same rows, JSON lines the same events in the same order; labels stand in no log."""
    for kind in ("csv", "jsonl", "parquet"):
        run("--rows", 600, "--days", 3, "--out", tmp_path / f"log.{kind}")
    lines = [msgspec.json.decode(line) for line in (tmp_path / "log.jsonl").read_bytes().splitlines()]
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    columns = parquet.read_table(tmp_path / "log.parquet").to_pylist()
    assert [str(value) for row in columns for value in row.values()] == [text for row in table for text in row.values()]
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in table]
    assert not {"label", "kind", "hostile"} & set(COLUMNS)


def test_a_row_counts_its_session_so_far() -> None:
    """Duration and number of events are those until this event: nothing of what comes later is in a row."""
    _, told = whole(SMALL)
    session = max(told, key=lambda each: len(each.events))
    rows = [flat(event) for event in session.events]
    assert [row["events_in_session"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["session_duration_sec"] == 0.0
    assert rows[-1]["session_duration_sec"] == pytest.approx(session.events[-1].moment - session.events[0].moment)


@pytest.mark.parametrize(
    ("rows", "people", "days", "code"),
    [
        (499, None, 21, "bad_row_count"),
        (MAX_ROWS + 1, None, 21, "bad_row_count"),
        (1_000, 19, 21, "bad_people_count"),
        (1_000, 20, 0, "bad_day_count"),
        (1_000, 20, MOST_DAYS + 1, "bad_day_count"),
    ],
)
def test_what_cannot_be_invented_is_refused(rows: int, people: int | None, days: int, code: str) -> None:
    """Each limit has its code."""
    with pytest.raises(WrongInputError) as refused:
        planned(rows, people, days, 7)
    assert refused.value.code == code


@pytest.mark.parametrize("given", [["--out", "a.txt"], ["--out", "a"]])
def test_a_log_of_no_known_format_is_refused(given: list[str]) -> None:
    """The name of the file says its format."""
    result = CliRunner().invoke(app, ["simulate", "--kind", "activity", *given])
    assert result.exit_code == 2
    assert "bad_format" in result.output


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, ["simulate", "--kind", "activity", *(str(each) for each in arguments)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("given", [["--schema", "rba"], ["--format", "parquet"]])
def test_what_is_of_logins_alone_is_refused(given: list[str], tmp_path: Path) -> None:
    """Nothing that was asked for is passed over in silence."""
    out = tmp_path / "a.csv"
    result = CliRunner().invoke(app, ["simulate", "--kind", "activity", "--out", str(out), *given])
    assert (result.exit_code, "usage" in result.output, out.exists()) == (2, True, False)
