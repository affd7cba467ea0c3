"""New edges are counted in a sketch: what its noise does to people who are many."""

from dataclasses import replace

import pytest

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.detectors.relations import UNIT, Edges
from risk_scorer.core.activity.sketch import add, digest_of
from tests.unit.risk_scorer.core.activity.office import DAY, TODAY, Client, Office, person


def busy(edges: int) -> Office:
    """So many other people came on a new device each today."""
    office = Office()
    part = Edges(int(TODAY // DAY), total=float(UNIT * edges))
    for number in range(edges):
        add(part.devices, digest_of(f"other {number}"), UNIT)
        add(part.addresses, digest_of(f"address {number}"), UNIT)
    office.memories["world"][""]["relations"] = part
    return office


@pytest.mark.parametrize("edges", [0, 1_000, 60_000])
def test_on_a_busy_day_a_new_device_is_no_shared_one(edges: int) -> None:
    """Of twenty people with a new device none is told for what others put into the sketch."""
    office = busy(edges)
    for number in range(20):
        judged = office.work(replace(person(number), client=Client(device_id=f"new {number}")), TODAY, f"n {number}")
        assert "relations" not in {each.detector for each in judged[-1].found}


def test_on_a_busy_day_a_farm_still_shows() -> None:
    """Fourteen accounts on one device among sixty thousand new devices."""
    office = busy(60_000)
    for number in range(14):
        farmed = replace(person(number), client=Client(device_id="farm"))
        judged = office.work(farmed, TODAY + 300.0 * number, f"f {number}", events=3)[-1]
    assert judged.total_score >= STEP_UP_FROM


def test_where_new_devices_flood_in_it_says_that_it_does_not_know() -> None:
    """Counts that only tell of others would be an alarm for everybody."""
    office = busy(200_000)
    judged = office.work(replace(person(1), client=Client(device_id="new")), TODAY, "s", events=1)
    assert "relations" in judged[0].unknown


def test_counts_of_yesterday_weigh_half() -> None:
    """So that a device which is handed on once a week gathers nothing."""
    office = Office()
    for number in range(10):
        at = TODAY + 7 * DAY * number
        judged = office.work(replace(person(number), client=Client(device_id="lent")), at, f"w {number}", events=3)
        assert "relations" not in {each.detector for each in judged[-1].found}
