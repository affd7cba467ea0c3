"""How soon a campaign is seen: `python -m benchmarks.campaign_times [SEED …]` looks every 15 seconds at invented logs.

Each log is the simulator's own (synthetic), with one campaign of twelve bots that begin within half an hour. The clock
starts twice: with the first thing that the first bot does, and with the first thing that the fourth does, since fewer
are no campaign. Whatever else is found is counted, too.
"""

import random
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from risk_scorer.adapters.activity.campaign_communities import Leiden
from risk_scorer.core.campaigns.communities import LEAST_MEMBERS
from risk_scorer.core.campaigns.found import look_at
from risk_scorer.core.campaigns.sighting import FAILED, Sighting
from risk_scorer.core.campaigns.window import Window
from training.activity.event import Session
from training.activity.log import Plan, events

SEEDS: Final = range(1, 21)
EVERY_SECONDS: Final = 15.0
GIVEN_UP_SECONDS: Final = 3600.0
DAY: Final = 86_400.0
REFUSED: Final = (401, 403, 429)


class Found(NamedTuple):
    """Seconds from the first bot and from the fourth until the campaign was seen, None where it was not within an hour;
    `others` counts what was found beside it."""

    after_first: float | None
    after_fourth: float | None
    others: int


def measured(seed: int) -> list[Found]:
    """Each campaign of the log of that seed."""
    bots: dict[str, dict[str, float]] = {}
    of_session: dict[str, str] = {}

    def told(session: Session) -> None:
        if session.kind == "campaign":
            of_session[session.session_id] = session.case

    log = []
    for each in events(Plan(seed=seed), told):
        mark = FAILED if each.status in REFUSED else 0
        log.append(Sighting(each.user_id, each.moment, each.ip, each.device_id, each.ja4, each.user_agent, mark))
        if each.session_id in of_session:
            began = bots.setdefault(of_session[each.session_id], {})
            began[each.user_id] = min(each.moment, began.get(each.user_id, each.moment))
    log.sort(key=lambda sighting: sighting.moment)
    return [_seen(log, began, random.Random(seed)) for began in bots.values()]


def _seen(log: Sequence[Sighting], began: dict[str, float], chance: random.Random) -> Found:
    moments = [each.moment for each in log]
    first, fourth = (sorted(began.values())[place] for place in (0, LEAST_MEMBERS - 1))
    now, others = first + chance.random() * EVERY_SECONDS, 0
    while now < first + GIVEN_UP_SECONDS:
        window = Window()
        window.add(log[bisect_left(moments, now - DAY) : bisect_right(moments, now)])
        campaigns = look_at(window, Leiden(), began=now - DAY, seconds=DAY).campaigns
        own = [each for each in campaigns if {member.user_id for member in each.members} <= began.keys()]
        others += len(campaigns) - len(own)
        if own:
            return Found(now - first, now - fourth, others)
        now += EVERY_SECONDS
    return Found(None, None, others)


def main(seeds: Sequence[int]) -> None:
    found = []
    for seed in seeds:
        for each in measured(seed):
            found.append(each)
            print(seed, *("-" if value is None else f"{value:.0f}" for value in each), flush=True)
    for name, values in (("first", [each.after_first for each in found]), ("fourth", [each[1] for each in found])):
        middle, late, most = np.percentile([value for value in values if value is not None], (50, 95, 100))
        print(f"after the {name} bot: median {middle:.0f} s, p95 {late:.0f} s, at most {most:.0f} s")
    print(f"{sum(each.after_first is None for each in found)} not seen, {sum(each.others for each in found)} others")


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or SEEDS)
