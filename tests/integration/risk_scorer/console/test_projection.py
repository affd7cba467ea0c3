"""The log as rows of the console: in order, once, behind the log, with what was said since."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.projection import Projection, add, logins_of, viewed
from risk_scorer.adapters.console.sign_in_retention import SignInAges, SignInMonths
from risk_scorer.adapters.console.sign_in_words import KEPT_SECONDS, say
from risk_scorer.adapters.console.told_words import say_decisions
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.contract.decisions import Decision
from risk_scorer.core.console.sign_in import Word
from risk_scorer.flows.ports import Lesson
from tests.integration.risk_scorer.console.logins import ids, log, login, taken
from tests.integration.risk_scorer.observations import NOW, observation

pytestmark = pytest.mark.anyio
RunSql = Callable[[str], list[tuple[Any, ...]]]
ROWS = "SELECT event_id FROM sign_ins ORDER BY seq"
SAID = "SELECT event_id, decision, rule, factor, client_id, outcome, verdict FROM sign_ins ORDER BY seq"


@pytest.fixture
def projection(database: Database, clock: FixedClock) -> Projection:
    return Projection(database, clock=clock)


async def test_each_login_of_the_log_is_one_row_with_all_that_a_page_shows(
    database: Database, projection: Projection, run_sql: RunSql
) -> None:
    """In the order of the log; a second look adds nothing."""
    log(database, login("e1", score=65.0), login("e2"))
    log(database, login("e1", score=3.0), login("e3", ip="2001:db8::1", kind="refresh"))
    await taken(projection)
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e1", "e2", "e3"]
    told = run_sql(
        "SELECT ts, user_id, kind, level, score, ip, prefix, asn, asn_name, country, region, city, device_id, browser,"
        " os, ja4, reasons, model_version, dominant, decision, outcome, verdict FROM sign_ins WHERE event_id = 'e1'"
    )
    assert told == [
        (NOW, "alice", "login", "medium", 65.0, "198.51.100.9", "198.51.100.0/24", 64500, "Example", "DE", "Bavaria",
         "Munich", "dev-1", "Firefox", "Linux", "t13d_1", "new_device new_country", "test-1", "new_country", "", "", "")
    ]  # fmt: skip
    assert run_sql("SELECT kind, prefix FROM sign_ins WHERE event_id = 'e3'") == [("refresh", "2001:db8::/48")]


async def test_that_all_of_the_log_is_there_is_told_once_it_was(database: Database, projection: Projection) -> None:
    """Not before, so that an alert can be about its absence."""
    log(database, login("e1"))
    assert [await projection.advance(), projection.taken_at] == [1, None]  # the mark
    assert [await projection.advance(), projection.taken_at] == [1, None]
    assert [await projection.advance(), projection.taken_at] == [0, NOW]


async def test_a_process_that_dies_between_two_pieces_leaves_no_row_out_and_none_twice(
    database: Database, clock: FixedClock, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of the first piece are on the disk and the mark is not moved: the next process finds them."""
    monkeypatch.setattr("risk_scorer.adapters.console.projection.PIECE", 2)
    log(database, *(login(f"e{number}") for number in range(5)))
    dying = Projection(database, clock=clock)
    assert await dying.advance() == 1  # the mark
    view = database.read(partial(viewed, now=NOW))
    assert view is not None
    pieces = [login for row in view.rows for login in logins_of(row)][:2]
    assert await database.write(partial(add, piece=pieces, version=view.version, now=NOW))
    assert ids(run_sql(ROWS)) == ["e0", "e1"]
    await taken(Projection(database, clock=clock))
    assert ids(run_sql(ROWS)) == [f"e{number}" for number in range(5)]


