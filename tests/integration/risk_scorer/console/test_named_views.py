"""The named views as people open them: what was asked, the text that was run, its rows, and the same rows as files."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.view_store import ViewStore
from risk_scorer.adapters.activity.views import ALL
from tests.integration.risk_scorer.console.signing import by_link, code_of
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_views import MONDAY, NOW, event, keep, keep_logins, login

pytestmark = pytest.mark.anyio
PAGE = "/dashboard/views"
SPAN = "since=2025-10-06T00:00Z&until=2025-10-20T00:00:00Z"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the house and all who come."""
    return "asyncio"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """With a few events of strange names, and a reader signed in; nothing changes anything here."""
    async with running(tmp_path_factory.mktemp("views"), clock=FixedClock(NOW)) as started:
        database = started.scorer.database
        keep(database, [event(name, MONDAY + 60, device_id=FORMULA) for name in ("<b>eve</b>", "bob", "carol")])
        keep_logins(database, [login("bob", MONDAY + 8 * 86_400, decision="deny", outcome="")])
        await by_link(started, "reader")
        del started.client.headers["authorization"]
        yield started


async def test_every_view_has_a_page_with_its_text_and_its_parameters(house: Running) -> None:
    """Each that there is: nothing is read before somebody asks."""
    listed = (await house.client.get(PAGE)).text
    for name, question in ALL.items():
        assert f'href="{PAGE}/{name}"' in listed
        html = (await house.client.get(f"{PAGE}/{name}")).text
        assert "Not asked yet" in html, name
        assert ":since" in html, name
        for parameter in question.view.parameters:
            assert f'name="{parameter.name}"' in html, (name, parameter.name)
        asked = await house.client.get(f"{PAGE}/{name}?ask=1")
        assert asked.status_code == 200, name
        assert "Not asked yet" not in asked.text, name


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_text_names_what_it_is_asked_with(dialect: str) -> None:
    """Each parameter by its name, and no mark that says nothing."""
    for name, question in ALL.items():
        text = question.readable_sql(dialect)
        assert "?" not in text
        assert "%s" not in text
        for parameter in question.view.parameters:
            assert f":{parameter.name}" in text, (name, parameter.name)


async def test_a_page_shows_the_rows_of_what_was_asked(house: Running) -> None:
    """Those of the span, names of strangers as text, and the way to the same rows as files."""
    html = (await house.client.get(f"{PAGE}/weekly_decisions?{SPAN}")).text
    assert "1 row" in html
    assert "2025-10-13 00:00:00 UTC" in html
    assert "export.csv?since=2025-10-06T00%3A00%3A00Z" in html
    devices = (await house.client.get(f"{PAGE}/device_reuse?{SPAN}&least=3")).text
    assert FORMULA in devices
    empty = (await house.client.get(f"{PAGE}/device_reuse?{SPAN}&least=4")).text
    assert "No rows" in empty


BAD = {
    "since=yesterday": "invalid_request",
    "since=2025-10-20&until=2025-10-06": "invalid_request",
    "least=0": "invalid_request",
    "least=1e9": "invalid_request",
    "limit=10001": "invalid_request",
    "of=everything": "invalid_request",
    "nonsense=1": "invalid_request",
    "least=3&least=4": "invalid_request",
}


@pytest.mark.parametrize("file", ["", "/export.csv", "/export.json"])
async def test_what_no_view_takes_is_refused_with_its_code(house: Running, file: str) -> None:
    """422 on a page that says which, and 404 for a view that is none."""
    for query, code in BAD.items():
        answer = await house.client.get(f"{PAGE}/device_reuse{file}?{query}")
        assert (query, answer.status_code, code_of(answer)) == (query, 422, code)
        assert "yesterday" not in answer.text.partition("<main")[2]
    answer = await house.client.get(f"{PAGE}/nothing{file}")
    assert (answer.status_code, code_of(answer)) == (404, "unknown_view")


async def test_a_file_has_the_rows_and_runs_in_no_spreadsheet(house: Running) -> None:
    """The columns of the view, and an apostrophe before what would be a formula."""
    answer = await house.client.get(f"{PAGE}/device_reuse/export.csv?{SPAN}")
    assert answer.headers["content-disposition"] == 'attachment; filename="device_reuse.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["device_id"] for row in rows] == [f"'{FORMULA}"]
    assert list(rows[0]) == [column.name for column in ALL["device_reuse"].view.columns]
    told = (await house.client.get(f"{PAGE}/device_reuse/export.json?{SPAN}")).json()
    assert [row["device_id"] for row in told] == [FORMULA]


async def test_a_view_that_takes_too_long_is_given_up(database: Database) -> None:
    """By its code, and the thread is free for the next; PostgreSQL has a limit of its own, which is longer."""
    keep_logins(database, [login(f"u{number}", MONDAY + number) for number in range(2_000)])
    values = {"since": MONDAY - 1.0, "until": MONDAY + 9e5, "limit": 10, "new_days": 14.0, "of": "logins"}
    if database.engine.dialect.name == "sqlite":
        with pytest.raises(Refused) as refused:
            await ViewStore(database, patience_seconds=0.0).ask("weekly_cohorts", values)
        assert (refused.value.code, refused.value.status) == ("took_too_long", 503)
    assert len(await ViewStore(database).ask("weekly_cohorts", values)) == 1
