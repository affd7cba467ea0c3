"""People as the bundled sample has them: their logins as events of today, and any number of histories like theirs."""

import csv
import random
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.home import ROOT
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import Outcome
from risk_scorer.core.history import MOST_VALUES, Seen, UserHistory, decode

SAMPLE = ROOT / "data" / "sample_logins.csv"
ELSEWHERE_EVERY = 10
"""One login in so many comes from a device, a network and a country of somebody else."""
ATTACKED_EVERY, FAILURES_EACH, MOST_FAILURES = 20, 5, 500
YEAR_SECONDS = 365 * 86_400
_THEIR_OWN = ("device", "ip", "prefix", "asn", "place")
_EVERY = (*_THEIR_OWN, "country", "device_type", "os", "browser", "browser_version", "ja4", "ja4h", "ja4s", "zone")


@cache
def own_logins() -> tuple[LoginEvent, ...]:
    """The sample's logins that succeeded and are nobody's attack, oldest first."""
    with SAMPLE.open(newline="") as rows:
        return tuple(
            msgspec.convert({name: value for name, value in row.items() if value != ""}, LoginEvent, strict=False)
            for row in csv.DictReader(rows)
            if row["success"] == "true" and not row["label"]
        )


def arriving(count: int, now: str | float) -> list[LoginEvent]:
    """The sample's newest logins as if they came now, from people with histories; one in ten from elsewhere."""
    newest = own_logins()[-count:]
    if len(newest) < count:
        raise ValueError(f"the sample has only {len(newest)} logins")
    return from_elsewhere(newest, now)


def from_elsewhere(events: Sequence[LoginEvent], now: str | float) -> list[LoginEvent]:
    """The same people now: one in ten on a new device, and else as the person at the other end of the list."""
    return [
        replace(events[-1 - at], user_id=event.user_id, device_id=f"new-{at}", timestamp=now)
        if at % ELSEWHERE_EVERY == 0
        else replace(event, timestamp=now)
        for at, event in enumerate(events)
    ]


def attack(events: Sequence[LoginEvent], now: float) -> list[Outcome]:
    """Failures of other people's logins at the addresses of some of these, so that there is pressure around them."""
    failed = [
        Outcome(
            event_id=f"failed-{at}-{person}",
            event=replace(event, user_id=f"target-{at}-{person}", success=False),
            outcome="failure",
            ts=now,
        )
        for at, event in enumerate(events[::ATTACKED_EVERY])
        for person in range(FAILURES_EACH)
    ]
    return failed[:MOST_FAILURES]


def careers(people: int, logins: int, until: float) -> dict[str, list[LoginEvent]]:
    """`people` of the sample with exactly so many logins, the last of them before `until`: their own, over and over."""
    by_person = defaultdict(list)
    for event in own_logins():
        by_person[event.user_id].append(event)
    busiest = sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0]))[:people]
    return {
        person: [
            replace(own[at % len(own)], timestamp=until - (logins - at) * 86_400.0 + at % 7 * 3600.0)
            for at in range(logins)
        ]
        for person, own in busiest
    }


def histories_like(known: Mapping[str, bytes], count: int) -> Iterator[tuple[str, UserHistory]]:
    """`count` people, each like one of `known`: as many logins and values, but other devices, networks and moments."""
    chance = random.Random(0)
    templates = [decode(blob) for blob in known.values()]
    for number in range(count):
        yield f"person-{number:07d}", _somebody_else(templates[number % len(templates)], chance)


def _somebody_else(history: UserHistory, chance: random.Random) -> UserHistory:
    """The same shape and length with digits swapped and everything so many seconds later."""
    digits = str.maketrans(string.digits, "".join(chance.sample(string.digits, 10)))
    later = chance.randrange(YEAR_SECONDS)
    changed: dict[str, Any] = {}
    for name in _EVERY:
        seen: Seen = getattr(history, name)
        is_own = name in _THEIR_OWN
        # the seconds are the lower half of each packed number
        changed[name] = {value.translate(digits) if is_own else value: at + later for value, at in seen.items()}
    return replace(history, **changed, first_seen=history.first_seen + later, last_seen=history.last_seen + later)


def fullest(known: Mapping[str, bytes]) -> UserHistory:
    """The largest history like these: as many values as are kept, of the usual length, of every attribute."""
    template = decode(max(known.values(), key=len))
    full: dict[str, Seen] = {}
    for name in _EVERY:
        longest = max(getattr(template, name), key=len, default="")
        full[name] = {f"{longest[:-2]}{at:02d}": (1 << 32) + template.last_seen for at in range(MOST_VALUES)}
    return replace(template, **full)
