"""What training looks up about a login: the same facts as the scoring service, from the same adapters."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from risk_scorer.core.facts import (
    NO_AGENT_FACTS,
    NO_FINGERPRINT_FACTS,
    NO_IP_FACTS,
    AgentFacts,
    FingerprintFacts,
    IpFacts,
)
from risk_scorer.core.observation import LocalTime, unknown_time
from training.sources import EventTable

ENOUGH_TO_JUDGE = 2000
LEAST_AGREEMENT = 0.5


@dataclass(frozen=True)
class Lookups:
    """One function for each kind of fact; None where there is nothing to look it up in.

    Time zones are looked up by place, or by the country alone where addresses are made up.
    """

    network: Callable[[str], IpFacts] | None = None
    agent: Callable[[str], AgentFacts] | None = None
    fingerprint: Callable[[str], FingerprintFacts] | None = None
    local_time: LocalTime = unknown_time

    def without_networks(self) -> "Lookups":
        """The same, with nothing known of any address."""
        return replace(self, network=None)

    def facts(self, ip: str, user_agent: str, ja4: str) -> tuple[IpFacts, AgentFacts, FingerprintFacts]:
        """Everything known about one login."""
        return (
            NO_IP_FACTS if self.network is None else self.network(ip),
            NO_AGENT_FACTS if self.agent is None else self.agent(user_agent),
            NO_FINGERPRINT_FACTS if self.fingerprint is None else self.fingerprint(ja4),
        )


def address_problem(table: EventTable, lookups: Lookups) -> str | None:
    """Why the log's addresses cannot be looked up, or None when they can.

    Published logs replace addresses by made-up ones and keep the true country and network: what is known about the
    made-up address would then be noise that looks like fact.
    """
    if lookups.network is None:
        return "nothing to look addresses up in"
    places = _spread_out(table)
    agreeing = compared = 0
    for place in places.tolist():
        known = lookups.network(table.ip[place])
        for said, found in ((table.asn[place], known.asn), (table.country[place], known.country)):
            if said and found:
                compared, agreeing = compared + 1, agreeing + (said == found)
    if compared and agreeing < LEAST_AGREEMENT * compared:
        return f"the log's addresses are not real: {agreeing} of {compared} known networks and countries agree with it"
    return None


def _spread_out(table: EventTable) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.unique(np.linspace(0, len(table) - 1, min(len(table), ENOUGH_TO_JUDGE)).astype(np.int64))
