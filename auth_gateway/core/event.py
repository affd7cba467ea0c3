"""An event as others are told of it, made of one line of the audit trail. How it is written out is not here."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts
from auth_gateway.core.siem.attack import techniques
from auth_gateway.core.vocabulary import EventType, type_of

VERSION = 1
NEW_DEVICE = "device"
"""What the scorer calls a device that the person's history had never seen."""
NO_FACTS = Facts()
MOST_IDS: Final = 20


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """What a message stands for that tells many alike events as one."""

    count: Annotated[int, Meta(description="How many events this message stands for; none of them is told elsewhere.")]
    first_ts: Annotated[float, Meta(description="When the first of them happened; seconds since 1970.")]
    last_ts: Annotated[float, Meta(description="When the last of them happened.")]
    event_ids: Annotated[tuple[str, ...], Meta(description=f"The first {MOST_IDS} of them. All are kept in the log.")]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `event_id` is the line's own where no other event has that one; `score` and `level` are of the login
    or the session.

    Of `ip`, `ip_prefix` and `ip_hash`, and of `user_id` and `user_hash`, one is there at the most: which, the
    destination chose. `techniques` are MITRE ATT&CK ids; `replay_id` names the replay that tells it again. Where it
    stands for many, all else is what they share.
    """

    event_id: str
    type: EventType
    version: int = VERSION
    ts: float
    tenant: str = ""
    user_id: str | None = None
    user_hash: str | None = None
    username: str = ""
    client_id: str | None = None
    session_id: str | None = None
    incident_id: str | None = None
    ip: str | None = None
    ip_prefix: str | None = None
    ip_hash: str | None = None
    decision: str | None = None
    rule: str | None = None
    score: float | None = None
    level: str | None = None
    model_version: str | None = None
    detail: str | None = None
    techniques: tuple[str, ...] = ()
    replay_id: str | None = None
    facts: Facts = NO_FACTS
    folded: Folded | None = None

    @property
    def challenge_id(self) -> str | None:
        """The challenge that it is about."""
        return self.facts.challenge_id or None


def events_of(line: AuditEvent, *, tenant: str, threshold: float) -> tuple[Event, ...]:
    """What a line tells: nothing, one event, or more where it means more than one thing. `threshold` is the score from
    which a login is of high risk."""
    event_type = _type_of(line)
    if event_type is None:
        return ()
    facts = line.facts or NO_FACTS
    event = Event(
        event_id=_id_of(line),
        type=event_type,
        ts=line.ts,
        tenant=tenant,
        user_id=line.user_id,
        username=facts.username,
        client_id=line.client_id,
        session_id=line.session_id,
        incident_id=line.incident_id,
        ip=line.ip,
        decision=line.decision,
        rule=line.rule,
        score=line.score,
        level=line.level,
        model_version=line.model_version,
        detail=line.detail,
        facts=facts,
    )
    more = []
    if line.kind in {"login.allowed", "challenge.passed"} and NEW_DEVICE in facts.new:
        more.append(msgspec.structs.replace(event, event_id=f"{event.event_id}.device", type="device.new"))
    if event_type.startswith("login.") and line.score is not None and line.score >= threshold:
        more.append(msgspec.structs.replace(event, event_id=f"{event.event_id}.high_risk", type="login.high_risk"))
    return tuple(msgspec.structs.replace(each, techniques=_techniques(each)) for each in (event, *more))


def _techniques(event: Event) -> tuple[str, ...]:
    facts = event.facts
    codes = [reason.code for reason in facts.reasons]
    return techniques(event.type, rule=event.rule, level=event.level, method=facts.method, reasons=codes)


def _type_of(line: AuditEvent) -> EventType | None:
    """A device that policy kept out is a login that it denied; one that its person kept out is not."""
    return "login.denied" if line.kind == "device.denied" and line.decision == "deny" else type_of(line.kind)


def _id_of(line: AuditEvent) -> str:
    """Several sessions may end under the id of what ended them."""
    if line.kind == "session.revoked" and line.session_id is not None:
        return f"{line.event_id}.{line.session_id}"
    return line.event_id
