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
from risk_scorer.core.console.trends import CHARTS, VIEWS, weeks_until
from risk_scorer.flows.console.trends import KEPT_SECONDS, PAST_SECONDS, Counted, Trends
from tests.integration.risk_scorer.console.signing import by_link, code_of
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_views import MONDAY, NOW, event, keep, keep_logins, login

pytestmark = pytest.mark.anyio
PAGE = "/dashboard/executive"
WEEK = 604_800.0
LONGEST_SECONDS = 20.0


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


async def counted_page(house: Running, weeks: int) -> str:
    """The page once nothing of it is being counted any more, for which each look waits a moment."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while "being counted" in (html := (await house.client.get(f"{PAGE}?weeks={weeks}")).text):
            pass
    return html


async def test_each_figure_leads_to_the_rows_of_its_view(house: Running) -> None:
    """Of this very span: what the chart says of a week is what the view answers."""
    html = await counted_page(house, 4)
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
    html = await counted_page(house, 4)
    assert "still runs" in html
    assert ">empty<" in html
    assert "nothing of it was seen" in await counted_page(house, 1)


@pytest.mark.parametrize("weeks", ["0", "27", "-1", "x", "1e1"])
async def test_only_so_many_weeks_are_told(house: Running, weeks: str) -> None:
    """422 with its code."""
    answer = await house.client.get(f"{PAGE}?weeks={weeks}")
    assert (answer.status_code, code_of(answer)) == (422, "invalid_weeks")


class Asked:
    """Answers so many questions, and counts; refuses the first view when told to."""

    def __init__(self, *, problem: Refused | None = None) -> None:
        self.asked: list[tuple[str, float]] = []
        self.may = asyncio.Semaphore(0)
        self._problem = problem

    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        await self.may.acquire()
        since = float(values["since"])
        assert float(values["until"]) - since == WEEK
        self.asked.append((name, since))
        if self._problem is not None and name == VIEWS[0]:
            raise self._problem
        return [{"week_at": since}]

    def answer(self, questions: int) -> None:
        for _ in range(questions):
            self.may.release()


async def counted(trends: Trends, weeks: int) -> Counted:
    """What is known once nothing is being counted any more."""
    await trends.of(weeks)
    if trends.counting is not None:
        await trends.counting
    found = await trends.of(weeks)
    assert found is not None
    return found


def trends_of(asked: Asked, clock: FixedClock) -> Trends:
    return Trends([each.view for each in ALL.values()], asked, clock=clock)


async def test_views_are_read_once_for_all_who_look() -> None:
    """A week at a time; the one that runs again after minutes, the others after an hour."""
    asked, clock = Asked(), FixedClock(NOW)
    trends = trends_of(asked, clock)
    asked.answer(999)
    await asyncio.gather(trends.of(4), trends.of(4))
    first = await counted(trends, 4)
    assert first.weeks == weeks_until(NOW, 4)
    assert sorted(asked.asked) == sorted((name, week) for name in VIEWS for week in first.weeks)
    assert [row["week_at"] for row in first.rows[VIEWS[0]]] == list(first.weeks)
    clock.advance(KEPT_SECONDS - 1.0)
    assert (await counted(trends, 4)).counted_at == NOW
    clock.advance(1.0)
    again = await counted(trends, 4)
    assert (again.counted_at, again.earliest_at, again.is_old) == (NOW + KEPT_SECONDS, NOW, False)
    assert len(asked.asked) == 5 * len(VIEWS)
    clock.advance(PAST_SECONDS)
    assert (await counted(trends, 4)).earliest_at == NOW + KEPT_SECONDS + PAST_SECONDS


async def test_what_one_view_refuses_keeps_none_of_the_others() -> None:
    """Its code stands in its place."""
    asked = Asked(problem=Refused("took_too_long", "", status=503))
    trends = trends_of(asked, FixedClock(NOW))
    asked.answer(999)
    found = await counted(trends, 2)
    assert found.problems == {VIEWS[0]: "took_too_long"}
    assert set(found.rows) == set(VIEWS[1:])


async def test_a_page_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the newest weeks that are known, how many are not, and old figures as long as there are no newer ones."""
    monkeypatch.setattr("risk_scorer.flows.console.trends.WAIT_SECONDS", 0.01)
    asked, clock = Asked(), FixedClock(NOW)
    trends = trends_of(asked, clock)
    assert await trends.of(4) is None
    asked.answer(len(VIEWS) + 1)
    async with asyncio.timeout(LONGEST_SECONDS):
        while (part := await trends.of(4)) is None:
            pass
    assert (part.weeks, part.missing) == (weeks_until(NOW, 1), 3)
    asked.answer(3 * len(VIEWS) - 1)
    assert (await counted(trends, 4)).missing == 0
    clock.advance(10 * PAST_SECONDS)
    old = await trends.of(4)
    assert old is not None
    assert (old.counted_at, old.is_old, len(old.weeks)) == (NOW, True, 4)
    asked.answer(999)
    assert not (await counted(trends, 4)).is_old
