"""For each detector an attack that the others miss without it, and work that looks like it and is left alone."""

import random
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.detectors.endpoint_skew import EndpointSkew
from risk_scorer.core.activity.detectors.hours import Hours
from risk_scorer.core.activity.detectors.rhythm import Rhythm
from risk_scorer.core.activity.detectors.sequence import Sequence as Order
from risk_scorer.core.activity.detectors.timing import Timing
from risk_scorer.core.activity.detectors.traffic import Traffic
from risk_scorer.core.activity.detectors.volume import Volume
from risk_scorer.core.activity.seen import Seen, action_of
from tests.unit.risk_scorer.core.activity.work import (
    DAY,
    HOUR,
    LATER,
    WAY,
    House,
    done,
    settled,
    sitting,
    weeks,
    without,
)

DETECTORS: tuple[Detector, ...] = (Traffic(), EndpointSkew(), Order(), Timing(), Rhythm(), Volume(), Hours())
PLACES = ("/vault", "/payroll", "/audit")
FOREIGN = ("/admin/users", "/admin/settings", "/admin/keys", "/admin/audit")


def at(seen: Seen, endpoint: str) -> Seen:
    return replace(seen, endpoint=endpoint, action=action_of("GET", endpoint))


def paced(events: int, median_seconds: float, spread: float = 1.0, **facts: object) -> list[Seen]:
    """Ada's usual way at another pace, unevenly."""
    chance, ts, made = random.Random(3), LATER, []
    for seen in sitting(events, **facts):
        made.append(replace(seen, ts=ts))
        ts += median_seconds * chance.lognormvariate(0.0, spread)
    return made


def scraping() -> list[Seen]:
    return paced(150, 0.4, bytes_out=200)


def a_busy_morning() -> list[Seen]:
    return paced(30, 7.0)


def looking_around() -> list[Seen]:
    return [at(seen, FOREIGN[place % 4]) if place > 2 else seen for place, seen in enumerate(sitting(10))]


def asking_for_help() -> list[Seen]:
    return [at(seen, "/help") if place in (4, 9) else seen for place, seen in enumerate(sitting(20))]


def backwards() -> list[Seen]:
    return [at(seen, WAY[-place % len(WAY)]) for place, seen in enumerate(sitting(25))]


def leaving_steps_out() -> list[Seen]:
    return [at(seen, WAY[2 * place % len(WAY)]) for place, seen in enumerate(sitting(12))]


def beside_others(their_latency_ms: float) -> list[Seen]:
    """Ada waits long, while Bo and Cy work at the same minutes."""
    made = []
    for seen in sitting(12, latency_ms=450.0):
        facts = {"latency_ms": their_latency_ms}
        others = [replace(seen, user_id=user, session_id=f"{user}-{seen.session_id}", **facts) for user in ("bo", "cy")]
        made += [*others, replace(seen, ts=seen.ts + 0.5)]
    return made


def through_relays() -> list[Seen]:
    return beside_others(50.0)


def a_slow_server() -> list[Seen]:
    return beside_others(430.0)


def a_loop() -> list[Seen]:
    return sitting(40, pause=7.0)


def an_uneven_sitting() -> list[Seen]:
    return sitting(40)


def an_export() -> list[Seen]:
    sizes = {3: 80_000_000, 5: 80_000_000}
    return [replace(seen, bytes_out=sizes.get(place, seen.bytes_out)) for place, seen in enumerate(sitting(10))]


def the_end_of_the_month() -> list[Seen]:
    return [replace(seen, bytes_out=5 * seen.bytes_out) for seen in sitting(25)]


def much_at_night() -> list[Seen]:
    """As much as on no other day, at two o'clock: by day it would not be asked about."""
    return [replace(seen, bytes_out=18 * seen.bytes_out) for seen in sitting(12, start=LATER - 6 * HOUR)]


def a_letter_at_night() -> list[Seen]:
    return sitting(12, start=LATER - 6 * HOUR)


Scene = Callable[[], list[Seen]]
SCENES: Sequence[tuple[str, Scene, Scene]] = (
    ("traffic", scraping, a_busy_morning),
    ("endpoint_skew", looking_around, asking_for_help),
    ("sequence", backwards, leaving_steps_out),
    ("timing", through_relays, a_slow_server),
    ("rhythm", a_loop, an_uneven_sitting),
    ("volume", an_export, the_end_of_the_month),
    ("hours", much_at_night, a_letter_at_night),
)
NAMES = [name for name, _, _ in SCENES]


def adas_worst(house: House, events: Sequence[Seen]) -> float:
    """The highest score that Ada's own session has on the way."""
    worst = 0.0
    for seen in events:
        judged = house.engine.assess(seen, house.around(seen))
        worst = max(worst, judged.total_score if seen.user_id == "ada" else 0.0)
    return worst


@pytest.mark.parametrize(("name", "attack", "look_alike"), SCENES, ids=NAMES)
def test_each_detector_catches_what_the_others_miss(name: str, attack: Scene, look_alike: Scene) -> None:
    """With all there are the attack reaches the mark, without this one it does not, and the look-alike never does."""
    assert adas_worst(settled(ALL), attack()) >= STEP_UP_FROM
    assert adas_worst(settled(without(ALL, name)), attack()) < STEP_UP_FROM
    assert adas_worst(settled(ALL), look_alike()) < STEP_UP_FROM


@pytest.mark.parametrize(("name", "attack", "_"), SCENES, ids=NAMES)
def test_a_hundred_times_the_same_attack_is_as_suspicious_as_the_first(name: str, attack: Scene, _: Scene) -> None:
    """Once a day, and nobody does anything about it: neither the person nor the small group learns that it is usual."""
    house, worst = settled(DETECTORS), list[float]()
    for turn in range(100):
        again = [
            replace(seen, ts=seen.ts + turn * (DAY + 0.001), session_id=f"{seen.user_id}{turn}") for seen in attack()
        ]
        worst.append(adas_worst(house, again))
    assert min(worst) >= STEP_UP_FROM