async def test_what_two_processes_read_at_once_is_written_by_one(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """The one that comes second finds the mark moved, and writes nothing."""
    await projection.advance()
    log(database, login("e1"))
    view = database.read(partial(viewed, now=NOW))
    assert view is not None
    await taken(projection)
    assert not await Projection(database, clock=clock).take(view, NOW)
    assert ids(run_sql(ROWS)) == ["e1"]


async def test_a_row_that_is_committed_after_a_later_one_is_taken_too(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """Two writers have numbers 7 and 8, and 8 is there first; a number that never comes is given up."""
    numbered = "INSERT INTO scored_events (id, events, ts_scored, body) VALUES ({}, 1, {}, {})"
    is_file = database.engine.dialect.name == "sqlite"

    def row(number: int) -> str:
        body = msgspec.json.encode([login(f"e{number}")]).hex()
        return numbered.format(number, NOW, f"x'{body}'" if is_file else f"'\\x{body}'")

    run_sql(row(5))
    await taken(projection)
    run_sql(row(8))
    await taken(projection)
    run_sql(row(7))
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e5", "e8", "e7"]
    clock.advance(61)
    run_sql(row(6))
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e5", "e8", "e7"]


async def test_a_number_that_the_file_gives_again_is_another_login(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """The newest rows of the log went, by an erasure or for their age; what comes next is not taken for them."""
    log(database, login("e1", user_id="bob"))
    log(database, login("e2"))
    await taken(projection)
    erase_person(database, "alice")
    log(database, login("e3", user_id="bob"))
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e1", "e3"]
    events = EventLog(database, recent_max=3, clock=clock, announce_to=None, wake_delivery=lambda: None)
    assert await events.prune(NOW + 1) == 2
    log(database, login("e4", user_id="bob"))
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e1", "e3", "e4"]


async def test_a_person_who_is_erased_does_not_come_back_by_what_was_read_before(
    database: Database, projection: Projection, run_sql: RunSql
) -> None:
    """Rows that were read from the log and not written yet are void."""
    await projection.advance()
    log(database, login("e1"), login("e2", user_id="bob"))
    view = database.read(partial(viewed, now=NOW))
    assert view is not None
    erase_person(database, "alice")
    assert not await projection.take(view, NOW)
    await taken(projection)
    assert ids(run_sql(ROWS)) == ["e2"]
    assert erase_person(database, "bob").sign_ins == 1
    assert run_sql(ROWS) == []


async def test_what_is_said_comes_to_the_row_in_whatever_order(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """A decision before its row, an outcome after it; twice is once; a failure after a success changes nothing."""
    asked = Decision(event_id="e1", decision="challenge", rule="medium", client_id="shop", at=NOW)
    answered = Word(event_id="e1", decision="challenge", factor="totp", outcome="mfa_passed")
    database.write_sync(lambda tx: say_decisions(tx, [asked, asked], NOW))
    await taken(projection)
    assert run_sql("SELECT count(*) FROM sign_in_words") == [(2,)]
    log(database, login("e1"), login("e2"))
    clock.advance(1)
    await taken(projection)
    assert run_sql(SAID)[0] == ("e1", "challenge", "medium", "", "shop", "", "")
    database.write_sync(lambda tx: say(tx, [answered, Word(event_id="e1", outcome="mfa_failed")], clock.now()))
    database.write_sync(lambda tx: say(tx, [Word(event_id="e2", verdict="dismissed")], clock.now()))
    await taken(projection)
    assert run_sql(SAID) == [
        ("e1", "challenge", "medium", "totp", "shop", "mfa_passed", ""),
        ("e2", "", "", "", "", "", "dismissed"),
    ]
    assert run_sql("SELECT count(*) FROM sign_in_words") == [(0,)]


async def test_words_of_logins_that_have_no_row_go_after_a_day(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """They are looked for ever more rarely, so that they cost nothing."""
    database.write_sync(lambda tx: say(tx, [Word(event_id="unknown", outcome="success")], NOW))
    looks = 0
    while run_sql("SELECT count(*) FROM sign_in_words") == [(1,)]:
        looks += await projection.advance()
        clock.advance(1 if looks < 5 else 3600)
    assert looks < 20
    assert clock.now() - NOW > KEPT_SECONDS


async def test_logins_from_before_the_table_have_what_was_known_of_them(
    database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock
) -> None:
    """The first look after an upgrade finds verdicts and outcomes where they are kept."""
    seen = msgspec.structs.replace(observation(), event_id="e1")
    await ProfileStore(database, clock=clock).learn([Lesson(event_id="e1", observation=seen, outcome="mfa_passed")])
    run_sql("DELETE FROM sign_in_words")
    log(database, login("e1"), login("e2"))
    clock.advance(3600)
    await taken(projection)
    assert run_sql("SELECT event_id, outcome FROM sign_ins ORDER BY seq") == [("e1", "mfa_passed"), ("e2", "")]


async def test_a_failure_without_a_score_waits_for_no_row(
    database: Database, run_sql: RunSql, clock: FixedClock
) -> None:
    """Wrong passwords are many and have no row; a login that was scored and failed has one."""
    log(database, login("scored"))
    lessons = [
        Lesson(event_id=name, observation=msgspec.structs.replace(observation(), event_id=name), outcome="failure")
        for name in ("scored", "guessed")
    ]
    await ProfileStore(database, clock=clock).learn(lessons)
    assert run_sql("SELECT event_id, outcome FROM sign_in_words") == [("scored", "failure")]


async def test_old_rows_go(database: Database, projection: Projection, run_sql: RunSql, clock: FixedClock) -> None:
    """A file row by row, a server by whole months."""
    log(database, login("old", ts=NOW - 100 * 86_400.0), login("new"))
    await taken(projection)
    is_file = database.engine.dialect.name == "sqlite"
    store = SignInAges(database) if is_file else SignInMonths(database, clock=clock)
    await store.prune(NOW - 90 * 86_400.0)
    assert ids(run_sql(ROWS)) == (["new"] if is_file else ["old", "new"])
    clock.advance(3650 * 86_400.0)
    await store.prune(clock.now())
    assert run_sql(ROWS) == []
