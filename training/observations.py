"""From the columns of a log to the observations that are scored, one at a time, so that no log is held twice."""

import math
from collections.abc import Iterator

from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.facts import AgentFacts
from risk_scorer.core.observation import Observation, observe
from training.lookups import Lookups
from training.sources import EventTable

_LIKE_A_VERSION = frozenset("0123456789.")


def observations(
    table: EventTable, lookups: Lookups, *, start: int = 0, stop: int | None = None
) -> Iterator[Observation]:
    """The log's rows as observations, in time order. The log's own columns outrank what is looked up."""
    agents = _AgentColumns(table, lookups)
    for place in range(start, len(table) if stop is None else stop):
        yield _observed(table, place, lookups, agents)


def _observed(table: EventTable, place: int, lookups: Lookups, agents: "_AgentColumns") -> Observation:
    """Exactly what the scoring service would observe for this row."""
    ip, ja4, asn, ip_rep = table.ip[place], table.ja4[place], int(table.asn[place]), float(table.ip_rep[place])
    event = LoginEvent(
        user_id=table.user_id[place],
        ip=ip,
        timestamp=float(table.timestamp[place]),
        user_agent=table.user_agent[place],
        device_id=table.device_id[place],
        success=bool(table.success[place]),
        country=table.country[place],
        region=table.region[place],
        city=table.city[place],
        ja4=ja4,
        ja4h=table.ja4h[place],
        ja4s=table.ja4s[place],
        asn=asn or None,
        ip_rep=None if math.isnan(ip_rep) else ip_rep,
    )
    network, parsed, fingerprint = lookups.facts(ip, event.user_agent, ja4)
    agent = agents.facts(place, parsed)
    return observe(
        event,
        address=ip,
        now=0.0,
        event_id=str(place),
        network=network,
        agent=agent,
        fingerprint=fingerprint,
        local_time=lookups.local_time,
    )


class _AgentColumns:
    """The log's own browser, OS and device columns, used where the user agent itself says nothing."""

    def __init__(self, table: EventTable, lookups: Lookups) -> None:
        self._table = table
        self._parses = lookups.agent is not None and "user_agent" in table.present
        self._known: dict[tuple[str, str, str], AgentFacts] = {}

    def facts(self, place: int, parsed: AgentFacts) -> AgentFacts:
        table = self._table
        if self._parses or table.browser is None:
            return parsed
        key = (
            table.browser[place],
            "" if table.os is None else table.os[place],
            "unknown" if table.device_type is None else table.device_type[place],
        )
        if key not in self._known:
            self._known[key] = named(*key)
        return self._known[key]


def named(browser: str, system: str, device_type: str) -> AgentFacts:
    """ "Edge 81.0.416" on "Mac OS X 10.14.6" as the families and major versions that a user agent parses to."""
    family, version = _split(browser)
    os, os_version = _split(system)
    return AgentFacts(
        browser=family,
        browser_version=version,
        os=os,
        os_version=os_version,
        device_type=device_type or "unknown",
        is_bot=device_type == "bot",
    )


def _split(name: str) -> tuple[str, str]:
    family, _, version = name.rpartition(" ")
    if family and version and set(version) <= _LIKE_A_VERSION:
        return family, version.partition(".")[0]
    return name, ""