def test_as_much_by_day_is_not_asked_about() -> None:
    """What the night alone makes suspicious is left alone at nine o'clock."""
    by_day = [replace(seen, ts=seen.ts + 7 * HOUR) for seen in much_at_night()]
    assert adas_worst(settled(DETECTORS), by_day) < STEP_UP_FROM


def test_the_scenes_end_as_they_say() -> None:
    """The reason that is told first is the one that the scene is about."""
    for name, attack, _ in SCENES[:-1]:
        house = settled(DETECTORS)
        judged = house.sees(attack())  # the last event is Ada's
        assert max(judged.found, key=lambda each: each.nats).detector == name
        assert house.engine.signals(judged)[0].points > 20.0


def test_whoever_is_alone_on_a_server_is_not_blamed_for_it() -> None:
    """Ada waits as long as through relays, and nobody else is there who would show that the server is as usual."""
    assert adas_worst(settled(DETECTORS), sitting(12, latency_ms=450.0)) < STEP_UP_FROM


def test_polling_is_no_loop_of_somebody_elses() -> None:
    """An application that asks every 30 seconds has taught that it does, and is not told from what it always did."""
    house = House(DETECTORS)
    for day in range(15):
        house.sees([done(LATER + day * 24 * HOUR + 30.0 * turn, session=f"d{day}") for turn in range(20)])
    after = [done(LATER + 20 * 24 * HOUR + 30.0 * turn, session="after") for turn in range(60)]
    assert adas_worst(house, after) < STEP_UP_FROM


def test_a_loop_is_known_by_its_fifth_request_and_teaches_no_evenness() -> None:
    """Also a new account's, whose first even pauses are all that is known of it; also at the tenth time."""
    house = settled(DETECTORS)
    for turn in range(10):
        start = LATER + turn * DAY
        loop = [done(start + 4.2 * step, user="eve", session=f"e{turn}", bytes_out=900) for step in range(8)]
        scores = [house.engine.assess(seen, house.around(seen)).total_score for seen in loop]
        assert max(scores[:3]) < STEP_UP_FROM <= max(scores)


@pytest.mark.parametrize("pause_seconds", [60.0, 240.0, 600.0])
def test_whoever_goes_slower_than_ever_is_no_loop(pause_seconds: float) -> None:
    """Long pauses are no sign, only even ones: who reads instead of clicking is left alone, a loop as slow is seen."""
    for spread in (0.5, 0.7, 1.0):
        assert adas_worst(settled((Rhythm(),)), paced(40, pause_seconds, spread)) < STEP_UP_FROM
    slow_loop = sitting(12, pause=pause_seconds)
    assert adas_worst(settled(ALL), slow_loop) >= STEP_UP_FROM
    assert adas_worst(settled(without(ALL, "rhythm")), slow_loop) < STEP_UP_FROM


def after_tours_of(*users: str) -> float:
    """The worst that a new colleague's tour of foreign pages scores, after many of them by these people."""
    house = settled((EndpointSkew(),))
    tour = [at(seen, PLACES[place - 5]) if 5 <= place < 8 else seen for place, seen in enumerate(sitting(12))]
    for turn in range(120):
        facts = {"user_id": users[turn // 4 % len(users)], "session_id": f"tour {turn}"}
        house.sees([replace(seen, ts=seen.ts + turn * (DAY + 0.001), **facts) for seen in tour])
    return house.worst([replace(seen, ts=seen.ts + 130 * DAY, user_id="eve", session_id="eve") for seen in tour])


def test_what_is_seldom_used_does_not_stay_suspicious_because_it_is_suspicious() -> None:
    """Where colleagues come now and then a newcomer may go as well; what one person alone does teaches nobody."""
    assert after_tours_of("ada", "bo", "cy", "di") < STEP_UP_FROM <= after_tours_of("ada")


@pytest.mark.parametrize(("role", "is_asked"), [("book", False), ("clerk", True)])
def test_who_changes_office_works_as_the_new_colleagues_do(role: str, is_asked: bool) -> None:
    """Habits of the old role do not speak against work in the new one, from the first session on."""
    house, theirs = House((EndpointSkew(),)), {place: f"/ledger{place}" for place in WAY}
    others = [
        replace(at(seen, theirs[seen.endpoint]), user_id=f"{user}2", session_id=f"2{seen.session_id}", peers="book")
        for user in ("bo", "cy", "di")
        for seen in weeks(user=user)
    ]
    house.sees(sorted([*weeks(), *others], key=lambda each: each.ts))
    moved = [replace(at(seen, theirs[seen.endpoint]), peers=role) for seen in sitting(20)]
    assert (adas_worst(house, moved) >= STEP_UP_FROM) == is_asked


def test_night_is_where_somebody_lives() -> None:
    """Peers around the globe make no hour usual for a person whose few sessions lie by day."""
    house, night = House((Hours(),)), LATER + 17 * HOUR
    for turn, user in enumerate(("bo", "cy", "di", "eli", "flo", "gus")):
        house.sees([replace(seen, ts=seen.ts + 4 * turn * HOUR, user_id=user) for seen in weeks(user=user)])
    house.sees([seen for seen in weeks() if seen.ts > LATER - 5 * DAY])
    found = house.sees([done(night)]).found
    assert [each.code for each in found] == ["unusual_hour"]
    assert found[0].nats > 1.5
    assert not house.sees([done(LATER + DAY + 2 * HOUR, session="by day")]).found
