"""What holds for all detectors together: warm-up, lessons, bounds."""

import random

import msgspec
import pytest

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.memory import SCOPES, packed, unpacked
from risk_scorer.core.activity.seen import Change, Seen, action_of
from tests.unit.risk_scorer.core.activity.work import DAY, LATER, House, done, settled, weeks

WIDE = "𝔘"
"""Four bytes in UTF-8."""


def export(start: float, session: str) -> list[Seen]:
    """Somebody takes everything there is, out of a service where Ada never was."""
    facts = {"session": session, "service": "admin", "bytes_out": 40_000_000}
    return [done(start + 0.5 * turn, "/admin/export", **facts) for turn in range(30)]  # type: ignore[arg-type]


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_the_first_event_of_a_new_person_is_no_alarm(hour: int) -> None:
    """At no hour, of no size, whether nobody is known yet or a whole group."""
    first = done(LATER + hour * 3600.0, "/admin/export", user="new", session="n", bytes_out=10**9, latency_ms=9_000.0)
    assert House(ALL).sees([first]).total_score < STEP_UP_FROM
    assert settled(ALL).sees([first]).total_score < STEP_UP_FROM


def test_whoever_nothing_is_known_of_is_unknown_and_not_safe() -> None:
    """Every detector with a baseline says so by name, and a first session of ordinary work is left alone."""
    house = House(ALL)
    first = house.sees([done(LATER, user="new", session="n")])
    assert {"traffic", "endpoint_skew", "sequence", "timing", "volume", "hours"} <= set(first.unknown)
    assert house.worst([seen for seen in weeks(user="new") if seen.session_id == "new-0-0"]) < STEP_UP_FROM


def test_an_attack_that_is_repeated_a_hundred_times_teaches_nothing() -> None:
    """Each time in a session of its own; at the end it is as suspicious as at the beginning, and so is what it took."""
    house = settled(ALL)
    once = house.worst(export(LATER, "x"))
    for turn in range(100):
        house.sees(export(LATER + (turn + 1) * DAY / 4, f"x{turn}"))
    assert once >= STEP_UP_FROM
    assert house.worst(export(LATER + 30 * DAY, "y")) >= once - 1.0
    assert "/admin/export" not in house.people["ada"]["endpoint_skew"].used


def test_ordinary_weeks_are_left_alone() -> None:
    """Of 120 sittings of people at their usual work two at most reach the mark."""
    house = House(ALL)
    worst: dict[str, float] = {}
    everything = [seen for user in ("ada", "bo", "cy", "di") for seen in weeks(user=user)]
    for seen in sorted(everything, key=lambda each: each.ts):
        score = house.engine.assess(seen, house.around(seen)).total_score
        worst[seen.session_id] = max(worst.get(seen.session_id, 0.0), score)
    assert len(worst) == 120
    assert sum(score >= STEP_UP_FROM for score in worst.values()) <= 2


def hostile(chance: random.Random, number: int) -> Seen:
    """Every text as long as it may be and never the same, every number as large."""

    def text(length: int) -> str:
        return f"{chance.randrange(10**9)}".ljust(length, WIDE)

    endpoint, names = text(80), tuple(text(128) for _ in range(8))
    return Seen(
        ts=chance.choice([1e9, 1e9 + number * 7.0, 1e9 + number * 40_000.0]), event_id=str(number), user_id="u",
        session_id="s", endpoint=endpoint, action=action_of("POST", endpoint), status=chance.choice([200, 401, 404]),
        latency_ms=chance.choice([0.0, 1e9]), bytes_in=2**53 - 1, bytes_out=2**53 - 1, service=text(128), trace_id="t",
        device_id=text(256), ip=text(39), prefix=text(43), asn=chance.randrange(2**32), country=text(128),
        browser=text(256), os=text(256), ja4=text(256), roles=names, privileges=names, peers="p",
        change=Change(ts=0.0, new_roles=names, new_privileges=names), object_id=text(64),
    )  # fmt: skip


def test_thousands_of_names_do_not_make_a_memory_larger_than_it_says() -> None:
    """Whoever sends ever new endpoints, addresses and devices fills what is there, and no more; nothing is lost."""
    engine, house, chance = Engine(ALL), House(ALL), random.Random(2)
    around = house.around(hostile(chance, 0))
    for number in range(2_500):
        seen = hostile(chance, number)
        engine.assess(seen, around)
        for detector in ALL:
            detector.learn(seen, around)
    bounds = engine.most_bytes()
    for scope in SCOPES:
        stored = packed(getattr(around, scope))
        assert len(stored) <= bounds[scope], scope
        assert packed(unpacked(stored, engine.parts(scope))) == stored


def test_a_person_takes_a_few_kilobytes() -> None:
    """Three weeks of work in all parts of one person and of one session, as they are stored."""
    house = settled(ALL)
    assert len(packed(house.people["ada"])) < 4_000
    assert len(packed(house.sessions["ada-0-0"])) < 2_000


def test_memories_that_were_stored_go_on_as_if_they_had_not_been() -> None:
    """A scorer that restarts gives the same scores."""
    kept, stored = settled(ALL), settled(ALL)
    for scope, memories in (("person", stored.people), ("peers", stored.peers), ("service", stored.services)):
        for key in list(memories):
            memories[key] = unpacked(packed(memories[key]), stored.engine.parts(scope))  # type: ignore[arg-type]
    events = export(LATER, "x")
    scores = [kept.engine.assess(seen, kept.around(seen)).total_score for seen in events]
    assert scores == [stored.engine.assess(seen, stored.around(seen)).total_score for seen in events]


def test_every_detector_says_what_it_needs_and_what_it_finds() -> None:
    """A warm-up in words, a sentence for each code, no code of two detectors, a bound for each part."""
    codes = [code for each in ALL for code in each.texts]
    assert len(codes) == len(set(codes))
    assert all(each.warm_up and each.texts and all(each.texts.values()) for each in ALL)
    assert all(part.most_bytes > 0 for each in ALL for part in each.parts.values())
    assert msgspec.json.encode(Engine(ALL).most_bytes())
