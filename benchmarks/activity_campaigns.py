"""Campaign detection beside scoring: a process on a core of its own looks at what the scorer has stored so far.

It looks once a minute, at all days of the invented log, and once more when the scorer is done.
"""

import os
import sys
import threading
import time
from pathlib import Path

import msgspec

from benchmarks.activity_log import DAYS, most_resident_bytes
from plumbing.clock import FixedClock
from plumbing.randomness import SystemRandomness
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from risk_scorer.adapters.storage import open_database
from risk_scorer.campaigning import campaign_watch, follow
from risk_scorer.flows.activity.campaigns import Looked
from training.activity.calendar import DAY_SECONDS
from training.activity.people import STARTS

EVERY_SECONDS = 60.0
CORE = 1


class Watched(msgspec.Struct, frozen=True):
    """How often it looked, at how many events of how many accounts in the end, and what that took."""

    looks: int
    events: int
    accounts: int
    campaigns: int
    longest_seconds: float
    last_seconds: float
    core_seconds: float
    resident_bytes: int


def main() -> None:
    """Looks until its input is closed, then once more; told as JSON."""
    if (os.cpu_count() or 1) > CORE:
        os.sched_setaffinity(0, {CORE})
    database = open_database(f"sqlite:///{Path(sys.argv[1])}")
    watch = campaign_watch(
        database,
        clock=FixedClock(STARTS + DAYS * DAY_SECONDS),
        randomness=SystemRandomness(),
        window_seconds=DAYS * DAY_SECONDS,
        kept_days=90,
        told=SignalOutbox(),
        incidents=None,
    )
    looked: list[Looked] = []
    done = threading.Event()
    following = threading.Thread(
        target=follow, args=(watch, done, looked.append), kwargs={"every_seconds": EVERY_SECONDS}
    )
    following.start()
    sys.stdin.buffer.read()
    done.set()
    following.join()
    began = time.perf_counter()
    last = watch.look()
    last_seconds = time.perf_counter() - began
    database.close()
    if last is None:
        raise RuntimeError("nobody else looks at this store")
    sys.stdout.buffer.write(msgspec.json.encode(_watched([*looked, last], last_seconds)) + b"\n")


def _watched(looked: list[Looked], last_seconds: float) -> Watched:
    last = looked[-1]
    return Watched(
        looks=len(looked),
        events=last.events,
        accounts=last.accounts,
        campaigns=last.campaigns,
        longest_seconds=max(each.seconds for each in looked),
        last_seconds=last_seconds,
        core_seconds=time.process_time(),
        resident_bytes=most_resident_bytes(),
    )


if __name__ == "__main__":
    main()
