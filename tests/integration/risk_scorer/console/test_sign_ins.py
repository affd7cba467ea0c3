"""Pages of sign-ins: the same answers on both databases, and those that a look at every row gives."""

import random
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.console import sign_in_rows
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.console.sign_in_rows import SignInRows, after_all
from risk_scorer.adapters.console.sign_in_words import say
from risk_scorer.core.console.sign_in import SignIn, Word
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.sign_in_page import Cursor, cursor_of
from risk_scorer.core.observation import prefix_of
from risk_scorer.flows.console.sign_ins import SignIns
from tests.integration.risk_scorer.console.logins import log, login, taken
from tests.integration.risk_scorer.observations import NOW

pytestmark = pytest.mark.anyio
LOGINS = 300
WANTED: list[dict[str, Any]] = [
    {}, {"user": "user-3"}, {"ip": "198.51.100.7"}, {"ip": "198.51.100.0/24"}, {"ip": "2001:db8:1::/48"},
    {"asn": 64500}, {"country": "DE"}, {"device": "dev-2"}, {"ja4": "t13d_2"}, {"level": "low"}, {"level": "medium"},
    {"level": "high"}, {"decision": "allow"}, {"decision": "deny"}, {"outcome": "success"}, {"outcome": "mfa_failed"},
    {"verdict": "dismissed"}, {"kind": "refresh"}, {"rule": "rule-1"}, {"client": "shop"}, {"reason": "new_device"},
    {"least": 85.0}, {"least": 60.0, "most": 70.0}, {"since": NOW + 100}, {"until": NOW + 50},
    {"since": NOW + 100, "until": NOW + 120, "level": "high"}, {"text": "user-1"}, {"text": "user"}, {"text": "nobody"},
    {"country": "DE", "level": "high"}, {"user": "user-3", "outcome": "success"}, {"asn": 64501, "device": "dev-1"},
    {"text": "u", "decision": "deny", "country": "US"}, {"reason": "new-device"}, {"user": "absent"},
]  # fmt: skip
HOLDS: dict[str, Any] = {
    "user": lambda row, value: row.user_id == value,
    "ip": lambda row, value: row.ip == value or prefix_of(row.ip) == value,
    "asn": lambda row, value: row.asn == value,
    "country": lambda row, value: row.country == value,
    "device": lambda row, value: row.device_id == value,
    "ja4": lambda row, value: row.ja4 == value,
    "level": lambda row, value: row.level == value,
    "decision": lambda row, value: row.decision == value,
    "outcome": lambda row, value: row.outcome == value,
    "verdict": lambda row, value: row.verdict == value,
    "kind": lambda row, value: row.kind == value,
    "rule": lambda row, value: row.rule == value,
    "client": lambda row, value: row.client_id == value,
    "reason": lambda row, value: value in row.reasons.split(),
    "least": lambda row, value: row.score >= value,
    "most": lambda row, value: row.score <= value,
    "since": lambda row, value: row.ts >= value,
    "until": lambda row, value: row.ts < value,
    "text": lambda row, value: row.user_id.startswith(value),
}


@pytest.fixture
async def rows(database: Database, clock: FixedClock) -> SignInRows:
    """Invented logins, two of a second, with what was said of them."""
    chance = random.Random(7)
    logins = [
        login(
            f"e{number}",
            ts=NOW + number // 2,
            score=chance.choice([5.0, 10.0, 65.0, 85.0, 90.0]),
            user_id=f"user-{chance.randrange(20)}",
            ip=chance.choice(["198.51.100.7", "198.51.100.8", "203.0.113.1", "2001:db8:1::7"]),
            device_id=f"dev-{chance.randrange(4)}",
            ja4=f"t13d_{chance.randrange(4)}",
            kind=chance.choice(["login", "login", "refresh"]),
            reasons=chance.choice([(), (("new_device", 3.0),), (("new-device", 3.0), ("newxdevice", 1.0))]),
            facts={"asn": 64500 + chance.randrange(3), "country": chance.choice(["DE", "US", ""])},
        )
        for number in range(LOGINS)
    ]
    words = [
        Word(
            event_id=f"e{number}",
            decision=chance.choice(["allow", "challenge", "deny"]),
            rule=f"rule-{chance.randrange(3)}",
            client_id=chance.choice(["shop", "bank"]),
            outcome=chance.choice(["success", "mfa_passed", "mfa_failed", "failure", ""]),
            verdict=chance.choice(["", "", "dismissed"]),
        )
        for number in range(0, LOGINS, 2)
    ]
    for start in range(0, LOGINS, 100):
        log(database, *logins[start : start + 100])
    database.write_sync(lambda tx: say(tx, words, NOW))
    await taken(Projection(database, clock=clock))
    return SignInRows(database)


