"""Who shares what: a device on which established people appear who never shared one, and a person on ever new devices.

A graph of people, devices and addresses, of which only new edges of one day are kept, as counts in a sketch. Offices
and carriers are nothing: an address says something only when its people come with devices that they never had either.
An edge weighs less the more devices its person has, so that wards and tills with shared machines are quiet.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import add, count_of, digest_of, halve

_NAME = "relations"
DAY = 86_400.0
KNOWN_DAYS = 3.0
"""Until then a person's devices are not known, and new ones are not edges."""
CELLS = 65_536
FULL = 12.0
"""Units in the mean cell from which counts mean nothing: about 100,000 new edges a day. Below, twice the mean is taken
from each count, which is what others put there (Deng and Rafiei 2007, "New Estimation Algorithms for Streaming Data:
Count-min Can Do More")."""
UNIT = 8
"""One edge of a person with a single device; with n devices, an n-th of it."""
FIRST_NATS, EACH_NATS = 0.3, 0.9
"""ln(0.4 / 0.3) and ln(0.5 / 0.2): somebody else's arrival on the same day, and each further one. Reason: devices are
handed on within families and pairs of colleagues; a fifth of such groups has one member more."""
NEW_IF_SHARED_PER_DAY, NEW_USUAL_PER_DAY, STRENGTH_DAYS = 4.0, 0.1, 30.0
"""New devices in a day, of an account that is passed around and of others; the latter is learned of each person."""
PASSED_ON_SHARE = 0.6
"""What is left of that evidence: new devices of one day are not independent, people set up several at once."""
LATE_DAYS = 7
"""Events that come later than this were not late: the clock was wrong before."""
MOST_DEVICES, MOST_NETWORKS = 16, 16
MOST_DAYS = 400.0
FEWEST_NATS = 0.5


class Belongings(Part):
    """A person's devices and networks (digests, the latest last), since when, and how often a device is new.

    `counted` is the last new device, whose edge was counted; it and `network` are learned at the next event. `fresh`
    is how many new devices there were of late.
    """

    most_bytes: ClassVar[int] = 80 + 9 * (MOST_DEVICES + MOST_NETWORKS)
    since: float = 0.0
    day: int = 0
    days: float = 0.0
    new: float = 0.0
    devices: list[int] = field(default_factory=list)
    networks: list[int] = field(default_factory=list)
    counted: int = 0
    network: int = 0
    fresh: float = 0.0
    fresh_at: float = 0.0


class Edges(Part):
    """New edges of about a day: counts for devices and for addresses, and all that was added to those of devices."""

    most_bytes: ClassVar[int] = 33 + 2 * CELLS
    halved_on: int = 0
    total: float = 0.0
    devices: bytearray = field(default_factory=lambda: bytearray(CELLS))
    addresses: bytearray = field(default_factory=lambda: bytearray(CELLS))


