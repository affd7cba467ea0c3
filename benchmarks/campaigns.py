"""Campaign detection over an event store of any size: how long it takes, the most memory, and when a new event counts.

The store is invented (synthetic): people with homes, offices and carriers, and a campaign of 40 bots for each million
events. It is written once into a SQLite file under `var/benchmarks`, and looked at by a process of its own.
"""

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.training import KEPT, Stage, Watch, show
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SystemRandomness
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from risk_scorer.adapters.storage import open_database
from risk_scorer.campaigning import campaign_watch

EVENTS: Final = (1_000_000, 3_000_000, 10_000_000)
"""Ten millions are a day of the usual claim."""
EVENTS_A_PERSON: Final = 14
NOW: Final = 1_760_000_000.0
DAY: Final = 86_400.0
BOTS, BOT_EVENTS = 40, 60
OFFICE_PEOPLE: Final = 200
FRESH: Final = 7000
"""Events of one minute where ten millions come a day."""
FINGERPRINTS: Final = 60
POPULAR: Final = tuple(number for number in range(FINGERPRINTS) for _ in range(600 // (number + 1)))
"""Programs as they are spread: the most popular has a fifth of all people, the rarest one in three hundred."""
RARE: Final = 20_000
"""Of a hundred people one has a program that few others have."""
AGENTS: Final = 400
INSERT: Final = (
    "INSERT INTO activity_events (event_id, ts, user_id, session_id, client_id, ip, prefix, asn, country, device_id,"
    " ja4, user_agent, browser, endpoint, method, status, latency_ms, bytes_in, bytes_out, service, trace_id,"
    " event_type, score, signals)"
    " VALUES (?, ?, ?, '', '', ?, '', 0, '', ?, ?, ?, '', '', 'GET', ?, NULL, 0, 0, '', '', '', 0.0, '[]')"
)

Row = tuple[Any, ...]


def measure(console: Console, *, events: Sequence[int]) -> None:
    """Prints a table with a column a size."""
    found: dict[int, list[Stage]] = {}
    for size in events or EVENTS:
        store = invented(size, console)
        console.print(f"looking for campaigns among {size:,} events …")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found[size], told = alone.submit(run, store, size).result()
        console.print(told)
    show(found, console)


def invented(events: int, console: Console) -> Path:
    """The store with so many events, made unless it is there."""
    store = KEPT / f"campaigns-{events}.db"
    if not store.exists():
        console.print(f"inventing {events:,} events …")
        store.parent.mkdir(parents=True, exist_ok=True)
        draft = store.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        open_database(f"sqlite:///{draft}").close()
        with sqlite3.connect(draft) as connection:
            connection.executemany(INSERT, rows(events))
        connection.close()
        draft.rename(store)
    return store


def run(store: Path, events: int) -> tuple[list[Stage], str]:
    """The stages: all of a day by a process that has just started, then a minute's worth of new events; and what was
    found."""
    watch = Watch()
    database = open_database(f"sqlite:///{store}")
    clock = FixedClock(NOW)
    _forget(database)
    looking = campaign_watch(
        database,
        clock=clock,
        randomness=SystemRandomness(),
        window_seconds=DAY,
        kept_days=90,
        told=SignalOutbox(),
        incidents=None,
    )
    began = time.process_time()
    first = looking.look()
    first_seconds = time.process_time() - began
    watch.ended("a day, from nothing")
    clock.advance(60.0)
    with sqlite3.connect(store) as connection:
        connection.executemany(INSERT, _people(FRESH, events // EVENTS_A_PERSON, random.Random(2), since=NOW))
    watch.ended(f"write {FRESH:,} more")
    began = time.process_time()
    again = looking.look()
    again_seconds = time.process_time() - began
    watch.ended("with a minute more")
    watch.close()
    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM activity_events WHERE ts >= ?", (NOW,))
    database.close()
    if first is None or again is None:
        raise RuntimeError("nobody else looks at this store")
    planned = max(1, events // 1_000_000)
    told = (
        f"{first.campaigns} campaigns found of {planned} invented, {first.accounts:,} accounts, {again.read:,} new"
        f" read; {first_seconds:.1f} and {again_seconds:.1f} s of processor time for the first look and the next"
    )
    return watch.stages, told


def _forget(database: Database) -> None:
    """What an earlier measurement found."""
    with database.engine.begin() as connection:
        for table in (
            "campaigns",
            "campaign_members",
            "campaign_signals",
            "campaign_looks",
            "account_scores",
            "outbox",
        ):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names


def rows(events: int) -> Iterator[Row]:
    """The events of a day, about in their order."""
    chance = random.Random(1)
    campaigns = max(1, events // 1_000_000)
    for number in range(campaigns):
        yield from _bots(number, chance)
    yield from _people(events - campaigns * BOTS * BOT_EVENTS, events // EVENTS_A_PERSON, chance, since=NOW - DAY)


def _people(events: int, people: int, chance: random.Random, *, since: float) -> Iterator[Row]:
    """People who come at any time; every tenth works in an office of two hundred behind one address."""
    step = (DAY if since < NOW else 60.0) / events
    for number in range(events):
        who = int(people * chance.random())
        if who % 10 == 0 and number % 2:
            address = f"198.51.{who // 10 // OFFICE_PEOPLE // 250}.{who // 10 // OFFICE_PEOPLE % 250}"
        else:
            home = who // 2
            address = f"{20 + home // 2**24 % 100}.{home // 2**16 % 256}.{home // 2**8 % 256}.{home % 256}"
        status = 403 if chance.random() < 0.02 else 200
        program = POPULAR[who % len(POPULAR)] if who % 97 else FINGERPRINTS + who % RARE
        agent = f"Mozilla/5.0 ({who % 7}) Browser/{who % AGENTS}"
        at = since + number * step
        yield (f"e{number}", at, f"person-{who}", address, f"device-{who}", f"t13d-{program}", agent, status)


def _bots(campaign: int, chance: random.Random) -> Iterator[Row]:
    """Forty accounts, each behind a proxy of its own, in one rhythm and with one program."""
    beat, began = chance.uniform(5.0, 90.0), NOW - chance.uniform(2.0, 20.0) * 3600.0
    for bot in range(BOTS):
        at = began + chance.random() * beat
        for number in range(BOT_EVENTS):
            name, address = f"bot-{campaign}-{bot}", f"45.{campaign}.{bot}.9"
            event = f"b{campaign}-{bot}-{number}"
            yield (event, at, name, address, f"device-{name}", f"t13d-bot-{campaign}", "Mozilla/5.0 Bot", 200)
            at += beat * chance.uniform(0.95, 1.05)
