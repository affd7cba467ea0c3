"""People and sessions at the console: who is most at risk, all of one, and what is said of them, with and without a
gateway that answers."""

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from plumbing.clock import FixedClock
from risk_scorer.adapters.console.figure_rows import SESSIONS as FOUND_IN_SESSIONS
from risk_scorer.adapters.console.session_rows import BY_RISK, EVENTS, OF_USER, SessionRows
from risk_scorer.adapters.tables import session_risk
from risk_scorer.core.console.session_lines import SessionFilter
from risk_scorer.core.incidents.incident import Evidence, Sighting
from risk_scorer.incident_desk import incident_rows
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token, post
from tests.integration.risk_scorer.console.test_sign_in_views import shown
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_activity import NOTICE, NOW, known_person, stolen

pytestmark = pytest.mark.anyio
USERS, SESSIONS = "/dashboard/users", "/dashboard/sessions"
HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Alice's session is used by somebody else; Bob has an incident, and a stranger's name is markup. No gateway."""
    async with running(tmp_path_factory.mktemp("users"), clock=FixedClock(NOW)) as found:
        await found.client.post("/sessions", json=NOTICE)
        await known_person(found)
        await stolen(found)
        for number, event in enumerate(({**EVENT, **LOUD}, {**EVENT, "user_id": HOSTILE}, {**EVENT, "user_id": "bob"})):
            await found.client.post("/score", json={**event, "event_id": f"login-{number}"})
        await shown(found, 3)
        cause = Evidence(code="several_actors", text="two browsers at 203.0.113.7", points=40.0, at=NOW)
        for user in ("bob", HOSTILE):
            seen = Sighting(kind="user", subject=user, at=NOW, score=85.0, evidence=(cause,), members=(user,))
            await incident_rows(found.scorer).see(seen)
        del found.client.headers["authorization"]
        yield found


async def test_the_riskiest_come_first_and_why(house: Running) -> None:
    """A running session, an incident, a sign-in: each leads to its own page; the gateway's silence is said."""
    await by_link(house, "reader")
    html = (await house.client.get(USERS)).text
    order = [html.index(f'href="{USERS}/{name}"') for name in ("alice", "bob")]
    assert order == sorted(order)
    assert f'href="{SESSIONS}/ses-1"' in html
    assert "/dashboard/incidents/inc_" in html
    assert "no client of a gateway" in html
    assert "<img" not in html


async def test_one_person_is_read_without_the_gateway(house: Running) -> None:
    """What the scorer knows stands there: history, detections, sign-ins, sessions, devices, incidents."""
    await by_link(house, "analyst")
    html = (await house.client.get(f"{USERS}/alice")).text
    for part in (
        "no client of a gateway",
        "Risk, and what moved it",
        "ses-1",
        "dev-1",
        "/dashboard/sign-ins?user=alice",
    ):
        assert part in html, part
    assert "Confirm compromised" in html
    assert "/freeze" not in html
    assert "incident opened" in (await house.client.get(f"{USERS}/bob")).text
    for name in (HOSTILE, "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"):
        hostile = (await house.client.get(f"{USERS}/{name}")).text
        assert "<img" not in hostile
        assert "&lt;img" in hostile


async def test_whom_nobody_knows_is_not_found(house: Running) -> None:
    """An exact id finds somebody without a gateway; nobody, nonsense and other people's names do not."""
    await by_link(house, "reader")
    found = (await house.client.get(USERS, params={"query": "bob"})).text
    assert f'href="{USERS}/bob"' in found
    assert "Nobody is called that" in (await house.client.get(USERS, params={"query": "bo"})).text
    for user in ("nobody", "x" * 300):
        answer = await house.client.get(f"{USERS}/{user}")
        assert (answer.status_code, code_of(answer)) == (404, "unknown_user"), user
    for query, status in (("from=x", 422), ("query=a%00b", 422), ("from=9999", 200)):
        assert (await house.client.get(f"{USERS}?{query}")).status_code == status, query


