"""What needs attention: at most three, the gravest first, each with a way on."""

from typing import Any

import pytest
from msgspec import structs

from risk_scorer.core.console.attention import LATE_SECONDS, MOST, State, Waiting, attention

QUIET = State(
    now=1_000_000.0, has_model=True, late_seconds=0.0, waiting=None, campaigns=0, is_gateway_away=False,
    prompts="within", drifted=0, deliveries_fail=False, tables_age_days=10.0, tables_most_days=180.0,
)  # fmt: skip
WAITING = Waiting(count=2, incident_id="inc/1", opened_at=1_000_000.0 - 7_200.0)
CASES: list[tuple[dict[str, Any], str]] = [
    ({"has_model": False}, "/dashboard/model"),
    ({"late_seconds": LATE_SECONDS + 1}, "/dashboard/sign-ins"),
    ({"waiting": WAITING}, "/dashboard/incidents/inc%2F1"),
    ({"campaigns": 2}, "/dashboard/campaigns"),
    ({"is_gateway_away": True}, "/dashboard/users"),
    ({"prompts": "above"}, "/dashboard/sign-ins?decision=challenge&since=24h"),
    ({"drifted": 1}, "/dashboard/drift"),
    ({"deliveries_fail": True}, "/dashboard/deliveries"),
    ({"tables_age_days": 181.0}, "/dashboard/drift"),
    ({"tables_age_days": None}, "/dashboard/drift"),
]


def test_nothing_needs_attention_while_all_is_well() -> None:
    """Also what is not proved to be wrong."""
    for changed in ({}, {"late_seconds": LATE_SECONDS}, {"prompts": "open"}, {"tables_age_days": 180.0}):
        assert attention(structs.replace(QUIET, **changed)) == ((), 0)


@pytest.mark.parametrize(("changed", "href"), CASES)
def test_each_is_one_line_with_where_to_go(changed: dict[str, Any], href: str) -> None:
    """And what to do there."""
    (notice,), more = attention(structs.replace(QUIET, **changed))
    assert (notice.href, more) == (href, 0)
    assert notice.words.endswith(".")
    assert notice.act


def test_at_most_three_are_told_and_the_rest_are_counted() -> None:
    """What stands still comes before what waits, and upkeep last."""
    everything = {name: value for changed, _ in reversed(CASES) for name, value in changed.items()}
    notices, more = attention(structs.replace(QUIET, **everything))
    assert [each.href for each in notices] == [href for _, href in CASES[:MOST]]
    assert more == len(CASES) - 1 - MOST
