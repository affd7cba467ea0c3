"""What training knows of each login of a coded log beside the log's own columns: the same facts as `observations`.

Facts are looked up once for each distinct value. A test holds every column against the observations of the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.clusters import unit_vector
from risk_scorer.core.facts import NO_AGENT_FACTS, AgentFacts, IpFacts
from risk_scorer.core.history import place_key
from risk_scorer.core.lessons import BAD_REPUTATION, SHARED_KINDS, UNKNOWN_ACCURACY_KM, Taught
from risk_scorer.core.observation import prefix_of
from training.columns.log import CodedLog
from training.columns.texts import Codes, Texts
from training.lookups import Lookups
from training.observations import named

Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]

AT_ONCE = 1_000_000
"""Rows or values that are worked on together."""
OF_CLIENT = ("browser", "browser_version", "os", "device_type")


@dataclass(frozen=True)
class Networks:
    """What is known of each distinct address: (addresses,) each. `place` is an entry of `Places`, -1 unknown."""

    prefix: Codes
    asn: NDArray[np.int64]
    country: Codes
    place: Codes
    accuracy_km: Matrix
    reputation: Matrix
    is_relay: NDArray[np.bool_]
    is_anybodys: NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Distinct places: degrees, unit vectors (places, 3) and the number of the name of their cell."""

    latitude: Matrix
    longitude: Matrix
    vector: Matrix
    key: Codes


@dataclass(frozen=True)
class Facts:
    """Texts and facts by which any rows of `log` become columns; `texts` has those that the log's columns lack."""

    log: CodedLog
    texts: Mapping[str, Texts]
    networks: Networks
    places: Places
    client: Mapping[str, Codes]
    client_of: Codes
    """(rows,) the place of each row's client in the arrays of `client`."""
    operator_of: Codes
    """(rows,) the number of each row's AS number as text."""

    def codes(self, name: str, rows: Rows | slice) -> Codes:
        """The numbers of an attribute's values in these rows: one of `COUNTED` names and of `LEVELS`."""
        log, networks = self.log, self.networks
        if name in ("user", "ua", "device"):
            return log.codes[{"user": "user_id", "ua": "user_agent", "device": "device_id"}[name]][rows]
        if name in OF_CLIENT:
            return self.client[name][self.client_of[rows]]
        if name == "prefix":
            return networks.prefix[log.codes["ip"][rows]]
        if name == "country":
            own = log.codes["country"][rows]
            return np.where(own == 0, networks.country[log.codes["ip"][rows]], own)
        if name == "asn":
            return self.operator_of[rows]
        return log.codes[name][rows]

    def reputation(self, rows: Rows) -> Matrix:
        """(n,) what the event says of its address, or else what is known."""
        own = self.log.ip_rep[rows]
        return np.where(np.isnan(own), self.networks.reputation[self.log.codes["ip"][rows]], own)

    def is_somebodys(self, rows: Rows) -> NDArray[np.bool_]:
        """(n,) as `lessons.is_somebodys`."""
        ip = self.log.codes["ip"][rows]
        return ~(self.networks.is_anybodys[ip] | (self.reputation(rows) >= BAD_REPUTATION))

    def is_shared(self, rows: Rows) -> NDArray[np.bool_]:
        """(n,) as `lessons.is_shared`."""
        ip, networks, texts = self.log.codes["ip"][rows], self.networks, self.texts["country"]
        country, looked_up = self.codes("country", rows), networks.country[ip]
        is_code = np.array([len(text) == 2 for text in texts.objects().tolist()])
        differs = (country != looked_up) & is_code[country] & (looked_up != 0) & (networks.place[ip] >= 0)
        return np.asarray(networks.is_relay[ip] | differs)


def facts_of(log: CodedLog, lookups: Lookups) -> Facts:
    """The facts of a log's logins, as far as they can be looked up."""
    texts: dict[str, Texts] = dict(log.texts)
    texts |= {name: Texts() for name in ("prefix", "asn", "browser", "browser_version", "os", "device_type", "place")}
    networks, places = _networks(log, lookups, texts)
    client, client_of = _clients(log, lookups, texts)
    return Facts(log, texts, networks, places, client, client_of, _operators(log, networks, texts["asn"]))