async def walked(rows: SignInRows, wanted: SignInFilter, limit: int) -> list[SignIn]:
    """Page after page to the end."""
    found: list[SignIn] = []
    before = None
    while True:
        page = await rows.page(wanted, before=before, limit=limit)
        assert len(page.rows) <= limit
        found += page.rows
        before = page.next_cursor
        if before is None:
            return found


@pytest.mark.parametrize("most_walked", [40, 5_000])
async def test_page_after_page_is_what_a_look_at_every_row_gives(
    rows: SignInRows, monkeypatch: pytest.MonkeyPatch, most_walked: int
) -> None:
    """Whatever is asked for, newest first, none left out and none twice; also where a look ends early."""
    monkeypatch.setattr(sign_in_rows, "MOST_WALKED", most_walked)
    monkeypatch.setattr(sign_in_rows, "MOST_SCATTERED", most_walked)
    monkeypatch.setattr(sign_in_rows, "MOST_PEOPLE", 15)
    every = await walked(rows, SignInFilter(), 100)
    assert len(every) == LOGINS
    assert [(row.ts, row.seq) for row in every] == sorted(((row.ts, row.seq) for row in every), reverse=True)
    for wanted in WANTED:
        expected = [row for row in every if all(HOLDS[name](row, value) for name, value in wanted.items())]
        assert await walked(rows, SignInFilter(**wanted), 30) == expected, wanted


async def test_newer_leads_back_to_where_one_came_from(rows: SignInRows) -> None:
    """The first page has nothing newer; what is next after a page is the page before it."""
    wanted = SignInFilter(country="DE")
    first = await rows.page(wanted, limit=10)
    second = await rows.page(wanted, before=first.next_cursor, limit=10)
    back = await rows.page(wanted, after=second.newer, limit=10)
    assert first.newer is None
    assert back.rows == first.rows
    assert (back.newer, back.next_cursor) == (None, first.next_cursor)
    assert (await rows.page(wanted, before=back.next_cursor, limit=10)).rows == second.rows


async def test_a_look_that_ends_early_says_up_to_when_it_was(rows: SignInRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty page of something rare is no end."""
    monkeypatch.setattr(sign_in_rows, "MOST_WALKED", 20)
    page = await rows.page(SignInFilter(rule="rule-nowhere"), limit=10)
    assert (page.rows, page.searched_to) == ((), NOW + LOGINS / 2 - 10)
    assert page.next_cursor is not None


async def test_one_around_and_neighbours(rows: SignInRows, clock: FixedClock) -> None:
    """One by its id; a person's own on both sides of a moment; who shares something, since a moment."""
    desk = SignIns(rows, clock=clock)
    one = await desk.one("e150")
    assert (one.event_id, one.ts) == ("e150", NOW + 75)
    every = await walked(rows, SignInFilter(user=one.user_id), 100)
    place = [row.event_id for row in every].index("e150")
    assert await desk.around(one.user_id, one.ts, 2) == every[max(0, place - 1) : place + 3]
    shared = await desk.neighbours("device", one.device_id, since=NOW + 100, limit=500)
    assert shared
    assert {row.device_id for row in shared} == {one.device_id}
    assert min(row.ts for row in shared) >= NOW + 100
    with pytest.raises(Refused) as refused:
        await desk.one("nobody")
    assert refused.value.code == "unknown_event"


async def test_a_query_string_asks_for_a_page(rows: SignInRows, clock: FixedClock) -> None:
    """With a cursor of the page before and a limit; what cannot be asked for is refused with its name."""
    desk = SignIns(rows, clock=clock)
    _, first = await desk.asked({"level": "high", "limit": "3", "fragment": "1"})
    _, second = await desk.asked({"level": "high", "limit": "3", "before": str(first.next_cursor)})
    assert len(first.rows) == len(second.rows) == 3
    assert first.rows[-1].ts >= second.rows[0].ts
    for query, field in (({"level": "odd"}, "level"), ({"before": "x"}, "before"), ({"limit": "0"}, "limit")):
        with pytest.raises(Refused) as refused:
            await desk.asked(query)
        assert (refused.value.code, refused.value.status) == ("invalid_filter", 422)
        assert refused.value.evidence == {"field": f"query.{field}"}


async def test_a_vocabulary_that_is_closed_takes_no_sql(rows: SignInRows) -> None:
    """A filter that was made by hand is held to it as well."""
    with pytest.raises(ValueError, match="level"):
        await rows.page(SignInFilter(level="x' OR 1=1 --"), limit=1)


@pytest.mark.parametrize(
    ("text", "high"), [("a", "b"), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000"), ("\U0010ffff", "\U0010ffff")]
)
def test_the_end_of_what_begins_alike(text: str, high: str) -> None:
    """The first text that begins otherwise, in the order of code points."""
    assert after_all(text) == high


def test_a_cursor_is_written_and_read_again() -> None:
    """To the last bit of its time."""
    place = Cursor(1_760_000_000.123457, 4711)
    assert cursor_of(str(place)) == place
