"""The overview's figures: what they count, on both databases, and how the page and its fragment tell them."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import bindparam, insert

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.metrics import Meters
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.activity.event_rows import keep_risks
from risk_scorer.adapters.console.figure_rows import FigureRows
from risk_scorer.adapters.tables import incidents
from risk_scorer.core.console.attention import State
from risk_scorer.core.console.overview_read import DAY_SECONDS, Read
from risk_scorer.core.facts import IpFacts
from risk_scorer.core.reasons import BASELINE
from risk_scorer.flows.activity.ports import Risk
from risk_scorer.flows.console.figures import KEPT_SECONDS, STALE_SECONDS, TIMED_SECONDS, FigureDesk
from tests.integration.risk_scorer.console.logins import log
from tests.integration.risk_scorer.console.logins import login as scored_login
from tests.integration.risk_scorer.console.signing import by_link, form_token
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_views import NOW, keep_logins, login, say

pytestmark = pytest.mark.anyio
USUAL_INCIDENT: dict[str, Any] = {"state": "open", "owner": "", "score": 90.0, "body": b"{}", "version": 1}
LONG = "a long name & more " * 4
PUBLIC = ("198.51.100.9", "8.8.8.8", "1.1.1.1", "193.0.6.139")
MOST_BYTES = 150_000
KEEP_INCIDENT = Statement(
    insert(incidents).values(
        {name: bindparam(name) for name in (*USUAL_INCIDENT, "incident_id", "key", "opened_at", "updated_at")}
    )
)
RISKY = {"level": "high", "score": 85.0, "decision": "deny", "outcome": "", "reasons": "tor_exit new_device"}
PROMPTED = {"decision": "challenge", "factor": "totp", "outcome": "mfa_passed"}


def keep_incident(database: Database, name: str, opened_at: float, **facts: Any) -> None:
    values = {**USUAL_INCIDENT, "updated_at": opened_at, **facts}
    database.write_sync(lambda tx: tx.run(KEEP_INCIDENT, **values, incident_id=name, key=name, opened_at=opened_at))


def keep_session(database: Database, name: str, score: float, at: float, *codes: str) -> None:
    held = [{"code": code, "points": score / len(codes)} for code in codes]
    signals = msgspec.json.encode([*held, {"code": BASELINE, "points": 1.0}, {"code": "pardoned", "points": 0.0}])
    risk = Risk(
        session_id=name, user_id="eve", score=score, nats=9.0, signals=signals, attack_likelihood=None,
        model_version="", told=0, events=3, started_at=at - 60.0, updated_at=at,
    )  # fmt: skip
    database.write_sync(lambda tx: keep_risks(tx, [risk], frozenset()))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the house and all who come."""
    return "asyncio"