async def test_without_a_gateway_nothing_is_done_to_accounts(house: Running) -> None:
    """Nothing is pretended: it is refused with the reason, and the audit says so. A link is fresh for a while."""
    await by_link(house, "analyst")
    for act in ("freeze", "unfreeze", "force-reset", "sign-out"):
        answer = await post(house, f"{USERS}/alice/{act}")
        assert (answer.status_code, code_of(answer)) == (503, "gateway_not_configured")
    answer = await post(house, f"{SESSIONS}/ses-1/end")
    assert (answer.status_code, code_of(answer)) == (503, "gateway_not_configured")
    audit = (await house.client.get("/dashboard/audit?subject=alice")).text
    for action in ("account.freeze", "account.unfreeze", "account.force_reset", "account.sign_out", "session.end"):
        assert action in audit
    for form, code in (({"verdict": "guilty"}, "invalid_verdict"), ({"verdict": ""}, "invalid_verdict")):
        answer = await post(house, f"{USERS}/alice/verdict", **form)
        assert (answer.status_code, code_of(answer)) == (422, code)
    answer = await post(house, f"{USERS}/alice/unfreeze", version="x")
    assert (answer.status_code, code_of(answer)) == (422, "invalid_change")


async def test_a_session_shows_why_what_and_who_else(house: Running) -> None:
    """Its signals add up to its score, its events stand newest first, and a filter finds it or does not."""
    await by_link(house, "reader")
    html = (await house.client.get(f"{SESSIONS}/ses-1")).text
    assert html.count("/admin/export") >= 12
    assert "Together" in html
    assert "203.0.113.77" in html
    assert "End this session" not in html
    ended = {
        **NOTICE,
        "session_id": "ses-2",
        "user_id": "bob",
        "state": "ended",
        "at": NOW,
        "reason": "reset_by_review",
    }
    bearer = {"authorization": f"Bearer {house.credential}"}
    await house.client.post("/sessions", json={**ended, "state": "started", "at": NOW - 9}, headers=bearer)
    await house.client.post("/sessions", json=ended, headers=bearer)
    assert "session ses-2 ended: reset_by_review" in (await house.client.get(f"{SESSIONS}/ses-2")).text
    for query, is_there in (
        ("", True), ("level=high", True), ("level=low", False), ("open=yes", True), ("open=no", False),
        ("user=alice", True), ("user=bob", False), ("response=allow", False), ("level=low&response=freeze", False),
    ):  # fmt: skip
        page = (await house.client.get(f"{SESSIONS}?{query}")).text
        assert (f'href="{SESSIONS}/ses-1"' in page) == is_there, query
    for query in ("level=odd", "response=odd", "open=perhaps", "after=x", f"user={'x' * 257}", "after=nan_x"):
        answer = await house.client.get(f"{SESSIONS}?{query}")
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter"), query
    answer = await house.client.get(f"{SESSIONS}/nobody")
    assert (answer.status_code, code_of(answer)) == (404, "unknown_session")


async def test_a_session_that_faded_still_says_what_was_found(tmp_path: Path) -> None:
    """A day later it is quiet; why it was not stands below, and that what was done then may need a look."""
    clock = FixedClock(NOW)
    async with running(tmp_path, clock=clock) as found:
        await found.client.post("/sessions", json=NOTICE)
        await known_person(found)
        await stolen(found)
        await by_link(found, "reader")
        fresh = (await found.client.get(f"{SESSIONS}/ses-1")).text
        clock.advance(86_400.0)
        await by_link(found, "reader")
        faded = (await found.client.get(f"{SESSIONS}/ses-1")).text
    assert "It was riskier" not in fresh
    assert "It was riskier" in faded
    assert re.search(r"Why it was [6-9]\d\.\d after its last event", faded)
    assert faded.count('<span class="chip') > 2


async def test_a_verdict_about_somebody_teaches_by_their_risky_sign_ins(tmp_path: Path) -> None:
    """Those of seven days that nobody judged, and no quiet one; said twice it judges nothing more."""
    async with running(tmp_path) as service:
        for number, event in enumerate((EVENT, {**EVENT, **LOUD})):
            await service.client.post("/score", json={**event, "event_id": f"login-{number}"})
        await shown(service, 2)
        del service.client.headers["authorization"]
        await by_link(service, "analyst")
        answer = await post(service, f"{USERS}/alice/verdict", verdict="compromised", reason="called her")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{USERS}/alice")
        assert judged(service) == [("login-1", "confirmed_compromised", "link:jane", "called her")]


