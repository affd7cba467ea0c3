"""Session risk as a library: the service's own engine and detectors, in the memory of one process.

    engine = RiskEngine(EngineConfig())
    assessment = engine.assess_event(IdentityContext(user_id="alice", …), ActivityEvent(endpoint="/payments", …))

Whoever calls it vouches for what it says of people. It keeps nothing on a disk, and is for one thread at a time.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from plumbing.clock import Clock, SystemClock
from risk_scorer.adapters.user_agents import UserAgents
from risk_scorer.contract import activity as contract
from risk_scorer.contract.activity import Assessment, recommended
from risk_scorer.contract.assessment import RiskLevel, risk_level
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine, Judged
from risk_scorer.core.activity.evidence import pardon
from risk_scorer.core.activity.habits_known import KnownHabits, habits_of
from risk_scorer.core.activity.memory import Around, Memory
from risk_scorer.core.activity.scale import SHIPPED, Scale
from risk_scorer.core.activity.seen import Change as SeenChange
from risk_scorer.core.activity.seen import Seen, SessionFacts, action_of, endpoint_template, object_of, peers_of
from risk_scorer.core.facts import NO_IP_FACTS, IpFacts
from risk_scorer.core.observation import canonical_address, moment, prefix_of
from risk_scorer.flows.activity.observe import LONGEST_LATENCY_MS

When = datetime | str | float | int | None
"""A date without a time zone is UTC; None is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityContext:
    """Who acts and from where. Roles and privileges may come as a set, a list or a tuple."""

    user_id: str
    device_id: str = ""
    ip: str = ""
    geo: str = ""
    user_agent: str = ""
    session_id: str = ""
    ja4: str | None = None
    roles: Collection[str] = ()
    privileges: Collection[str] = ()
    timestamp: When = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEvent:
    """What was done; `metadata` is accepted and not read."""

    endpoint: str
    timestamp: When = None
    method: str = "GET"
    status_code: int | None = None
    latency_ms: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    service: str = ""
    trace_id: str = ""
    event_type: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivilegeChange:
    """What the person may do from now on, and what they might before."""

    previous_roles: Collection[str] = ()
    new_roles: Collection[str] = ()
    previous_privileges: Collection[str] = ()
    new_privileges: Collection[str] = ()
    timestamp: When = None


def _nothing_known(_ip: str) -> IpFacts:
    return NO_IP_FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """How many people, sessions and others are remembered, the least recently seen leaving first, and by what.

    `networks` says what is known of an address (`IpLookup.open().facts` of `adapters.ip_facts` asks the packaged
    tables); without it an address is known by its prefix alone.
    """

    people: int = 10_000
    sessions: int = 20_000
    groups: int = 1_000
    detectors: tuple[Detector, ...] = ALL
    scale: Scale = SHIPPED
    networks: Callable[[str], IpFacts] = _nothing_known


class SessionStanding(Struct, frozen=True, kw_only=True):
    """One session in a person's summary."""

    session_id: str
    score: float
    risk_level: RiskLevel
    action: contract.Action
    signals: list[contract.Signal]


class Summary(Struct, frozen=True, kw_only=True):
    """How a person stands: the worst session now, every session that is remembered, and what is usual for them."""

    user_id: str
    is_known: bool
    score: float
    sessions: list[SessionStanding]
    usual: KnownHabits


class _Kept(Struct):
    """A session's memory and what it began with."""

    memory: Memory
    began: SessionFacts
    session_id: str


