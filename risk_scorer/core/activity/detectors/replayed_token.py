"""A token that was copied and keeps its client: used in two places at once, or waking up far from where it slept.

One jump is a VPN that was switched on, two are on and off; a thief and an owner in turns jump on and on. Jumps count
within one service, because a VPN may carry some services and leave the others alone. A laptop that is opened abroad
after a night is a journey, so that alone is weak, and weaker in a country where the person has been.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of
from risk_scorer.core.places import EARTH_RADIUS_KM

_NAME = "replayed_token"
POSSIBLE_KMH = 900.0
"""Airliners cruise at it."""
SLACK_KM = 400.0
"""What is taken from a distance: addresses tell places by a city at best, at both ends."""
LEAST_SECONDS = 60.0
"""Events closer in time are taken to be so far apart: clocks of two reporters differ."""
UNPLACED_SECONDS = 600.0
"""Without coordinates, another country within this time is half a jump: people live beside borders."""
JUMP_IF_STOLEN, JUMP_USUAL = 0.5, 0.15
"""Shares of sessions with a jump, of stolen ones that go on in two places and of people's own. Reason: a third of
people use a VPN, and switch it in the middle of something in about half of their longer sessions."""
EACH_MORE_NATS = 1.28
"""ln(0.9 / 0.25): how likely another jump follows with two people and with a switch."""
JUMPS_HALVE_SECONDS = 1800.0
IDLE_SECONDS = 8 * 3600.0
"""Longer than a working day's breaks: who comes back has slept, or is another."""
WAKES_ABROAD_NATS = 3.0
"""ln(0.2 / 0.01): about one session in a hundred goes on in another country after a night."""
OTHER_CLIENT_NATS, SAME_CLIENT_NATS = 2.6, -0.7
"""ln(0.7 / 0.05) and ln(0.3 / 0.6): whether what wakes looks like what slept."""
KNOWN_COUNTRY_NATS = -2.3
"""ln(1 / 10): who has been there goes there again."""
STRENGTH, MOST_SESSIONS, MOST_COUNTRIES, MOST_PLACES = 50.0, 400.0, 8, 8
_ANY = 0
"""The place of the session altogether, among those of its services."""
FEWEST_NATS = 0.5


class Place(Part):
    """Where one service was last used from; countries and networks without a number are digests."""

    most_bytes: ClassVar[int] = 50
    at: float
    network: int
    country: int
    latitude: float
    longitude: float


class Whereabouts(Part):
    """Where one session is, by service and altogether, with what, and how many jumps there were of late."""

    most_bytes: ClassVar[int] = 48 + MOST_PLACES * (9 + Place.most_bytes)
    places: dict[int, Place] = field(default_factory=dict)
    client: int = 0
    jumps: float = 0.0
    jumped_at: float = 0.0


class Journeys(Part):
    """How many of a person's sessions jumped, and the countries that the person was in (digests)."""

    sessions: float = 0.0
    jumped: float = 0.0
    countries: list[int] = field(default_factory=list)

    most_bytes: ClassVar[int] = 24 + 9 * MOST_COUNTRIES


class ReplayedToken(Detector):
    """A session in two places faster than anybody travels, or idle for long and then abroad."""

    name = _NAME
    family = "continuity"
    warm_up = "where the session was before, by country or coordinates"
    texts = {
        "two_places_at_once": "The session is used in turns from places that nobody travels between so fast.",
        "woke_elsewhere": "The session was idle for long and goes on in another country.",
    }
    parts = {"session": Whereabouts, "person": Journeys}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """What a change of place says; staying says nothing."""
        part: Whereabouts | None = around.session.get(_NAME)
        if part is None:
            part = _beginning(seen)
            if part is None:
                return UNKNOWN
        network = seen.asn or _prefix(seen.prefix)
        place = part.places[_ANY]
        if place.network == network:
            return None
        if not (place.country and seen.country):
            return UNKNOWN
        jump, kilometres = _jump(part.places.get(digest_of(seen.service)), seen)
        if jump:
            return _jumping(_jumps(part, seen.ts) + jump, kilometres, around)
        return _waking(part, place, seen, around)

    def learn(self, seen: Seen, around: Around) -> None:
        """Whether the person's sessions jump, and in which countries the person is."""
        part: Whereabouts | None = around.session.get(_NAME)
        country = digest_of(seen.country) if seen.country else 0
        if part is not None and (not country or part.places[_ANY].country == country):
            return
        own: Journeys | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Journeys()
        if country and country not in own.countries:
            own.countries.append(country)
            del own.countries[:-MOST_COUNTRIES]
        if part is None:
            own.sessions += 1.0
            if own.sessions > MOST_SESSIONS:
                own.sessions, own.jumped = own.sessions / 2, own.jumped / 2
        elif not part.jumps and _jump(part.places.get(digest_of(seen.service)), seen)[0]:
            own.jumped += 1.0

    def note(self, seen: Seen, around: Around) -> None:
        """Where the session is now."""
        part: Whereabouts | None = around.session.get(_NAME)
        if part is None:
            part = around.session[_NAME] = _beginning(seen) or Whereabouts({_ANY: _here(seen)}, _client_of(seen))
        network, service = seen.asn or _prefix(seen.prefix), digest_of(seen.service)
        place, last = part.places[_ANY], part.places.get(service)
        if place.network == network:
            place.at = max(place.at, seen.ts)
        else:
            jump, _ = _jump(last, seen)
            if jump:
                part.jumps, part.jumped_at = _jumps(part, seen.ts) + jump, seen.ts
            part.places[_ANY], part.client = _here(seen), _client_of(seen)
        if last is not None and last.network == network:
            last.at = max(last.at, seen.ts)
            return
        part.places.pop(service, None)
        part.places[service] = _here(seen)
        if len(part.places) > MOST_PLACES:
            del part.places[next(each for each in part.places if each != _ANY)]