def judged(service: Running) -> list[tuple[Any, ...]]:
    sql = 'SELECT event_id, verdict, "by", reason FROM verdicts'
    with service.scorer.database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


async def test_pages_are_the_same_on_each_database(tmp_path: Path, scorer_url: str) -> None:
    """Every session once, the riskiest first, equal ones too; people and one session are shown."""
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **shared) as service:
        await service.client.post("/sessions", json=NOTICE)
        await stolen(service, requests=3)
        fill(service, 60)
        rows = SessionRows(service.scorer.database, clock=FixedClock(NOW))
        for wanted in (SessionFilter(), SessionFilter(is_open=True), SessionFilter(user="crowd-3")):
            whole = (await rows.page(wanted, None, 500)).lines
            found, place = [], None
            while True:
                page = await rows.page(wanted, place, 7)
                found += [line.session_id for line in page.lines]
                place = page.next
                if place is None:
                    break
            assert found == [line.session_id for line in whole]
            assert [line.score for line in whole] == sorted((line.score for line in whole), reverse=True)
        del service.client.headers["authorization"]
        await by_link(service, "reader")
        for path, there in ((USERS, "alice"), (f"{USERS}/alice", "ses-1"), (f"{SESSIONS}/ses-1", "/admin/export")):
            answer = await service.client.get(path)
            assert (answer.status_code, there in answer.text) == (200, True), path


def fill(service: Running, count: int) -> None:
    same = {"nats": 1.0, "signals": b"[]", "model_version": "", "told": 0, "events": 3, "attack_likelihood": None}
    crowd = [
        {"session_id": f"crowd-{n:07}", "user_id": f"crowd-{n % 9}", "score": float(n % 13), "peak": float(n % 13)}
        | {"started_at": NOW - n, "updated_at": NOW - n, **same}
        for n in range(count)
    ]
    with service.scorer.database.engine.begin() as connection:
        connection.execute(insert(session_risk), crowd)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (BY_RISK, "session_risk_by_score"),
        (OF_USER, "session_risk_by_user"),
        (EVENTS, "activity_events_by_user"),
        (FOUND_IN_SESSIONS, "session_risk_risky"),
    ],
)
def test_a_page_reads_along_an_index(house: Running, statement: Any, index: str) -> None:
    """Of a million sessions as many rows as a look is bounded to, and no sort of them all."""
    file = house.scorer.settings.risk_scorer_state / "scorer.db"
    sql = statement.compiled().sql
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?"))]
    assert any(index in step for step in plan), plan
    scans = [step for step in plan if step.startswith(("SCAN session_risk", "SCAN activity_events"))]
    assert all(index in step for step in scans), plan


async def test_forms_are_of_the_page(house: Running) -> None:
    """A reader has none."""
    await by_link(house, "reader")
    await form_token(house)
    for path in (f"{USERS}/alice", f"{SESSIONS}/ses-1"):
        assert 'name="reason"' not in (await house.client.get(path)).text


async def test_pages_are_read_while_the_gateway_is_away(tmp_path: Path) -> None:
    """It is said in its place, and an act is refused with nothing taught: nobody knows what became of it."""
    away = {"console_issuer": "http://127.0.0.1:9", "console_client_id": "console", "console_client_secret": "rgc_away"}
    async with running(tmp_path, clock=FixedClock(NOW), **away) as service:
        await service.client.post("/score", json={**EVENT, **LOUD, "event_id": "login-1"})
        await service.client.post("/sessions", json=NOTICE)
        await shown(service, 1)
        del service.client.headers["authorization"]
        await by_link(service, "analyst")
        for path in (USERS, f"{USERS}?query=alice", f"{USERS}/alice", f"{SESSIONS}/ses-1"):
            answer = await service.client.get(path)
            assert (answer.status_code, "does not answer now" in answer.text) == (200, True), path
            assert "alice" in answer.text
        for act, fields in (("freeze", {}), ("verdict", {"verdict": "safe"})):
            answer = await post(service, f"{USERS}/alice/{act}", **fields)
            assert (answer.status_code, code_of(answer)) == (503, "gateway_unavailable"), act
        assert judged(service) == []
