"""Week by week: figures of named views, each with the way to the view that has them."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.core.abuse.view import Value
from risk_scorer.core.console.trends import CHARTS, VIEWS
from risk_scorer.flows.console.trends import KEPT_SECONDS, Trends
from tests.integration.risk_scorer.console.signing import by_link, code_of
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_views import MONDAY, NOW, event, keep, keep_logins, login

pytestmark = pytest.mark.anyio
PAGE = "/dashboard/executive"
WEEK = 604_800.0


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the house and all who come."""
    return "asyncio"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Three refusals in one week, one prompt in the next; nothing changes anything here."""
    async with running(tmp_path_factory.mktemp("weeks"), clock=FixedClock(NOW)) as started:
        logins = [login(f"u{n}", MONDAY + WEEK + n, decision="deny", outcome="") for n in range(3)]
        logins.append(login("u9", MONDAY + 2 * WEEK, decision="challenge", factor="totp", outcome="mfa_passed"))
        keep_logins(started.scorer.database, logins)
        keep(started.scorer.database, [event("bob", MONDAY + WEEK, score=70.0)])
        await by_link(started, "reader")
        del started.client.headers["authorization"]
        yield started


async def test_each_figure_leads_to_the_rows_of_its_view(house: Running) -> None:
    """Of this very span: what the chart says of a week is what the view answers."""
    html = (await house.client.get(f"{PAGE}?weeks=4")).text
    links = {unescape(each) for each in re.findall(r'href="(/dashboard/views/[^"]+)"', html)}
    assert {each.partition("?")[0].rpartition("/")[2] for each in links} == set(VIEWS)
    for chart in CHARTS:
        assert chart.title in html
    for link in links:
        answer = await house.client.get(link)
        assert answer.status_code == 200, link
        assert "Not asked yet" not in answer.text
    decisions = next(each for each in links if "weekly_decisions" in each)
    rows = (await house.client.get(decisions.replace("?", "/export.json?"))).json()
    assert [(row["attacks"], row["prompts"]) for row in rows] == [(3, 0), (0, 1)]
    table = html.partition("Attacks by week")[2]
    assert re.search(r'2025-10-13</th><td class="number">3</td><td class="number">3</td>', table)


async def test_a_running_week_is_marked_and_an_empty_one_named(house: Running) -> None:
    """Neither is nought."""
    html = (await house.client.get(f"{PAGE}?weeks=4")).text
    assert "still runs" in html
    assert ">empty<" in html
    assert "nothing of it was seen" in (await house.client.get(f"{PAGE}?weeks=1")).text


@pytest.mark.parametrize("weeks", ["0", "27", "-1", "x", "1e1"])
async def test_only_so_many_weeks_are_told(house: Running, weeks: str) -> None:
    """422 with its code."""
    answer = await house.client.get(f"{PAGE}?weeks={weeks}")
    assert (answer.status_code, code_of(answer)) == (422, "invalid_weeks")


class Asked:
    """Answers when it may, and counts."""

    def __init__(self, *, problem: Refused | None = None) -> None:
        self.names: list[str] = []
        self.may = asyncio.Event()
        self._problem = problem

    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        self.names.append(name)
        await self.may.wait()
        if self._problem is not None and name == VIEWS[0]:
            raise self._problem
        return []


def trends_of(asked: Asked, clock: FixedClock) -> Trends:
    return Trends([each.view for each in ALL.values()], asked, clock=clock)


async def test_views_are_read_once_for_all_who_look() -> None:
    """And again some minutes later; what one view refuses is said, and keeps none of the others."""
    asked, clock = Asked(problem=Refused("took_too_long", "", status=503)), FixedClock(NOW)
    trends = trends_of(asked, clock)
    asked.may.set()
    first, second = await asyncio.gather(trends.of(4), trends.of(4))
    assert first is second
    assert sorted(asked.names) == sorted(VIEWS)
    assert first is not None
    assert first.problems == {VIEWS[0]: "took_too_long"}
    assert set(first.rows) == set(VIEWS[1:])
    clock.advance(KEPT_SECONDS - 1.0)
    assert await trends.of(4) is first
    clock.advance(1.0)
    assert await trends.of(4) is not first


async def test_a_page_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is still being counted, and the count goes on."""
    monkeypatch.setattr("risk_scorer.flows.console.trends.WAIT_SECONDS", 0.01)
    asked = Asked()
    trends = trends_of(asked, FixedClock(NOW))
    assert await trends.of(4) is None
    asked.may.set()
    await asyncio.gather(*trends.counting)
    assert await trends.of(4) is not None
    assert sorted(asked.names) == sorted(VIEWS)
