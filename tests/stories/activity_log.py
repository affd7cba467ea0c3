"""Invented people at work, as the training's simulator writes them, told to the engine as a library. Synthetic."""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from plumbing.clock import FixedClock
from risk_scorer.contract.activity import Assessment
from risk_scorer.core.facts import IpFacts
from risk_scorer.core.observation import prefix_of
from risk_scorer.engine import ActivityEvent, EngineConfig, IdentityContext, PrivilegeChange, RiskEngine
from training.activity.acting import begun, hand_of
from training.activity.calendar import DAY_SECONDS
from training.activity.event import Change, Event, Session
from training.activity.log import Plan
from training.activity.people import STARTS, Device, Person, Place, carrier_place, person, software
from training.activity.services import PRIVILEGES, ROLE_SHARES
from training.activity.sessions import Start, act, session, starts, whereabouts
from training.simulator.chance import Chance

PEOPLE, DAYS = 200, 21
QUIET_DAYS = 14
"""Nothing but ordinary work until then."""


class Told:
    """The engine, told of events as their applications would, with the networks that the log names."""

    def __init__(self) -> None:
        self._networks: dict[str, IpFacts] = {}
        config = EngineConfig(networks=lambda ip: self._networks.get(ip, IpFacts()))
        self.engine = RiskEngine(config, clock=FixedClock(STARTS))

    def of(self, event: Event) -> Assessment:
        if event.ip not in self._networks:
            self._networks[event.ip] = IpFacts(asn=event.asn, country=event.country, prefix=prefix_of(event.ip))
        identity = IdentityContext(
            user_id=event.user_id, device_id=event.device_id, ip=event.ip, geo=event.country,
            user_agent=event.user_agent, session_id=event.session_id, ja4=event.ja4, roles=event.roles,
            privileges=event.privileges,
        )  # fmt: skip
        done = ActivityEvent(
            timestamp=event.moment, endpoint=event.endpoint, method=event.method, status_code=event.status,
            latency_ms=event.latency_ms, bytes_in=event.bytes_in, bytes_out=event.bytes_out, service=event.service,
            trace_id=event.trace_id, event_type=event.event_type,
        )  # fmt: skip
        change = None if event.change is None else PrivilegeChange(**event.change._asdict())
        return self.engine.assess_event(identity, done, change)


def whole(sessions: Iterable[Session]) -> list[tuple[Event, str]]:
    """Their events in order of time, each with what its session is called."""
    return sorted(((event, made.kind) for made in sessions for event in made.events), key=lambda each: each[0][:3])


def ordinary(seed: int, *, rows: int = 20_000, days: int = DAYS) -> list[tuple[Start, Session]]:
    """The sessions of two hundred people who share an office and nothing else."""
    plan = Plan(rows=rows, people=PEOPLE, days=DAYS, seed=seed)
    a_day = plan.sessions / PEOPLE / DAYS
    found = [
        start
        for day in range(days)
        for number in range(PEOPLE)
        for start in starts(number, day, a_day=a_day, seed=seed, days=DAYS)
    ]
    return [(start, session(start, seed=seed, days=DAYS)) for start in found]


def moved(made: Session, places: list[Place], *, every: int) -> Session:
    """The same session, which is in the next of the places after so many events."""
    for turn, event in enumerate(made.events):
        place = places[turn // every % len(places)]
        made.events[turn] = event._replace(ip=place.ip, asn=place.asn, country=place.country)
    return made


def upgraded(made: Session, who: Person, day: int) -> Session:
    """In its midst the browser starts anew as its version of two months later."""
    devices: list[Device] = [device for device in (who.desktop, who.phone) if device is not None]
    for turn in range(len(made.events) // 2, len(made.events)):
        event = made.events[turn]
        device = next(device for device in devices if device.device_id == event.device_id)
        agent, ja4 = software(device.browser, 0, day + 60)
        made.events[turn] = event._replace(user_agent=agent, ja4=ja4)
    return made


def promoted(start: Start, who: Person, seed: int, *, is_first: bool) -> Session:
    """A session in another role, as was announced when the first of them began."""
    chance = Chance(f"{seed}/promoted/{start}")
    after = Chance(f"{seed}/promoted/{who.number}").pick(
        [role for role in ROLE_SHARES if role not in (who.role, "admin")]
    )
    changed = replace(who, next_role=(QUIET_DAYS - 1, after))
    acting = begun(changed, f"promoted-{start.number}-{start.day}-{start.turn}", start.moment, seed=seed,
                   day=start.day, chance=chance)  # fmt: skip
    device, place = whereabouts(changed, start.moment, chance)
    hand = hand_of(changed, device, place, start.moment)
    change = Change((who.role,), (after,), PRIVILEGES[who.role], PRIVILEGES[after])
    acting.go(hand, "POST /login", change=change if is_first else None)
    act(acting, hand, changed, steps=8)
    return acting.session


def on_call(made: Session, start: Start, who: Person) -> Session:
    """The same work in the night, from home."""
    first = made.events[0].moment
    hour = (start.number * 0.37 + start.turn * 1.3) % 5.0
    night = first // DAY_SECONDS * DAY_SECONDS + (hour - who.city.utc_offset_hours) % 24 * 3600
    made.events[:] = [
        event._replace(
            moment=event.moment + night - first, started=night, ip=who.home.ip, asn=who.home.asn,
            country=who.home.country,
        )
        for event in made.events
    ]  # fmt: skip
    return made


OFFICE = Place("office", "198.51.100.1", 64_499, "DE")


LOOK_ALIKES = ("office_moved", "carrier", "wifi_to_mobile", "browser_upgrade", "role_change", "on_call_night")


def looking_alike(seed: int) -> list[Session]:
    """Three weeks, in whose last one each person does something that only looks like an attack."""
    found, changed = [], set[int]()
    for turn, (start, made) in enumerate(ordinary(seed)):
        who = person(start.number, seed, DAYS)
        kind = LOOK_ALIKES[start.number % len(LOOK_ALIKES)] if start.day >= QUIET_DAYS else ""
        if kind == "office_moved":
            moved(made, [OFFICE], every=1)
        elif kind == "carrier":
            exits = [carrier_place(who, Chance(f"{seed}/exit/{number}")) for number in range(9)]
            moved(made, exits, every=2)
        elif kind == "wifi_to_mobile":
            out = carrier_place(who, Chance(f"{seed}/out/{turn}"))
            moved(made, [who.home, out], every=max(1, len(made.events) // 2))
        elif kind == "browser_upgrade":
            upgraded(made, who, start.day)
        elif kind == "role_change":
            made = promoted(start, who, seed, is_first=start.number not in changed)
            changed.add(start.number)
        elif kind == "on_call_night":
            on_call(made, start, who)
        made.kind = kind or "ordinary"
        found.append(made)
    return found


def neighbours(ip: str) -> str:
    """The address beside it."""
    return str(ipaddress.ip_address(ip) + 1)
