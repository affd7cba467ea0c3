"""The table of sign-ins as people open it: filters in the address, files, verdicts on what is ticked."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.refusals import Refused
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.core.console.operator import Role
from risk_scorer.core.console.sign_in_filter import SignInFilter
from tests.integration.risk_scorer.console.logins import taken
from tests.integration.risk_scorer.console.signing import by_link, form_token
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
PAGE = "/dashboard/sign-ins"
HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>'


@pytest.fixture
async def scorer(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        for name, ip in (("alice", "198.51.100.9"), ("bob", "203.0.113.7"), (HOSTILE, "203.0.113.8")):
            event = {**EVENT, "user_id": name, "ip": ip, "event_id": f"of/{name[:5]}"}
            answer = await started.client.post("/score", json=event)
            assert answer.status_code == 200, answer.text
        await shown(started, 3)
        yield started


async def shown(started: Running, rows: int) -> None:
    """So many sign-ins are rows: the scorer's own projector and this one take turns behind the log."""
    reader = SignInRows(started.scorer.database)
    async with asyncio.timeout(20.0):
        while len((await reader.page(SignInFilter(), limit=rows)).rows) < rows:
            await taken(Projection(started.scorer.database, clock=started.scorer.clock))
            await asyncio.sleep(0.01)


async def entered(scorer: Running, role: Role = "analyst") -> str:
    """The client is somebody of that role from now on; their form token."""
    scorer.client.headers.pop("authorization", None)
    await by_link(scorer, role)
    return await form_token(scorer)


async def test_the_table_shows_every_sign_in_with_names_escaped(scorer: Running) -> None:
    """A stranger's name is text."""
    await entered(scorer)
    html = (await scorer.client.get(PAGE)).text
    assert "alice" in html
    assert "bob" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


FILTERS = {
    "user=alice": ("of%2Falice", "of%2Fbob"),
    "text=bo": ("of%2Fbob", "of%2Falice"),
    "ip=203.0.113.0/24": ("of%2Fbob", "of%2Falice"),
    "ip=198.51.100.9&since=1h": ("of%2Falice", "of%2Fbob"),
}
NO_FILTERS = ("level=huge", "ip=1", "asn=-1", "least=1e9", "since=yesterday", "before=x", "limit=0")


async def test_a_filter_stands_in_the_address(scorer: Running) -> None:
    """What it leaves out is not on the page, and each part can be taken away again."""
    await entered(scorer, "reader")
    for query, (seen, unseen) in FILTERS.items():
        html = (await scorer.client.get(f"{PAGE}?{query}")).text
        assert seen in html, query
        assert unseen not in html, query
        assert 'aria-label="Without' in html


async def test_a_filter_that_is_none_says_so_on_a_page(scorer: Running) -> None:
    """With its stable code, and nothing of what was typed."""
    await entered(scorer)
    for query in NO_FILTERS:
        answer = await scorer.client.get(f"{PAGE}?{query}")
        assert answer.status_code == 422, query
        assert "invalid_filter" in answer.text, query
        assert "yesterday" not in answer.text.partition("<main")[2]


async def test_columns_are_chosen_in_the_address(scorer: Running) -> None:
    """A link with columns shows those alone."""
    await entered(scorer)
    html = (await scorer.client.get(f"{PAGE}?columns=address,nonsense")).text
    assert '<th scope="col">Address</th>' in html
    assert '<th scope="col">Device</th>' not in html


