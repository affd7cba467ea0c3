"""From what a caller reported to an observation that can be scored or learned from: checked, and enriched by look-ups.

Callers of the scorer are authenticated services, so the asn, ip_rep, country and city that an event brings outrank
what we look up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plumbing.refusals import Refused
from risk_scorer.contract.events import LoginEvent, SessionContext
from risk_scorer.core.facts import (
    NO_FINGERPRINT_FACTS,
    NO_IP_FACTS,
    AgentFacts,
    FingerprintFacts,
    IpFacts,
    SessionFacts,
)
from risk_scorer.core.observation import BadEvent, Observation, canonical_address, observe, session_facts
from risk_scorer.flows.ports import Agents, Fingerprints, IpLookup, Zones

EARLIEST_LOGIN = 946_684_800.0
"""2000-01-01: a login before it is a clock that was never set, or seconds mistaken for another unit."""
CODES = {"invalid_address": "invalid_ip"}

Where = Callable[[int], str]
"""From an event's position to the path of it in the body, such as `$.events[3]`."""


class Observer:
    """Looks up what is known apart from the login itself: network, agent, fingerprint, time zone."""

    def __init__(self, ip_lookup: IpLookup, agents: Agents, fingerprints: Fingerprints, zones: Zones) -> None:
        self._networks = ip_lookup.facts_many
        self._agent = agents.facts
        self._fingerprint = fingerprints.facts
        self._local_time = zones.local

    def networks(self, addresses: Sequence[str]) -> list[IpFacts]:
        """What is known of each address, in order; of junk and of "" nothing."""
        return self._networks(list(addresses))

    def agent(self, text: str) -> AgentFacts:
        """What a user agent claims."""
        return self._agent(text)

    def fingerprint(self, ja4: str) -> FingerprintFacts:
        """What a JA4 says, and whose it is known to be; of junk nothing."""
        return self._fingerprint(ja4)

    def observations(
        self, events: Sequence[LoginEvent], event_ids: Sequence[str], *, now: float, where: Where
    ) -> list[Observation]:
        """The events in order. Raises: Refused (422) with the path of the first field that is not what it must be."""
        position = 0
        try:
            addresses = []
            for position, event in enumerate(events):  # noqa: B007 - the failure below names the position
                addresses.append(canonical_address(event.ip))
            networks = self._networks(addresses)
            agent, fingerprint, local_time = self._agent, self._fingerprint, self._local_time
            found = []
            for position, event in enumerate(events):
                seen = observe(
                    event,
                    address=addresses[position],
                    now=now,
                    event_id=event_ids[position],
                    network=networks[position],
                    agent=agent(event.user_agent),
                    fingerprint=fingerprint(event.ja4) if event.ja4 else NO_FINGERPRINT_FACTS,
                    local_time=local_time,
                    session=None if event.session is None else self._began(event.session),
                )
                if seen.ts < EARLIEST_LOGIN:
                    raise BadEvent("invalid_timestamp", "$.timestamp", "timestamp lies before the year 2000")
                found.append(seen)
            return found
        except BadEvent as error:
            raise refused(error, where(position)) from None

    def _began(self, session: SessionContext) -> SessionFacts:
        """What is known of the context that a session began in. Raises BadEvent."""
        network = NO_IP_FACTS
        if session.ip:
            [network] = self._networks([canonical_address(session.ip, "$.session.ip")])
        return session_facts(session, network, self._agent(session.user_agent))


def refused(error: BadEvent, path: str) -> Refused:
    """The refusal of an event at that path of the body; it names the field and never repeats its value."""
    field = path + error.field.removeprefix("$")
    return Refused(CODES.get(error.code, error.code), error.message, status=422, evidence={"field": field})
