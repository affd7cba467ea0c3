"""Writes the requests of one session: a hand that goes through steps from a place, with a device, at a pace."""

import math
from dataclasses import dataclass, replace

from training.activity.calendar import DAY_SECONDS, slowdown
from training.activity.event import Change, Event, Session, opaque
from training.activity.people import STARTS, Device, Person, Place, software
from training.activity.services import PRIVILEGES, STEPS, Step
from training.simulator.chance import Chance

_MOST_ID = 9_000
_PAUSE_SHARE, _PAUSE_SECONDS = 0.06, 150.0
"""Now and then somebody reads, or is called away."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts from where. `ja4` and `user_agent` are what the connection shows; `beat_seconds` makes it a machine."""

    place: Place
    device_id: str
    device_type: str
    user_agent: str
    ja4: str
    pace_seconds: float
    beat_seconds: float = 0.0
    slowness: float = 1.0
    hostile: bool = False


@dataclass(slots=True)
class Acting:
    """A session being written: `moment` is the next request's; `seed` chooses when servers are slow."""

    session: Session
    moment: float
    roles: tuple[str, ...]
    privileges: tuple[str, ...]
    seed: int
    chance: Chance
    started: float = 0.0
    trace: str = ""

    def __post_init__(self) -> None:
        self.started = round(self.moment, 3)

    def go(self, hand: Hand, name: str, *, trace: str = "", change: Change | None = None, **told: float) -> None:
        """One request, and the wait after it. `told` fixes status, item or size (relative to the usual)."""
        step, fraction = STEPS[name], self.chance.fraction
        moment = round(self.moment, 3)
        slow = slowdown(self.seed, step.service, moment)
        endpoint = step.template
        if "{id}" in endpoint:
            item = int(told["item"]) if "item" in told else 1 + int(_MOST_ID * fraction() ** 2)
            endpoint = endpoint.replace("{id}", str(item))
        status = int(told["status"]) if "status" in told else _status(step, fraction(), slow)
        size = step.bytes_out * told.get("size", 1.0) * spread(fraction(), fraction(), 0.5) if status < 400 else 180.0
        number = len(self.session.events) + 1
        self.session.events.append(
            Event(
                moment, self.session.session_id, number, self.session.user_id, hand.device_id, hand.device_type,
                hand.place.ip, hand.place.asn, hand.place.country, hand.user_agent, hand.ja4, self.roles,
                self.privileges, step.service, step.method, endpoint, step.event_type, status,
                round(step.latency_ms * hand.slowness * slow * spread(fraction(), fraction(), 0.22), 1),
                int(120 + 500 * fraction()) if step.method == "GET" else int(300 + 1500 * fraction()),
                int(size), trace or opaque(self.session.session_id, number, "t")[:12], self.started, change,
                hand.hostile,
            )
        )  # fmt: skip
        self.moment += wait(hand, self.chance)


def wait(hand: Hand, chance: Chance) -> float:
    """Seconds until the hand's next request: even for a machine, uneven and with pauses for a person."""
    if hand.beat_seconds:
        return hand.beat_seconds * (1 + 0.01 * (chance.fraction() - 0.5))
    if chance.fraction() < _PAUSE_SHARE:
        return _PAUSE_SECONDS * (0.3 + 2 * chance.fraction())
    return hand.pace_seconds * spread(chance.fraction(), chance.fraction(), 0.8)


def spread(first: float, second: float, sigma: float) -> float:
    """A log-normal factor of median 1 from two fractions. Source: Box and Muller 1958."""
    return math.exp(sigma * math.sqrt(-2.0 * math.log(1.0 - first)) * math.cos(2.0 * math.pi * second))


def hand_of(person: Person, device: Device, place: Place, moment: float) -> Hand:
    """The person's own hand, as a browser of that day shows it."""
    agent, ja4 = software(device.browser, int(device.lag_days), int((moment - STARTS) // DAY_SECONDS))
    return Hand(place, device.device_id, device.kind, agent, ja4, person.pace_seconds, 0.0, person.slowness)


def elsewhere(hand: Hand, place: Place) -> Hand:
    """The same browser on another network."""
    return replace(hand, place=place)


def begun(person: Person, session_id: str, moment: float, *, seed: int, day: int, chance: Chance) -> Acting:
    """A new session of the person at this moment, in the role of that day."""
    role = person.role_on(day)
    return Acting(Session(session_id, person.user_id), moment, (role,), PRIVILEGES[role], seed, chance)


def _status(step: Step, drawn: float, slow: float) -> int:
    if slow > 1.0 and drawn < 0.04:
        return 503
    if drawn > 0.994:
        return 404 if "{id}" in step.template else 403
    return 201 if step.method == "POST" and step.event_type == "click" else 200
