"""What live logins looked like is kept by model and day, on both databases, whoever else keeps there."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.drift_rows import DriftRows
from risk_scorer.core.drift_marks import Marks
from risk_scorer.core.drift_report import DriftReport, Live, report
from risk_scorer.core.model import Model
from risk_scorer.core.reference import counted
from risk_scorer.flows.announce import drift_message
from tests.integration.risk_scorer.conftest import NOW
from tests.unit.risk_scorer.core.small import model
from tests.unit.risk_scorer.core.stored_model import manifest
from tests.unit.risk_scorer.core.watched import REFERENCE

pytestmark = pytest.mark.anyio

DAY = int(NOW // 86_400)


def watched_model() -> Model:
    return replace(model(), reference=REFERENCE, manifest=manifest())


def found(until: float = NOW) -> DriftReport:
    live = Live(counts=counted(REFERENCE), verdicts=(), ip_data_days=None, since=0.0, until=until)
    return report(watched_model(), live, Marks(least_logins=1))


@pytest.fixture
def rows(database: Database, clock: FixedClock) -> DriftRows:
    return DriftRows(database, clock=clock, announce_to="announcements", wake_delivery=lambda: None)


async def test_counts_of_a_model_and_day_add_up(rows: DriftRows) -> None:
    """Other models and days before the span stay apart."""
    await rows.add({("m1", DAY): np.array([1, 2]), ("m2", DAY): np.array([5, 5])})
    await rows.add({("m1", DAY): np.array([10, 0]), ("m1", DAY - 1): np.array([100, 100])})
    assert (await rows.summed("m1", DAY, 2)).tolist() == [11, 2]
    assert (await rows.summed("m1", DAY - 1, 2)).tolist() == [111, 102]
    assert (await rows.summed("m2", DAY, 2)).tolist() == [5, 5]
    assert (await rows.summed("m3", DAY, 2)).tolist() == [0, 0]


async def test_counts_that_come_at_once_all_count(rows: DriftRows) -> None:
    """Several processes keep on the same day."""
    await asyncio.gather(*(rows.add({("m1", DAY): np.array([1, 1000])}) for _ in range(20)))
    assert (await rows.summed("m1", DAY, 2)).tolist() == [20, 20_000]


async def test_counts_of_another_shape_count_for_nothing(rows: DriftRows) -> None:
    """A day that another version wrote is begun anew, and never mixed in."""
    await rows.add({("m1", DAY): np.array([1, 2, 3])})
    assert (await rows.summed("m1", DAY, 2)).tolist() == [0, 0]
    await rows.add({("m1", DAY): np.array([4, 5])})
    assert (await rows.summed("m1", DAY, 2)).tolist() == [4, 5]


async def test_old_days_go(rows: DriftRows) -> None:
    """The day itself stays until all of it is old."""
    await rows.add({("m1", day): np.array([1]) for day in (DAY - 2, DAY - 1, DAY)})
    assert await rows.prune((DAY - 1) * 86_400.0 + 3600.0) == 1
    assert (await rows.summed("m1", 0, 1)).tolist() == [2]


async def test_a_look_is_due_an_hour_after_the_last(rows: DriftRows) -> None:
    """Also over restarts; the first time only begins the hour."""
    assert not await rows.is_due(NOW - 3600.0, now=NOW)
    assert not await rows.is_due(NOW - 1.0, now=NOW + 3599.0)
    assert await rows.is_due(NOW, now=NOW + 3600.0)


async def test_of_two_who_looked_at_once_one_is_believed(rows: DriftRows, clock: FixedClock) -> None:
    """And announces; the other's is let go."""
    first = found()
    message = drift_message(first, (), because="recovered", number=1, tenant="t")
    assert await rows.settle(first, after=None, message=message)
    before = await rows.latest()
    assert before is not None
    assert (before.report, before.changes) == (first, 1)
    assert not await rows.settle(found(NOW + 1.0), after=None, message=message)
    assert await rows.settle(found(NOW + 2.0), after=before, message=None)
    latest = await rows.latest()
    assert latest is not None
    assert latest.report is not None
    assert (latest.report.until, latest.changes) == (NOW + 2.0, 1)


async def test_nobody_looked_yet(rows: DriftRows) -> None:
    """That is no report, and no failure."""
    assert await rows.latest() is None
    await rows.is_due(NOW, now=NOW)
    latest = await rows.latest()
    assert latest is not None
    assert latest.report is None
    assert await rows.settle(found(), after=latest, message=None)


async def test_the_hour_may_begin_while_somebody_looks(rows: DriftRows) -> None:
    """That is no look of somebody else's, so what was found is believed."""
    before = await rows.latest()
    await rows.is_due(NOW, now=NOW)
    assert await rows.settle(found(), after=before, message=None)