def _operators(log: CodedLog, networks: Networks, known: Texts) -> Codes:
    codes = np.empty(len(log), np.int32)
    for start in range(0, len(log), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        asn = np.where(log.asn[rows] == 0, networks.asn[log.codes["ip"][rows]], log.asn[rows])
        distinct, places = np.unique(asn, return_inverse=True)
        own = known.coded_all([str(each) if each else "" for each in distinct.tolist()])
        codes[rows] = own[places]
    return codes


def _networks(log: CodedLog, lookups: Lookups, texts: Mapping[str, Texts]) -> tuple[Networks, Places]:
    addresses = len(log.texts["ip"])
    found = Networks(
        prefix=np.zeros(addresses, np.int32),
        asn=np.zeros(addresses, np.int64),
        country=np.zeros(addresses, np.int32),
        place=np.full(addresses, -1, np.int32),
        accuracy_km=np.full(addresses, UNKNOWN_ACCURACY_KM),
        reputation=np.zeros(addresses),
        is_relay=np.zeros(addresses, bool),
        is_anybodys=np.zeros(addresses, bool),
    )
    known: dict[tuple[float, float], int] = {}
    used = np.flatnonzero(np.bincount(log.codes["ip"], minlength=addresses))
    for start in range(0, len(used), AT_ONCE):
        some, prefixes = used[start : start + AT_ONCE], []
        for code in some.tolist():
            ip = log.texts["ip"].text(code)
            network = None if lookups.network is None else lookups.network(ip)
            prefixes.append((network.prefix if network else "") or prefix_of.__wrapped__(ip))
            if network is not None:
                _write(found, code, network, texts, known)
        found.prefix[some] = texts["prefix"].coded_all(prefixes)
    return found, _places(list(known), texts["place"])


def _write(
    found: Networks, code: int, network: IpFacts, texts: Mapping[str, Texts], known: dict[tuple[float, float], int]
) -> None:
    found.asn[code], found.reputation[code] = network.asn, network.reputation
    if network.country:
        found.country[code] = texts["country"].code(network.country)
    if network.latitude is not None and network.longitude is not None:
        found.place[code] = known.setdefault((network.latitude, network.longitude), len(known))
    if network.accuracy_km is not None:
        found.accuracy_km[code] = network.accuracy_km
    found.is_relay[code] = network.kind in SHARED_KINDS
    found.is_anybodys[code] = network.kind == "tor" or network.is_listed


def _places(known: list[tuple[float, float]], keys: Texts) -> Places:
    cells = [keys.code(place_key(_at(*place))) for place in known]
    degrees = np.array(known, np.float64).reshape(len(known), 2)
    return Places(
        latitude=np.ascontiguousarray(degrees[:, 0]),
        longitude=np.ascontiguousarray(degrees[:, 1]),
        vector=np.array([unit_vector(*place) for place in known], np.float64).reshape(len(known), 3),
        key=np.array(cells, np.int32),
    )


def _at(latitude: float, longitude: float) -> Any:
    nothing: dict[str, Any] = dict.fromkeys(Taught.__struct_fields__, "")
    return Taught(**{**nothing, "latitude": latitude, "longitude": longitude})


def _clients(log: CodedLog, lookups: Lookups, texts: Mapping[str, Texts]) -> tuple[dict[str, Codes], Codes]:
    """The families of each distinct client, and each row's client; `observations` says which columns count."""
    parses = lookups.agent is not None and "user_agent" in log.present
    if parses or "browser" not in log.optional:
        agents = log.texts["user_agent"]
        parse = lookups.agent or (lambda _text: NO_AGENT_FACTS)
        return _families([parse(text) for text in agents.objects()], texts), log.codes["user_agent"]
    browsers, systems, devices = (log.codes[name].astype(np.int64) for name in ("browser", "os", "device_type"))
    wide = np.int64(len(log.texts["os"])) * len(log.texts["device_type"])
    key = browsers * wide + systems * len(log.texts["device_type"]) + devices
    distinct, places = np.unique(key, return_inverse=True)
    found = []
    for each in distinct.tolist():
        browser, rest = divmod(each, int(wide))
        system, device = divmod(rest, len(log.texts["device_type"]))
        kind = log.texts["device_type"].text(device) if "device_type" in log.optional else "unknown"
        found.append(named(log.texts["browser"].text(browser), log.texts["os"].text(system), kind))
    return _families(found, texts), places.astype(np.int32)


def _families(agents: list[AgentFacts], texts: Mapping[str, Texts]) -> dict[str, Codes]:
    versions = [
        f"{agent.browser} {agent.browser_version}" if agent.browser_version else agent.browser for agent in agents
    ]
    return {
        "browser": texts["browser"].coded_all([agent.browser for agent in agents]),
        "browser_version": texts["browser_version"].coded_all(versions),
        "os": texts["os"].coded_all([agent.os for agent in agents]),
        "device_type": texts["device_type"].coded_all([agent.device_type for agent in agents]),
    }