async def test_a_file_opens_safely_and_has_every_row(scorer: Running) -> None:
    """No cell of it is a formula; JSON has the texts as they are."""
    await entered(scorer, "reader")
    answer = await scorer.client.get(f"{PAGE}/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["user_id"] for row in rows} == {"alice", "bob", f"'{HOSTILE}"}
    assert answer.headers["content-disposition"] == 'attachment; filename="sign-ins.csv"'
    listed: list[dict[str, Any]] = json.loads((await scorer.client.get(f"{PAGE}/export.json?user=bob")).content)
    assert [row["user_id"] for row in listed] == ["bob"]
    assert json.loads((await scorer.client.get(f"{PAGE}/export.json?user=nobody")).content) == []


async def test_a_file_that_cannot_be_read_is_no_empty_file(scorer: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are away: a page says so, with its status."""
    await entered(scorer)

    async def away(*_args: object, **_more: object) -> None:
        raise Refused("storage_unavailable", "The storage is away.", status=503)

    monkeypatch.setattr(SignInRows, "page", away)
    for kind in ("csv", "json"):
        answer = await scorer.client.get(f"{PAGE}/export.{kind}")
        assert (answer.status_code, "storage_unavailable" in answer.text) == (503, True), kind


async def test_a_session_that_veils_addresses_gets_none_in_pages_and_files(scorer: Running) -> None:
    """Neither in a cell nor in a link."""
    token = await entered(scorer)
    form = {"form_token": token, "mask": "1", "back": PAGE}
    assert (await scorer.client.post("/dashboard/mask", data=form)).status_code == 303
    for path in (f"{PAGE}?columns=address", f"{PAGE}/export.csv", f"{PAGE}/export.json"):
        text = (await scorer.client.get(path)).text
        assert "203.0.113.7" not in text
        assert "203.0.113.•" in text


async def test_a_verdict_on_the_ticked_ones_is_recorded_with_its_reason(scorer: Running) -> None:
    """Both are judged, the audit has a row for each, and the next page shows it and says so once."""
    form = {"form_token": await entered(scorer), "event": ["of/alice", "of/bob"], "verdict": "confirmed_safe"}
    answer = await scorer.client.post(
        f"{PAGE}/verdict", data={**form, "reason": "Both called", "back": f"{PAGE}?level=low"}
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PAGE}?level=low"
    remembered = await scorer.scorer.verdicts.remembered(["of/alice", "of/bob"])
    assert [each.is_judged for each in remembered] == [True, True]
    page = (await scorer.client.get(PAGE)).text
    assert "2 sign-ins: confirmed safe. Histories and training learn" in page
    assert page.count('data-text="verdict">confirmed safe<') == 2
    await scorer.client.post(f"{PAGE}/verdict", data={**form, "verdict": "dismissed", "reason": "Of no concern"})
    assert "2 sign-ins: dismissed. Nobody learns" in (await scorer.client.get(PAGE)).text


LACKING: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"reason": ""}, 422, "reason_required"),
    ({"verdict": "guilty"}, 422, "invalid_verdict"),
    ({"event": []}, 422, "nothing_chosen"),
    ({"event": ["nobody"]}, 404, "unknown_event"),
    ({"form_token": "another"}, 403, "invalid_form_token"),
)


async def test_a_verdict_that_lacks_something_changes_nothing(scorer: Running) -> None:
    """It says what, with a stable code."""
    form = {"form_token": await entered(scorer), "event": ["of/bob"], "verdict": "dismissed", "reason": "Looked"}
    for changed, status, code in LACKING:
        answer = await scorer.client.post(f"{PAGE}/verdict", data={**form, **changed})
        assert answer.status_code == status
        assert code in answer.text
    assert not (await scorer.scorer.verdicts.remembered(["of/bob"]))[0].is_judged


async def test_an_empty_table_says_whether_logins_wait(tmp_path: Path) -> None:
    """Where nothing was ever scored, and where nothing that was scored becomes a row."""
    never_begins = "CREATE TRIGGER never BEFORE INSERT ON sign_in_progress BEGIN SELECT RAISE(IGNORE); END"
    async with running(tmp_path) as started:
        with started.scorer.database.engine.begin() as connection:
            for sql in (never_begins, "DELETE FROM sign_in_progress"):
                connection.exec_driver_sql(sql)
        (await started.client.post("/score", json=EVENT)).raise_for_status()
        await entered(started, "reader")
        async with asyncio.timeout(20.0):
            while "Sign-ins wait in the log" not in (page := await started.client.get(PAGE)).text:
                assert "No sign-ins yet" in page.text
                await asyncio.sleep(0.01)
        assert "No sign-in is like that" in (await started.client.get(f"{PAGE}?level=high")).text


async def test_a_reader_judges_nothing(scorer: Running) -> None:
    """No boxes on the page, and a form that is posted all the same is refused."""
    token = await entered(scorer, "reader")
    assert 'type="checkbox" name="event"' not in (await scorer.client.get(PAGE)).text
    form = {"form_token": token, "event": "of/bob", "verdict": "dismissed", "reason": "Looked"}
    assert (await scorer.client.post(f"{PAGE}/verdict", data=form)).status_code == 403


async def test_one_sign_in_says_why_it_scored_so_and_what_is_around_it(scorer: Running) -> None:
    """Reasons add up, habits are compared, others with the same address are named; as a fragment without the frame."""
    await entered(scorer, "reader")
    html = (await scorer.client.get(f"{PAGE}/of%2Falice")).text
    for part in ("They add up to the score", "Beside what is usual", "198.51.100.9", "Before and after", "nobody else"):
        assert part in html, part
    fragment = (await scorer.client.get(f"{PAGE}/of%2Falice?fragment=1")).text
    assert "They add up" in fragment
    assert "<nav" not in fragment


async def test_one_sign_in_of_a_hostile_name_is_text_and_an_unknown_one_a_page(scorer: Running) -> None:
    """Neither runs, and what is not there has its code."""
    await entered(scorer)
    html = (await scorer.client.get(f"{PAGE}/of%2F%3Dcmd%7C")).text
    assert "&lt;script&gt;" in html
    assert "<script>alert" not in html
    answer = await scorer.client.get(f"{PAGE}/nobody")
    assert answer.status_code == 404
    assert "unknown_event" in answer.text
