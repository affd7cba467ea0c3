"""What the scale in the package promises of invented weeks, on a seed that it was not read off."""

from pathlib import Path

import pytest

from risk_scorer.adapters.user_agents import UserAgents
from risk_scorer.contract.activity import RESET_FROM, STEP_UP_FROM
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.scale import SHIPPED
from tests.integration.training.session_models import simulated
from training.activity.reading import ActivityLog, labels_of
from training.activity.replay import Outcome, replayed
from training.lookups import Lookups

WHOLE = {"rows": 70_000, "people": 500, "days": 21}
PART = {"rows": 9_000, "people": 90, "days": 16}
SLOW_TO_SHOW = {"campaign", "enumeration", "scraping_burst", "rhythm_bot"}
"""A program's rhythm, a row of refusals and a burst take some requests to be one."""


@pytest.fixture(scope="module", params=[pytest.param(WHOLE, marks=pytest.mark.long), PART], ids=["whole", "part"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Outcome]]:
    """How each session came out, by the kind of its attack; "" for those of people at work."""
    log, labels = simulated(tmp_path_factory.mktemp("weeks"), seed=11, **request.param)
    known = labels_of(labels)
    found: dict[str, list[Outcome]] = {}
    events = ActivityLog(Path(log), Lookups(agent=UserAgents().facts))
    for session, outcome in replayed(events, Engine(ALL, SHIPPED), known, mark=STEP_UP_FROM).items():
        label = known.get(session)
        found.setdefault(label.kind if label is not None and label.is_attack else "", []).append(outcome)
    return found


def test_at_most_two_in_a_hundred_sessions_of_people_at_work_are_prompted(outcomes: dict[str, list[Outcome]]) -> None:
    """And one in two hundred at most is to be reset."""
    at_work = outcomes[""]
    assert len(at_work) > 500
    assert sum(each.score >= STEP_UP_FROM for each in at_work) <= 0.02 * len(at_work)
    assert sum(each.score >= RESET_FROM for each in at_work) <= 0.005 * len(at_work)


def test_nine_in_ten_attacks_are_prompted_most_of_them_before_the_tenth_request(
    outcomes: dict[str, list[Outcome]],
) -> None:
    """Of ten kinds together, and none of them goes by unseen."""
    kinds = {kind: sessions for kind, sessions in outcomes.items() if kind}
    attacks = [each for sessions in kinds.values() for each in sessions]
    assert len(kinds) == 10
    assert sum(each.until_mark is not None for each in attacks) >= 0.9 * len(attacks)
    for kind, sessions in kinds.items():
        assert any(each.until_mark is not None for each in sessions), kind
    quick = [each for kind, sessions in kinds.items() if kind not in SLOW_TO_SHOW for each in sessions]
    assert sum(each.until_mark is not None and each.until_mark < 10 for each in quick) >= 0.9 * len(quick)


def test_nine_in_ten_attacks_are_prompted_within_a_minute(outcomes: dict[str, list[Outcome]]) -> None:
    """Of all kinds together, from the first hostile request on."""
    attacks = [each for kind, sessions in outcomes.items() if kind for each in sessions]
    quick = [each for each in attacks if each.marked_at is not None and each.marked_at - each.first_hostile_at <= 60.0]
    assert len(quick) >= 0.9 * len(attacks)
