"""What only looks like a stolen session: offices, carriers, Wi-Fi, updates, new roles and nights. Synthetic."""

from collections import defaultdict

import pytest

from risk_scorer.contract.activity import STEP_UP_FROM
from tests.stories.activity_log import LOOK_ALIKES, Told, looking_alike, whole

PROMPTED_AT_MOST = 0.02
"""Of all sessions."""
LOOK_ALIKES_PROMPTED_AT_MOST = 0.03
"""Of those of a week in which everybody does something unusual."""


@pytest.fixture(scope="module")
def worst_scores(is_long: bool) -> dict[str, list[float]]:
    """What a session's highest score was, by what the session is called."""
    found: dict[str, list[float]] = defaultdict(list)
    for seed in (3, 1, 2, 5) if is_long else (3,):
        told, worst, kinds = Told(), defaultdict[str, float](float), {}
        for event, kind in whole(looking_alike(seed)):
            kinds[event.session_id] = kind
            worst[event.session_id] = max(worst[event.session_id], told.of(event).total_score)
        for session_id, kind in kinds.items():
            found[kind].append(worst[session_id])
    return found


def prompted(scores: list[float]) -> float:
    return sum(score >= STEP_UP_FROM for score in scores) / len(scores)


def test_hardly_anybody_is_asked_for_a_factor(worst_scores: dict[str, list[float]]) -> None:
    """Over three weeks of two hundred people, the first of which knows nobody yet."""
    assert prompted([score for scores in worst_scores.values() for score in scores]) <= PROMPTED_AT_MOST


def test_a_week_of_look_alikes_asks_few(worst_scores: dict[str, list[float]]) -> None:
    """An office moves, addresses change, browsers are updated, roles change and nights are worked, all at once."""
    scores = [score for kind in LOOK_ALIKES for score in worst_scores[kind]]
    assert len(scores) > 400
    assert prompted(scores) <= LOOK_ALIKES_PROMPTED_AT_MOST


@pytest.mark.parametrize("kind", ["office_moved", "carrier", "wifi_to_mobile", "browser_upgrade"])
def test_another_network_or_another_version_is_no_attack(worst_scores: dict[str, list[float]], kind: str) -> None:
    """At most one session in fifty, or one alone: what else was unusual in it has nothing to do with this."""
    scores = worst_scores[kind]
    assert len(scores) > 50
    assert sum(score >= STEP_UP_FROM for score in scores) <= max(1, len(scores) // 50)