class RiskEngine:
    """Assesses events one after the other, and remembers people within bounds."""

    def __init__(self, config: EngineConfig | None = None, *, clock: Clock | None = None) -> None:
        self._config = config or EngineConfig()
        self._clock = clock or SystemClock()
        self._agents = UserAgents()
        self._events = 0
        self.engine = Engine(self._config.detectors, self._config.scale)
        self._people: OrderedDict[str, Memory] = OrderedDict()
        self._sessions: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._groups: OrderedDict[tuple[str, str], Memory] = OrderedDict()
        self._world: Memory = {}

    def assess_event(
        self, identity: IdentityContext, event: ActivityEvent, privilege_change: PrivilegeChange | None = None
    ) -> Assessment:
        """The risk of the session after this event.

        Raises: msgspec.ValidationError for what is too long or no number; BadEvent for an address or a time that is
        none.
        """
        request = msgspec.convert(
            {"identity": _plain(identity), "event": _plain(event), "privilege_change": _plain(privilege_change)},
            contract.AssessRequest,
        )
        seen = self._seen(request)
        judged = self.engine.assess(seen, self._around(seen))
        return self._assessment(seen, judged)

    def answered_a_factor(self, user_id: str, session_id: str) -> None:
        """The person has just shown in this session who they are: what was found so far counts no more."""
        kept = self._sessions.get((user_id, session_id))
        if kept is not None:
            pardon(kept.memory)

    def summary(self, user_id: str) -> Summary:
        """How the person stands now. Changes nothing; of somebody who was never seen, nothing is known."""
        now = self._clock.now()
        sessions = []
        for (whose, _), kept in self._sessions.items():
            if whose == user_id:
                judged = self.engine.standing(kept.memory, now)
                sessions.append(
                    SessionStanding(
                        session_id=kept.session_id,
                        score=judged.total_score,
                        risk_level=risk_level(judged.total_score),
                        action=recommended(judged.total_score),
                        signals=self.engine.signals(judged),
                    )
                )
        return Summary(
            user_id=user_id,
            is_known=user_id in self._people,
            score=max((each.score for each in sessions), default=0.0),
            sessions=sessions,
            usual=habits_of(self._people.get(user_id, {})),
        )

    def _around(self, seen: Seen) -> Around:
        key, config = (seen.user_id, seen.session_id), self._config
        kept = self._sessions.get(key)
        if kept is None:
            kept = self._sessions[key] = _Kept({}, seen.began or SessionFacts(), seen.session_id)
            _trim(self._sessions, config.sessions)
        self._sessions.move_to_end(key)
        return Around(
            _memory(self._people, seen.user_id, config.people),
            kept.memory,
            _memory(self._groups, ("peers", seen.peers), config.groups),
            _memory(self._groups, ("service", seen.service), config.groups),
            self._world,
            _memory(self._groups, ("trace", seen.trace_id), config.groups) if seen.trace_id else {},
        )

    def _seen(self, request: contract.AssessRequest) -> Seen:
        said, what, change = request.identity, request.event, request.privilege_change
        now = self._clock.now()
        ts = moment(said.timestamp if what.timestamp is None else what.timestamp, now=now)
        ip = canonical_address(said.ip, "$.identity.ip") if said.ip else ""
        network, agent = self._config.networks(ip) if ip else NO_IP_FACTS, self._agents.facts(said.user_agent)
        device_type = agent.device_type if said.user_agent else ""
        prefix = network.prefix or (prefix_of(ip) if ip else "")
        country, template = network.country or said.geo, endpoint_template(what.endpoint)
        kept = self._sessions.get((said.user_id, said.session_id))
        began = SessionFacts(
            ip=ip, prefix=prefix, asn=network.asn, country=country, browser=agent.browser, os=agent.os,
            device_type=device_type, device_id=said.device_id, ja4=said.ja4 or "", started_at=ts,
        )  # fmt: skip
        self._events += 1
        unknown, latency = float("nan"), what.latency_ms
        return Seen(
            ts=ts, event_id=f"event_{self._events}", user_id=said.user_id, session_id=said.session_id,
            endpoint=template, action=action_of(what.method.upper(), template), method=what.method.upper(),
            status=what.status_code or 0,
            latency_ms=unknown if latency is None or latency > LONGEST_LATENCY_MS else latency,
            bytes_in=what.bytes_in, bytes_out=what.bytes_out, service=what.service, trace_id=what.trace_id,
            event_type=what.event_type, device_id=said.device_id, ip=ip, prefix=prefix, asn=network.asn,
            country=country, browser=agent.browser, os=agent.os, device_type=device_type, ja4=said.ja4 or "",
            roles=said.roles, privileges=said.privileges, peers=peers_of(said.roles),
            change=None if change is None else _change(change, moment(change.timestamp, now=ts)),
            began=began if kept is None else kept.began, object_id=object_of(what.endpoint),
            latitude=unknown if network.latitude is None else network.latitude,
            longitude=unknown if network.longitude is None else network.longitude,
        )  # fmt: skip

    def _assessment(self, seen: Seen, judged: Judged) -> Assessment:
        return Assessment(
            event_id=seen.event_id,
            user_id=seen.user_id,
            session_id=seen.session_id,
            total_score=judged.total_score,
            risk_level=risk_level(judged.total_score),
            action=recommended(judged.total_score),
            signals=self.engine.signals(judged),
            unknown=list(judged.unknown),
            attack_likelihood=None,
            identity="vouched",
            model_version=self._config.scale.name,
            ts_scored=self._clock.now(),
        )


def _memory(kept: "OrderedDict[Any, Memory]", key: Any, most: int) -> Memory:
    memory = kept.get(key)
    if memory is None:
        memory = kept[key] = {}
        _trim(kept, most)
    else:
        kept.move_to_end(key)
    return memory


def _trim(kept: "OrderedDict[Any, Any]", most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


def _change(change: contract.PrivilegeChange, ts: float) -> SeenChange:
    return SeenChange(
        ts=ts,
        previous_roles=change.previous_roles,
        new_roles=change.new_roles,
        previous_privileges=change.previous_privileges,
        new_privileges=change.new_privileges,
    )


def _plain(given: IdentityContext | ActivityEvent | PrivilegeChange | None) -> dict[str, Any] | None:
    """What the wire would carry of it: moments in epoch seconds, sets in order."""
    if given is None:
        return None
    return {each.name: _plainly(getattr(given, each.name)) for each in fields(given)}


def _plainly(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return sorted(value) if isinstance(value, set | frozenset) else value
