"""The console over any number of sign-ins: how long the server takes for each way of asking for them and for every
view, p50 and p95, by the clock and of the processor.

The rows are invented (synthetic): ninety days of people with devices, homes and networks, a few of each hundred risky.
They are written once into a SQLite file under `var/benchmarks`, or another folder, past the log that makes them in
life, and used again as long as the file is there.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from benchmarks.console_company import with_company
from benchmarks.console_figures import figure_times
from benchmarks.console_pages import page_times, with_campaign
from benchmarks.console_times import Took, show, took
from benchmarks.console_values import (
    CODES,
    COUNTRIES,
    NOW,
    ROWS_A_PERSON,
    SPAN,
    Drawn,
    device_of,
    event_of,
    ja4_of,
    user_of,
)
from benchmarks.console_views import view_times
from benchmarks.training import KEPT
from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.adapters.event_places import event_key
from risk_scorer.adapters.storage import open_database
from risk_scorer.adapters.tables import sign_ins
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.sign_in_page import Cursor
from risk_scorer.flows.console.sign_ins import SignIns

ROWS: Final = 300_000
ASKED: Final = 40
"""Times that each is asked, with another value each time."""
PIECE: Final = 50_000
NAMES: Final = tuple(column.name for column in sign_ins.columns if column.name != "seq")
INSERT: Final = f"INSERT INTO sign_ins ({', '.join(NAMES)}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608


def measure(console: Console, *, rows: Sequence[int], folder: Path | None = None) -> bool:
    """Prints two tables for each size; whether every p95 is within the aim."""
    is_met = True
    for size in rows or (ROWS,):
        store = with_company(with_campaign(invented(size, folder or KEPT, console), NOW))
        title = f"{size:,} synthetic sign-ins, {store.stat().st_size / 1e9:.2f} GB"
        database = open_database(f"sqlite:///{store}")
        figures = asyncio.run(_asked(database, size))
        database.close()
        is_met &= show(figures, f"{title}: what pages ask for", console)
        views = asyncio.run(view_times(store, Drawn(size), times=ASKED))
        is_met &= show(views, f"{title}: whole pages", console)
    return is_met


def invented(size: int, folder: Path, console: Console) -> Path:
    """The store with so many rows, made unless it is there."""
    store = folder.absolute() / f"console-{size}.db"
    if store.exists():
        open_database(f"sqlite:///{store}").close()  # what was added to its tables since
        return store
    console.print(f"inventing {size:,} sign-ins …")
    folder.mkdir(parents=True, exist_ok=True)
    making = store.with_suffix(".making")
    making.unlink(missing_ok=True)
    open_database(f"sqlite:///{making}").close()
    connection = sqlite3.connect(making)
    connection.execute("PRAGMA synchronous = OFF")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'sign_ins' AND type = 'index'")
    kept = [(name, sql) for name, sql in indexes if sql]
    for name, _ in kept:
        connection.execute(f"DROP INDEX {name}")
    for piece in _pieces(size):
        with connection:
            connection.executemany(INSERT, piece)
    for _, sql in kept:
        connection.execute(sql)
    connection.commit()
    connection.close()
    open_database(f"sqlite:///{making}").close()
    making.rename(store)
    return store


def _pieces(size: int) -> Iterator[Iterator[tuple[Any, ...]]]:
    chance, people = np.random.default_rng(1), max(20, size // ROWS_A_PERSON)
    for start in range(0, size, PIECE):
        yield _piece(chance, np.arange(start, min(size, start + PIECE)), size=size, people=people)


def _piece(chance: np.random.Generator, number: Any, *, size: int, people: int) -> Iterator[tuple[Any, ...]]:
    """So many rows, column by column: who comes often is known by a few devices, a home and one network."""
    many = len(number)
    who = (people * chance.random(many) ** 2).astype(np.int64)
    moved = np.where(chance.random(many) < 0.02, chance.integers(0, people, many), who)
    score = np.round(
        np.where(chance.random(many) < 0.97, 59 * chance.random(many), 60 + 40 * chance.random(many) ** 3), 1
    )
    level = np.where(score < 60, "low", np.where(score < 80, "medium", "high"))
    decision = np.where(level == "low", "allow", np.where(level == "medium", "challenge", "deny"))
    passed = np.where(chance.random(many) < 0.8, "mfa_passed", "mfa_failed")
    outcome = np.where(level == "low", "success", np.where(level == "medium", passed, ""))
    verdict = np.where(
        chance.random(many) < 0.001, "dismissed", np.where(chance.random(many) < 0.001, "confirmed_safe", "")
    )
    kind = np.where(chance.random(many) < 0.6, "refresh", "login")
    client = np.char.add("app-", (8 * chance.random(many) ** 2).astype(np.int64).astype(str))
    home, asn = moved // 2, 64_500 + (400 * ((moved * 7919 % people) / people) ** 3).astype(np.int64)
    country = np.array(COUNTRIES)[(len(COUNTRIES) * ((moved * 104_729 % people) / people) ** 3).astype(np.int64)]
    ja4 = (600 * ((who * 15_485_863 % people) / people) ** 3).astype(np.int64)
    codes = (chance.random((many, 2)) ** 2 * len(CODES)).astype(np.int64)
    for index, row in enumerate(zip(
        (NOW - SPAN + number * (SPAN / size)).tolist(), number.tolist(), who.tolist(), client.tolist(), kind.tolist(),
        level.tolist(), score.tolist(), decision.tolist(), outcome.tolist(), verdict.tolist(), home.tolist(),
        asn.tolist(), country.tolist(), (who * 3 + moved % 2).tolist(), ja4.tolist(), codes.tolist(), strict=True,
    )):  # fmt: skip
        yield _row(*row, is_ipv6=index % 10 == 0)


def _row(
    ts: float, number: int, who: int, client: str, kind: str, level: str, score: float, decision: str, outcome: str,
    verdict: str, home: int, asn: int, country: str, device: int, ja4: int, codes: list[int], *, is_ipv6: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """One row, in the order of the table's columns."""
    event = event_of(number)
    prefix = (
        f"2001:db8:{home % 65_536:x}::/48"
        if is_ipv6
        else f"{20 + home // 65_536}.{home // 256 % 256}.{home % 256}.0/24"
    )
    ip = prefix.replace("::/48", f"::{who % 65_536:x}") if is_ipv6 else prefix.replace("0/24", str(1 + who % 250))
    reasons = [CODES[code] for code in dict.fromkeys(codes)] if score > 20 else []
    rule = {"low": "low", "medium": "medium_risk", "high": "high_risk"}[level]
    factor = "totp" if decision == "challenge" else ""
    return (
        ts, event, event_key(event), user_of(who), client, kind, level, score, decision, rule, factor, outcome, verdict,
        ip, prefix, asn, f"Network {asn}", country, "Region", f"City {home % 5000}", device_of(device),
        "Firefox", "Linux", ja4_of(ja4), " ".join(reasons), "20260901T000000Z", reasons[0] if reasons else "",
    )  # fmt: skip