class Relations(Detector):
    """New edges of the day at this device, at this address, and of this person."""

    name = _NAME
    family = "relations"
    warm_up = f"{KNOWN_DAYS:.0f} days since the person was first seen, a device id, and no flood of new devices"
    texts = {
        "shared_device": "Several people who never shared a device appear on this one within a day.",
        "shared_address": "Several people appear at this address within a day, all with devices that they never had.",
        "many_devices": "The account is used on ever more devices.",
    }
    parts = {"person": Belongings, "world": Edges}
    is_taken_back = False

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """What a device says that the person never had."""
        own: Belongings | None = around.person.get(_NAME)
        if own is None or not seen.device_id:
            return UNKNOWN
        device = digest_of(seen.device_id)
        if device in own.devices:
            return None
        if not _is_known(own, seen.ts):
            return UNKNOWN
        edges: Edges | None = around.world.get(_NAME)
        is_counted = own.counted == device
        found = _many_devices(own, seen, is_counted=is_counted)
        if edges is None:
            return found
        noise = 2.0 * edges.total / CELLS
        if noise > 2.0 * FULL:
            return found or UNKNOWN
        noise += _weight(own) if is_counted else 0
        others = (count_of(edges.devices, device) - noise) / UNIT
        found = _stronger(found, _shared("shared_device", others))
        if _network(seen) not in own.networks and seen.ip:
            others = (count_of(edges.addresses, digest_of(seen.ip)) - noise) / UNIT
            found = _stronger(found, _shared("shared_address", others))
        return found

    def learn(self, seen: Seen, around: Around) -> None:
        """The person's devices and networks, at the second event from there: `note` has to see them as new."""
        if not seen.device_id:
            return
        own: Belongings | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Belongings(seen.ts)
        day, device = int(seen.ts // DAY), digest_of(seen.device_id)
        if own.day != day:
            own.day = day
            own.days += 1.0
            if own.days > MOST_DAYS:
                own.days, own.new = own.days / 2, own.new / 2
        if own.counted == device and device not in own.devices:
            own.new += bool(own.devices)
            own.devices = [*own.devices, device][-MOST_DEVICES:]
        if own.network and own.network == _network(seen) and own.network not in own.networks:
            own.networks = [*own.networks, own.network][-MOST_NETWORKS:]

    def note(self, seen: Seen, around: Around) -> None:
        """A new edge, counted once."""
        own: Belongings | None = around.person.get(_NAME)
        if own is None or not seen.device_id:
            return
        device, network = digest_of(seen.device_id), _network(seen)
        if own.counted != device and device not in own.devices:
            if _is_known(own, seen.ts):
                own.fresh, own.fresh_at = _fresh(own, seen.ts) + 1.0, seen.ts
                _count(around, own, device, digest_of(seen.ip) if network not in own.networks else 0, seen.ts)
            own.counted = device
        own.network = network


def _is_known(own: Belongings, ts: float) -> bool:
    return bool(own.devices) and ts - own.since >= KNOWN_DAYS * DAY


def _weight(own: Belongings) -> int:
    return max(1, UNIT // len(own.devices))


def _count(around: Around, own: Belongings, device: int, address: int, ts: float) -> None:
    """The edges of this person to the device, and to the address if that is new as well."""
    edges: Edges | None = around.world.get(_NAME)
    today = int(ts // DAY)
    if edges is None:
        edges = around.world[_NAME] = Edges(today)
    for _ in range(min(8, today - edges.halved_on)):
        halve(edges.devices)
        halve(edges.addresses)
        edges.total /= 2.0
    if today > edges.halved_on or today < edges.halved_on - LATE_DAYS:
        edges.halved_on = today  # a clock that was far ahead must not stop the fading for good
    edges.total += _weight(own)
    add(edges.devices, device, _weight(own))
    if address:
        add(edges.addresses, address, _weight(own))


def _shared(code: str, others: float) -> Finding | None:
    """What it says that so many others came on the same day."""
    nats = FIRST_NATS + EACH_NATS * (others - 1.0)
    return None if nats < FEWEST_NATS else Finding(code, nats, f"{others + 1.0:.0f} people within a day", "one")


def _many_devices(own: Belongings, seen: Seen, *, is_counted: bool) -> Finding | None:
    """What the person's new devices of today say, as a Poisson count against the person's own rate."""
    new = _fresh(own, seen.ts) + (not is_counted)
    usual = (own.new + STRENGTH_DAYS * NEW_USUAL_PER_DAY) / (own.days + STRENGTH_DAYS)
    if usual >= NEW_IF_SHARED_PER_DAY:
        return None
    nats = new * math.log(NEW_IF_SHARED_PER_DAY / usual) - (NEW_IF_SHARED_PER_DAY - usual)
    nats *= PASSED_ON_SHARE
    if nats < FEWEST_NATS:
        return None
    return Finding("many_devices", nats, f"{new:.0f} new devices within a day", f"{usual:.1f} a day")


def _fresh(own: Belongings, ts: float) -> float:
    """New devices of late, halved with each day that passed."""
    return own.fresh * 0.5 ** (abs(ts - own.fresh_at) / DAY) if own.fresh else 0.0


def _stronger(first: Finding | None, second: Finding | None) -> Finding | None:
    if first is None or second is None:
        return first or second
    return first if first.nats >= second.nats else second


def _network(seen: Seen) -> int:
    return seen.asn or (digest_of(seen.prefix) if seen.prefix else 0)
