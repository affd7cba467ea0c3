"""How many logins of each kind every day has; their sums are exactly what was asked for."""

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulator.rba.draws import Draws, Whole

FIRST_DAY = datetime.date(2020, 2, 3)
SPAN_DAYS = 364
"""Fifty-two weeks from a Monday on: 2020-02-03 to 2021-01-31."""
DAY_MS = 86_400_000
SPAN_STARTS_MS = 1_580_688_000_000

_TYPO_SHARE = 0.06
_STUFFING_SHARE = 0.05
_TAKEOVER_SHARE = 0.0004
_WEEKDAYS = np.array([116, 118, 114, 110, 98, 66, 78])
_CAMPAIGN_SHARE = 0.08
_CAMPAIGN_WEIGHT = 9


@dataclass(frozen=True)
class Schedule:
    """Each is (days,). `sessions` are logins of people besides the first one of each newcomer, `typos` the wrong
    passwords before them; `stuffing` and `takeovers` are not theirs.
    """

    joined_by: Whole
    sessions: Whole
    typos: Whole
    stuffing: Whole
    takeovers: Whole

    @property
    def rows(self) -> Whole:
        """All logins of each day."""
        newcomers = np.diff(self.joined_by, prepend=0)
        return newcomers + self.sessions + self.typos + self.stuffing + self.takeovers


def hostile_and_mistyped(rows: int) -> tuple[int, int, int]:
    """How many of so many logins are stuffing, takeovers and typos."""
    return int(rows * _STUFFING_SHARE), max(1, int(rows * _TAKEOVER_SHARE)), int(rows * _TYPO_SHARE)


def joining(people: int) -> Whole:
    """(days,): how many of them have logged in by the end of each day; early days bring more than late ones."""
    shares = np.sqrt(np.arange(1, SPAN_DAYS + 1) / SPAN_DAYS)
    joined: Whole = (people * shares).astype(np.int64)
    return joined


def schedule(rows: int, people: int, draws: Draws) -> Schedule:
    """The days of a log with exactly so many logins; there must be one for everybody besides the hostile ones."""
    joined_by = joining(people)
    stuffing, takeovers, typos = hostile_and_mistyped(rows)
    days = np.arange(SPAN_DAYS)
    usual = (joined_by * _WEEKDAYS[days % 7]).astype(np.float64)
    campaigns = np.where(draws.happens(_CAMPAIGN_SHARE, "campaign", days), _CAMPAIGN_WEIGHT, 1.0)
    return Schedule(
        joined_by=joined_by,
        sessions=_apportioned(rows - people - stuffing - takeovers - typos, usual),
        typos=_apportioned(typos, usual),
        stuffing=_apportioned(stuffing, campaigns),
        takeovers=_apportioned(takeovers, usual),
    )


def _apportioned(total: int, weights: NDArray[np.float64]) -> Whole:
    """`total` in whole parts that follow the weights."""
    sums = np.cumsum(weights)
    parts: Whole = np.diff((total * (sums / sums[-1])).astype(np.int64), prepend=0)
    return parts