Ask = Callable[[SignIns, Drawn], Awaitable[object]]


def _page(place: Callable[[Drawn], Cursor] | None = None, **wanted: Any) -> Ask:
    """A page by values that are drawn, or always the same."""

    async def ask(desk: SignIns, drawn: Drawn) -> object:
        values: dict[str, Any] = {name: value(drawn) if callable(value) else value for name, value in wanted.items()}
        return await desk.page(SignInFilter(**values), None if place is None else place(drawn))

    return ask


ALONE: Final[dict[str, Ask]] = {
    "first page": _page(),
    "far page by cursor": _page(Drawn.place),
    "user": _page(user=Drawn.user),
    "address": _page(ip=Drawn.address),
    "network (/24)": _page(ip=Drawn.network),
    "ASN": _page(asn=Drawn.asn),
    "country": _page(country=Drawn.country),
    "device": _page(device=Drawn.device),
    "JA4": _page(ja4=Drawn.ja4),
    "level high": _page(level="high"),
    "level low": _page(level="low"),
    "decision deny": _page(decision="deny"),
    "decision allow": _page(decision="allow"),
    "outcome mfa_failed": _page(outcome="mfa_failed"),
    "verdict": _page(verdict="confirmed_safe"),
    "kind": _page(kind="refresh"),
    "rule": _page(rule="high_risk"),
    "rule that matches nothing": _page(rule="nowhere"),
    "application": _page(client=Drawn.client),
    "reason": _page(reason=Drawn.code),
    "score from 85": _page(least=85.0),
    "score 60 to 65": _page(least=60.0, most=65.0),
    "since": _page(since=Drawn.moment),
    "until": _page(until=Drawn.moment),
    "id begins as all do": _page(text="usr_"),
    "id begins with 8 signs": _page(text=Drawn.beginning),
}
TOGETHER: Final[dict[str, Ask]] = {
    "country and level high": _page(country=Drawn.country, level="high"),
    "country and ASN": _page(country=Drawn.country, asn=Drawn.asn),
    "ASN and reason, far": _page(Drawn.place, asn=Drawn.asn, reason=Drawn.code),
    "user and outcome": _page(user=Drawn.user, outcome="mfa_passed"),
    "JA4 and application": _page(ja4=Drawn.ja4, client="app-7"),
    "decision deny, a span": _page(decision="deny", since=NOW - SPAN / 2, until=NOW - SPAN / 3),
}
OTHERS: Final[dict[str, Ask]] = {
    "one": lambda desk, drawn: desk.one(drawn.event()),
    "around": lambda desk, drawn: desk.around(drawn.user(), drawn.moment(), 5),
    "neighbours by address": lambda desk, drawn: desk.neighbours("address", drawn.network(), NOW - 7 * 86_400.0),
    "neighbours by device": lambda desk, drawn: desk.neighbours("device", drawn.device()),
    "neighbours by fingerprint": lambda desk, drawn: desk.neighbours("fingerprint", drawn.ja4()),
}


async def _asked(database: Database, size: int) -> dict[str, list[Took]]:
    """Of each time that each way was asked."""
    desk, found = SignIns(SignInRows(database), clock=FixedClock(NOW)), dict[str, list[Took]]()
    drawn = Drawn(size)
    for name, ask in {**ALONE, **TOGETHER, **OTHERS}.items():
        drawn.chance.seed(name)
        found[name] = [await took(lambda ask=ask: ask(desk, drawn)) for _ in range(ASKED)]  # type: ignore[misc]
    found |= await figure_times(database, now=NOW, times=ASKED)
    return found | await page_times(database, drawn, times=ASKED)