def _jumps(part: Whereabouts, ts: float) -> float:
    """Jumps of late."""
    return part.jumps * 0.5 ** (abs(ts - part.jumped_at) / JUMPS_HALVE_SECONDS) if part.jumps else 0.0


def _jumping(jumps: float, kilometres: float, around: Around) -> Finding | None:
    own: Journeys | None = around.person.get(_NAME)
    usual = JUMP_USUAL
    if own is not None:
        usual = (own.jumped + STRENGTH * usual) / (own.sessions + STRENGTH)
    nats = math.log(JUMP_IF_STOLEN / usual) + (jumps - 1.0) * EACH_MORE_NATS
    if nats < FEWEST_NATS:
        return None
    far = "another country" if math.isnan(kilometres) else f"{kilometres:.0f} km away"
    return Finding("two_places_at_once", nats, f"{jumps:.0f} jumps, {far}", "one place at a time")


def _waking(part: Whereabouts, place: Place, seen: Seen, around: Around) -> Finding | None:
    idle = seen.ts - place.at
    country = digest_of(seen.country)
    if idle < IDLE_SECONDS or country == place.country:
        return None
    own: Journeys | None = around.person.get(_NAME)
    is_same = part.client == _client_of(seen)
    nats = WAKES_ABROAD_NATS + (SAME_CLIENT_NATS if is_same else OTHER_CLIENT_NATS)
    if own is not None and country in own.countries:
        nats += KNOWN_COUNTRY_NATS
    if nats < FEWEST_NATS:
        return None
    return Finding("woke_elsewhere", nats, f"{seen.country[:32]} after {idle / 3600:.0f} h", "goes on where it was")


def _jump(place: Place | None, seen: Seen) -> tuple[float, float]:
    """1.0 for a way that nobody travels so fast, 0.5 where that is only likely, else 0.0; and its kilometres."""
    if place is None:
        return 0.0, math.nan
    seconds = abs(seen.ts - place.at)
    kilometres = _kilometres(place.latitude, place.longitude, seen.latitude, seen.longitude)
    if math.isnan(kilometres):
        other = place.country and seen.country and place.country != digest_of(seen.country)
        return (0.5 if other and seconds < UNPLACED_SECONDS else 0.0), kilometres
    hours = max(seconds, LEAST_SECONDS) / 3600.0
    return (1.0 if kilometres - SLACK_KM > POSSIBLE_KMH * hours else 0.0), kilometres


def _kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great circle; NaN when a place is unknown. Source: Sinnott 1984, "Virtues of the Haversine"."""
    first, second = math.radians(latitude), math.radians(other_latitude)
    half_way, half_round = (second - first) / 2.0, math.radians(other_longitude - longitude) / 2.0
    chord = math.sin(half_way) ** 2 + math.cos(first) * math.cos(second) * math.sin(half_round) ** 2
    return chord if math.isnan(chord) else 2.0 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, max(0.0, chord))))


def _beginning(seen: Seen) -> Whereabouts | None:
    """Where the session began, if that is known."""
    began = seen.began
    if began is None or not began.country:
        return None
    place = Place(
        began.started_at or seen.ts,
        began.asn or _prefix(began.prefix),
        digest_of(began.country),
        math.nan,
        math.nan,
    )
    return Whereabouts({_ANY: place}, _client(began.browser, began.os, began.device_id))


def _here(seen: Seen) -> Place:
    return Place(
        seen.ts,
        seen.asn or _prefix(seen.prefix),
        digest_of(seen.country) if seen.country else 0,
        seen.latitude,
        seen.longitude,
    )


def _prefix(prefix: str) -> int:
    return digest_of(prefix) if prefix else 0


def _client_of(seen: Seen) -> int:
    return _client(seen.browser, seen.os, seen.device_id)


def _client(browser: str, system: str, device_id: str) -> int:
    return digest_of(f"{browser}\n{system}\n{device_id}")
