"""An invented office of thirty people who have worked for three weeks: what is usual before something happens."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec.structs import replace

from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine, Judged
from risk_scorer.core.activity.memory import SCOPES, Around, Memory, Scope, packed, unpacked
from risk_scorer.core.activity.seen import Seen, SessionFacts, action_of, endpoint_template, object_of, peers_of

DAY = 86_400.0
STARTS = 1_748_822_400.0
"""Monday, 2025-06-02."""
DAYS = 19
TODAY = STARTS + 21 * DAY + 9 * 3600.0
"""A Monday morning after three weeks."""
PEOPLE = 30
NOON = 12 * 3600.0


@dataclass(frozen=True)
class Client:
    browser: str = "Chrome"
    os: str = "Windows"
    ja4: str = "t13d1516h2_8daaf6152771_02713d6af862"
    device_id: str = "device"


@dataclass(frozen=True)
class Place:
    ip: str = "192.0.2.10"
    asn: int = 64_500
    country: str = "DE"
    latitude: float = 52.5
    longitude: float = 13.4


@dataclass(frozen=True)
class Person:
    name: str
    client: Client
    place: Place
    roles: tuple[str, ...] = ("staff",)
    privileges: tuple[str, ...] = ("docs:read", "crm:read")


def person(number: int) -> Person:
    """The same person for the same number; the last three are administrators."""
    roles = ("admin",) if number >= PEOPLE - 3 else ("staff",)
    return Person(
        f"person-{number}",
        Client(device_id=f"device-{number}"),
        Place(ip=f"198.51.{number}.7", asn=64_600 + number % 5),
        roles,
        ("docs:read", "crm:read", "users:write") if roles == ("admin",) else ("docs:read", "crm:read"),
    )


ELSEWHERE = Place(ip="203.0.113.9", asn=65_001)
SAO_PAULO = Place(ip="203.0.113.77", asn=65_002, country="BR", latitude=-23.5, longitude=-46.6)
OTHER_CLIENT = Client(browser="Firefox", os="Linux", ja4="t13d1715h2_5b57614c22b0_3d5424432f57", device_id="")

WAYS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("portal", "/home"), ("portal", "/news")),
    (("docs", "/docs"), ("docs", "/docs/{}"), ("docs", "/docs/{}"), ("docs", "/docs/{}")),
    (("crm", "/customers"), ("crm", "/customers/{}"), ("docs", "/docs/{}")),
    (("billing", "/invoices"), ("billing", "/invoices/{}")),
)
ADMIN_WAYS = ((("vault", "/home"), ("keys", "/home"), ("audit", "/home")),)


class Office:
    """Judges what people do with all detectors but `without`, after three quiet weeks."""

    def __init__(self, without: str = "", *, is_new: bool = False) -> None:
        self.engine = Engine([detector for detector in ALL if detector.name != without])
        self.memories: dict[Scope, dict[str, Memory]] = {scope: {} for scope in SCOPES}
        if not is_new:
            parts = {scope: Engine(ALL).parts(scope) for scope in SCOPES}
            for scope, key, stored in _three_weeks():
                self.memories[scope][key] = unpacked(stored, parts[scope])
        self.began: dict[str, SessionFacts] = {}
        self.number = 0

    def around(self, seen: Seen) -> Around:
        keys = (seen.user_id, seen.session_id, seen.peers, seen.service, "", seen.trace_id)
        return Around(*[self.memories[scope].setdefault(key, {}) for scope, key in zip(SCOPES, keys, strict=True)])

    def act(self, who: Person, at: float, step: tuple[str, str], session: str, **what: Any) -> Judged:
        """One event; `what` are fields of `Seen` that are not as usual. The first one of a session begins it."""
        self.number += 1
        service, endpoint = step
        prefix = who.place.ip.rpartition(".")[0] + ".0/24"
        began = self.began.setdefault(
            session,
            SessionFacts(
                ip=who.place.ip, prefix=prefix, asn=who.place.asn, country=who.place.country,
                browser=who.client.browser, os=who.client.os, device_id=who.client.device_id, ja4=who.client.ja4,
                started_at=at,
            ),
        )  # fmt: skip
        template = endpoint_template(endpoint)
        usual = Seen(
            ts=at, event_id=str(self.number), user_id=who.name, session_id=session, endpoint=template,
            action=action_of("GET", template), status=200, latency_ms=80.0 + self.number % 7, bytes_in=300,
            bytes_out=4_000 + self.number % 500, service=service, device_id=who.client.device_id, ip=who.place.ip,
            prefix=prefix, asn=who.place.asn, country=who.place.country, browser=who.client.browser, os=who.client.os,
            device_type="desktop", ja4=who.client.ja4, roles=who.roles, privileges=who.privileges,
            peers=peers_of(who.roles), began=began, object_id=object_of(endpoint), latitude=who.place.latitude,
            longitude=who.place.longitude,
        )  # fmt: skip
        seen = replace(usual, **what)
        return self.engine.assess(seen, self.around(seen))

    def forget_sessions(self) -> None:
        """What comes now is in new sessions and traces, whatever they are called."""
        self.memories["session"], self.memories["trace"], self.began = {}, {}, {}

    def work(self, who: Person, at: float, session: str, *, events: int = 12, seed: int = 0) -> list[Judged]:
        """An ordinary session, or part of one."""
        return [self.act(who, at + gap, step, session, **what) for gap, step, what in ordinary(who, events, seed)]


def ordinary(who: Person, events: int, seed: int) -> Iterator[tuple[float, tuple[str, str], dict[str, Any]]]:
    """So many steps of the ways that this person goes: seconds from the first, service and endpoint, the trace."""
    chance = random.Random(f"{who.name}/{seed}")
    ways = WAYS + (ADMIN_WAYS if "admin" in who.roles else ())
    gap, done = 0.0, 0
    while True:
        trace = f"{chance.getrandbits(48):x}"
        for service, endpoint in chance.choice(ways):
            yield gap, (service, endpoint.format(chance.randrange(1, 9_000))), {"trace_id": trace}
            gap += chance.lognormvariate(2.6, 0.7)
            done += 1
            if done == events:
                return


@cache
def _three_weeks() -> tuple[tuple[Scope, str, bytes], ...]:
    """What is remembered after them, packed."""
    office = Office(is_new=True)
    plan = [
        (STARTS + day * DAY + 8 * 3600.0 + random.Random(f"{day}/{number}").random() * 8 * 3600.0, day, number)
        for day in range(DAYS)
        for number in range(PEOPLE)
        if day % 7 < 5
    ]
    for at, day, number in sorted(plan):
        length = random.Random(f"length {day}/{number}").randrange(5, 25)
        office.work(person(number), at, f"{day}/{number}", events=length, seed=day)
    kept: Iterable[Scope] = ("person", "peers", "service", "world")
    return tuple((scope, key, packed(memory)) for scope in kept for key, memory in office.memories[scope].items())
