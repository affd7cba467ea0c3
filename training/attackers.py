"""Strangers with the right password, made from the logins of a training log itself: no label, no outside data.

Who they are follows the literature (Freeman et al. 2016; Wiefling et al. 2022, "Pump Up Password Security!"): naive
(any network, any browser), VPN (the victim's country, any browser), targeted (a network and a browser of that country),
and three seldom ones that keep what is learned honest: a stolen device elsewhere, a housemate with another device, and
someone of whom nothing was ever seen. What they bring is drawn from the same weeks as the login they stand in for, so
that only whose it is tells them apart.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, NO_IP_FACTS
from risk_scorer.core.observation import Observation

KINDS = ("naive", "vpn", "targeted", "stolen_device", "housemate", "nobody")
SELDOM_EVERY, SELDOM_WEIGHT = 4, 0.4
"""The last three stand in for every fourth login only, and weigh 0.4: together a tenth of the strangers each."""
IS_SELDOM = (False, False, False, True, True, True)

_NETWORK = ("ip", "prefix", "asn", "asn_key", "country", "region", "city", "ip_rep", "network", "zone", "utc_offset_s")
_CLIENT = (
    "user_agent", "browser", "browser_version", "os", "device_type", "agent", "ja4", "ja4h", "ja4s", "fingerprint",
    "device_id",
)  # fmt: skip
_NOWHERE = {
    "ip": "\0", "prefix": "\0", "asn": 0, "asn_key": "\0", "country": "\0", "region": "", "city": "", "ip_rep": 0.0,
    "network": NO_IP_FACTS, "zone": "", "utc_offset_s": 0,
}  # fmt: skip
_NOTHING = {
    **dict.fromkeys(_CLIENT, "\0"), "agent": NO_AGENT_FACTS, "fingerprint": NO_FINGERPRINT_FACTS,
}  # fmt: skip


@dataclass
class Attackers:
    """Draws strangers from `logins`, the successful logins of one stretch of a log."""

    logins: Sequence[Observation]
    chance: np.random.Generator
    _abroad: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._abroad = defaultdict(list)
        for place, seen in enumerate(self.logins):
            self._abroad[seen.country].append(place)

    def against(self, victim: Observation, *, with_seldom: bool) -> Iterator[tuple[int, Observation]]:
        """(place in `KINDS`, login) of strangers in the victim's place; a kind that finds nobody else is left out."""
        near = self._abroad.get(victim.country, [])
        somebody, another = self._other(victim, None), self._other(victim, None)
        neighbour, native = self._other(victim, near), self._other(victim, near)
        pairs = [(somebody, another), (neighbour, another), (native, native)]
        for kind, (network, client) in enumerate(pairs):
            if network is not None and client is not None:
                yield kind, _replaced(victim, _of(network, _NETWORK), _of(client, _CLIENT))
        if not with_seldom:
            return
        if somebody is not None:
            yield 3, _replaced(victim, _of(somebody, _NETWORK))
            yield 4, _replaced(victim, _of(somebody, _CLIENT))
        yield 5, _replaced(victim, _NOWHERE, _NOTHING)

    def _other(self, victim: Observation, places: list[int] | None) -> Observation | None:
        """A login of another person; None when a few draws find none."""
        among: Sequence[int] = range(len(self.logins)) if places is None else places
        for _ in range(4 if among else 0):
            found = self.logins[among[int(self.chance.integers(len(among)))]]
            if found.user_id != victim.user_id:
                return found
        return None


def _of(seen: Observation, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(seen, name) for name in names}


def _replaced(victim: Observation, *changes: dict[str, object]) -> Observation:
    merged: dict[str, object] = {}
    for change in changes:
        merged |= change
    return msgspec.structs.replace(victim, **merged)
