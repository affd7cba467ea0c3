"""What happens to everybody at once: the end of a month, and a server that is slow for some hours."""

import datetime
from functools import lru_cache

from training.simulator.chance import Chance

DAY_SECONDS = 86_400
_SLOW_SERVICES = ("tickets", "crm", "repo", "billing", "docs")
_SLOW_SHARE = 0.06
"""Of the days of a service."""


@lru_cache(4096)
def _slow_hours(seed: int, service: str, day: int) -> tuple[float, float, float]:
    chance = Chance(f"{seed}/activity/slow/{service}/{day}")
    if service not in _SLOW_SERVICES or not chance.happens(_SLOW_SHARE):
        return (0.0, 0.0, 1.0)
    begins = chance.between(6, 15)
    return (begins, begins + chance.between(1, 4), chance.between(5, 15))


def slowdown(seed: int, service: str, moment: float) -> float:
    """By which factor the service answers more slowly at this moment; 1 is as usual."""
    day, second = divmod(moment, DAY_SECONDS)
    begins, ends, factor = _slow_hours(seed, service, int(day))
    return factor if begins <= second / 3600 < ends else 1.0


@lru_cache(4096)
def is_month_end(epoch_day: int) -> bool:
    """Whether it is one of the last three days of a month, or the first."""
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=epoch_day)
    return date.day == 1 or (date + datetime.timedelta(days=3)).month != date.month


def weekday(epoch_day: int) -> int:
    """0 is Monday: 1970-01-01 was a Thursday."""
    return (epoch_day + 3) % 7