async def test_figures_count_what_they_say(database: Database) -> None:
    """Each within its span: refusals, people who were asked, places, risky people, words and incidents."""
    keep_logins(
        database,
        [
            login("ann", NOW - 30),
            login("bob", NOW - 30, **PROMPTED),
            login("bob", NOW - 90, kind="refresh"),
            login("eve", NOW - 4_000, **RISKY, country="PE", city="Lima", ip="198.51.100.77"),
            login("eve", NOW - 4_001, **{**RISKY, "score": 99.0}, verdict="confirmed_safe"),
            login("mal", NOW - 4_002, **{**PROMPTED, "outcome": "mfa_failed"}, level="medium", score=70.0),
            login("old", NOW - DAY_SECONDS - 60, **RISKY),
        ],
    )
    say(database, f"eve-{NOW - 4_001}", NOW - 3_001)
    keep_incident(database, "inc-1", opened_at=NOW - 500, state="closed", updated_at=NOW - 200)
    keep_incident(database, "inc-2", opened_at=NOW - 900)
    keep_incident(database, "inc-3", opened_at=NOW - 950, owner="mara")
    keep_incident(database, "inc-4", opened_at=NOW - 800)
    found = await FigureRows(database).read(NOW)
    assert sum(found.minutes.values()) == 3
    assert found.minutes[int((NOW - 30) // 60)] == 2
    assert (found.denied, found.not_shown, found.is_more) == (1, 1, False)
    assert (found.people, found.prompted, found.walked, found.is_walk_whole) == (2, 1, 6, True)
    places = {(came.country, came.city): (came.count, came.denied, ip) for came, ip in found.places}
    assert places[("PE", "Lima")] == (1, 1, "198.51.100.77")
    assert {(each.user_id, each.verdict) for each in found.risky} == {
        ("eve", ""),
        ("eve", "confirmed_safe"),
        ("mal", ""),
    }
    assert found.verdict_seconds == (pytest.approx(1_000.0),)
    assert found.close_seconds == (pytest.approx(300.0),)
    assert found.waiting is not None
    assert (found.waiting.count, found.waiting.incident_id) == (2, "inc-2")
    assert found.behind_since is None


async def test_what_was_found_in_the_risky_sessions_of_a_day_is_read(database: Database) -> None:
    """What is held against each after its last event, and not that it began above nothing."""
    keep_session(database, "ses-1", 85.0, NOW - 60, "volume", "unusual_hour")
    keep_session(database, "ses-2", 60.0, NOW - 30, "volume")
    keep_session(database, "calm", 59.9, NOW - 30, "volume")
    keep_session(database, "old", 99.0, NOW - DAY_SECONDS - 60, "volume")
    assert (await FigureRows(database).read(NOW)).sessions == ("volume", "volume unusual_hour")


async def test_what_the_projector_has_not_taken_is_seen(database: Database) -> None:
    """By when the oldest of it was scored."""
    log(database, scored_login("evt-1", ts=NOW - 400.0))
    log(database, scored_login("evt-2", ts=NOW - 300.0))
    assert (await FigureRows(database).read(NOW)).behind_since == NOW - 400.0


async def test_an_empty_store_has_figures(database: Database) -> None:
    """All of them nought or none."""
    found = await FigureRows(database).read(NOW)
    assert (found.minutes, found.denied, found.people, found.places, found.waiting) == ({}, 0, 0, (), None)


class Rows:
    """Counts how often it is asked; refuses when told to."""

    def __init__(self, read: Read) -> None:
        self.read_of, self.asked, self.refuses = read, 0, False
        self.gate: asyncio.Event | None = None

    async def read(self, now: float) -> Read:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses:
            raise Refused("storage_unavailable", "", status=503)
        return self.read_of


class Process:
    """What a process would say: all well, and no answers but those that were put there."""

    def __init__(self) -> None:
        self.buckets = {0.01: 0.0, math.inf: 0.0}

    def budget(self) -> float:
        return 0.02

    def timed(self) -> dict[float, float]:
        return dict(self.buckets)

    def networks(self, addresses: Sequence[str]) -> list[IpFacts]:
        return [IpFacts(country="US", latitude=40.0, longitude=-75.0) for _ in addresses]

    async def state(self) -> State:
        return State(
            now=0.0, has_model=True, late_seconds=0.0, waiting=None, campaigns=0, is_gateway_away=False,
            prompts="unknown", drifted=0, deliveries_fail=False, tables_age_days=1.0, tables_most_days=180.0,
        )  # fmt: skip


async def desk_of(database: Database) -> tuple[FigureDesk, Rows, Process, FixedClock]:
    keep_logins(database, [login("ann", NOW - 30), login("eve", NOW - 40, **RISKY, country="PE")])
    rows, process, clock = Rows(await FigureRows(database).read(NOW)), Process(), FixedClock(NOW)
    return FigureDesk(rows, process, clock=clock), rows, process, clock


async def test_figures_are_read_once_for_all_who_look(database: Database) -> None:
    """Again after seconds; and while the storage refuses the last ones stand, with their age."""
    desk, rows, _, clock = await desk_of(database)
    first = await asyncio.gather(desk.figures(), desk.figures())
    assert (rows.asked, first[0] is first[1]) == (1, True)
    clock.advance(KEPT_SECONDS)
    rows.refuses = True
    assert (await desk.figures()).at == NOW
    rows.refuses = False
    assert (await desk.figures()).at == NOW + KEPT_SECONDS
    rows.refuses = True
    with pytest.raises(Refused):
        await FigureDesk(rows, Process(), clock=clock).figures()


async def test_a_page_that_has_figures_does_not_wait_for_new_ones(database: Database) -> None:
    """For long, that is: it shows what it has, called old after a minute, and the next one has the new ones."""
    desk, rows, _, clock = await desk_of(database)
    await desk.figures()
    rows.gate = asyncio.Event()
    clock.advance(KEPT_SECONDS)
    shown = await desk.figures()
    assert (shown.at, desk.is_old(shown)) == (NOW, False)
    clock.advance(STALE_SECONDS)
    shown = await desk.figures()
    assert (shown.at, desk.is_old(shown)) == (NOW, True)
    rows.gate.set()
    async with asyncio.timeout(20.0):
        while desk.is_old(shown := await desk.figures()):
            pass
    assert shown.at > NOW


async def test_only_places_in_the_country_that_was_told_are_on_the_map(database: Database) -> None:
    """An address that is elsewhere by the tables says nothing of where somebody is."""
    desk, _, _, _ = await desk_of(database)
    found = await desk.figures()
    assert [(came.country, came.where) for came in found.places] == [("PE", None), ("US", (40.0, -75.0))]
    assert (len(found.signs), found.unplaced) == (1, 1)
    assert [each.user_id for each in found.people] == ["eve"]


async def test_a_p95_is_about_the_last_minutes(database: Database) -> None:
    """Once the process is that old; before, about all that it answered."""
    desk, _, process, clock = await desk_of(database)
    process.buckets = {0.01: 0.0, math.inf: 100.0}
    assert ((await desk.figures()).timed.count, (await desk.figures()).timed_since) == (100, NOW)
    clock.advance(TIMED_SECONDS)
    process.buckets = {0.01: 50.0, math.inf: 150.0}
    found = await desk.figures()
    assert (found.timed.count, found.timed.at_most_ms, found.timed_since) == (50, 10.0, NOW)


def test_buckets_of_a_histogram_are_read_by_their_labels() -> None:
    """Those of all other labels together; a histogram that nobody used has none."""
    meters = Meters()
    seconds = meters.histogram("took_seconds", "", ["route", "status"], buckets=(0.1, 1.0))
    assert meters.buckets("took_seconds", route="/score") == {}
    for route, status, took in (("/score", "200", 0.05), ("/score", "422", 0.5), ("/other", "200", 0.05)):
        seconds(route, status).observe(took)
    assert meters.buckets("took_seconds", route="/score") == {0.1: 1.0, 1.0: 2.0, math.inf: 2.0}


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """With a few sign-ins, one by somebody with a hostile name; nothing changes anything here."""
    async with running(tmp_path_factory.mktemp("overview"), clock=FixedClock(NOW)) as started:
        (await started.client.post("/score", json={**EVENT, "event_id": "evt-1"})).raise_for_status()
        hostile = login("<script>x</script>", NOW - 50, **RISKY, country="PE", city="<b>Lima", ip="203.0.113.9")
        texts = dict.fromkeys(("device_id", "city", "asn_name", "rule"), LONG)
        many = [login(f"{n}-{LONG}", NOW - 70 - n, ip=PUBLIC[n % 4], **texts, **RISKY) for n in range(150)]
        keep_logins(started.scorer.database, [hostile, login("ann", NOW - 60), *many])
        keep_session(started.scorer.database, "ses-1", 90.0, NOW - 60, "volume")
        keep_incident(started.scorer.database, "inc-9", opened_at=NOW - 900)
        await by_link(started, "reader")
        del started.client.headers["authorization"]
        yield started


async def test_the_overview_says_everything_it_promises(house: Running) -> None:
    """Each figure under its name, what strangers typed as text, and the way on."""
    html = (await house.client.get("/dashboard")).text
    for title in (
        "What needs attention", "Decisions a minute", "Attacks stopped", "People prompted", "Time to remediate",
        "Risky users now", "Scorer", "Where they came from", "Detections", "Newest decisions",
    ):  # fmt: skip
        assert title in html, title
    assert "<script>x" not in html
    assert "<b>Lima" not in html
    assert 'href="/dashboard/incidents/inc-9"' in html
    assert "T1090.003" in html
    assert "Automated Exfiltration" in html
    assert re.search(r"over 1 answers of it", html)
    assert f'Model</dt><dd><a href="/dashboard/model">{house.scorer.model_version()}' in html


async def test_the_fragment_is_what_a_page_puts_anew(house: Running) -> None:
    """The same parts by their names, small, and without the ground of the map."""
    html = (await house.client.get("/dashboard")).text
    fragment = (await house.client.get("/dashboard/figures?fragment=1")).text
    parts = re.findall(r'data-part="(\w+)"', html)
    assert re.findall(r'data-part="(\w+)"', fragment) == parts
    assert len(set(parts)) == len(parts) >= 6
    assert "<html" not in fragment
    assert len(fragment) < 40_000
    assert re.search(r'<path d="M', html)
    assert not re.search(r'<path d="M', fragment)


async def test_the_first_view_is_small_however_much_there_is(house: Running) -> None:
    """With everything that it makes a browser load."""
    html = (await house.client.get("/dashboard")).text
    assert html.count("data-event=") >= 50
    parts = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html))
    assert len(parts) >= 4
    loaded = [len((await house.client.get(each)).content) for each in sorted(parts)]
    assert len(html.encode()) + sum(loaded) < MOST_BYTES


async def test_no_figure_shows_an_address(house: Running) -> None:
    """Places are named by cities, whether or not the session is veiled."""
    token = await form_token(house)
    assert "203.0.113.9" not in (await house.client.get("/dashboard/figures")).text
    assert token
