"""A signal that gets worse or goes missing never makes a login look better: the caller cannot talk its risk down."""

from itertools import combinations
from typing import Any

import pytest

from demo.people import USUAL
from tests.stories.sample_people import SampleScorer

HOME: dict[str, Any] = {
    "user_id": "alice", "timestamp": "2025-08-09T17:00:00Z", "success": True,
    **USUAL.context,
}  # fmt: skip
FOREIGN: dict[str, dict[str, Any]] = {
    "device": {"device_id": "never-seen"},
    "no device": {"device_id": ""},
    "network": {"ip": "73.162.10.20"},
    "country": {"ip": "192.0.2.77", "country": "DE", "region": "BE", "city": "Berlin"},
    "listed network": {"ip": "203.0.113.200", "country": "RU", "region": "", "city": ""},
    "browser": {"user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0"},
    "ja4": {"ja4": "t13i010400_0f2cb44170f4_5c4c70b73fa0"},
    "no ja4": {"ja4": None},
    "ja4h": {"ja4h": "zz"},
    "ja4s": {"ja4s": "qq"},
    "no ja4h, no ja4s": {"ja4h": None, "ja4s": None},
    "no fingerprint at all": {"ja4": None, "ja4h": None, "ja4s": None},
}
SLACK = 1.0
"""Points that the forest, which knows no direction, may move a score against the evidence."""


def fields(names: tuple[str, ...]) -> set[str]:
    return {field for name in names for field in FOREIGN[name]}


CASES = [
    names
    for size in (1, 2, 3)
    for names in combinations(FOREIGN, size)
    if len(fields(names)) == sum(len(FOREIGN[name]) for name in names)
]


@pytest.fixture(scope="module")
def scores(sample_scorer: SampleScorer) -> dict[tuple[str, ...], float]:
    """Alice at home with each set of up to three signals gone wrong, scored in bulk."""
    events = [HOME]
    for names in CASES:
        event = dict(HOME)
        for name in names:
            event |= FOREIGN[name]
        events.append(event)
    answers = sample_scorer.client.post("/bulk_score", json=events).raise_for_status().json()
    return dict(zip([(), *CASES], [answer["risk_score"] for answer in answers], strict=True))


def test_one_more_wrong_signal_never_helps(scores: dict[tuple[str, ...], float]) -> None:
    """Each set against itself with one signal less wrong."""
    helped = [
        f"{less} → {names}: {scores[less]} → {score}"
        for names, score in scores.items()
        if names
        for less in combinations(names, len(names) - 1)
        if score < scores[less] - SLACK
    ]
    assert helped == []


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("no ja4", "no fingerprint at all"),
        ("no ja4h, no ja4s", "no fingerprint at all"),
        ("ja4h", "ja4"),
        ("network", "country"),
        ("country", "listed network"),
    ],
)
def test_a_worse_kind_of_wrong_never_helps(scores: dict[tuple[str, ...], float], less: str, more: str) -> None:
    """A foreign TLS handshake weighs at least what its parts weigh; another country at least what another network."""
    assert scores[(more,)] >= scores[(less,)] - SLACK


@pytest.mark.parametrize("name", FOREIGN)
def test_every_signal_alone_counts(scores: dict[tuple[str, ...], float], name: str) -> None:
    """None is decoration: alone it moves the quiet login's score upwards."""
    assert scores[(name,)] > scores[()] + SLACK
