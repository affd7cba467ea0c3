"""Storms of alike events: which ones are alike, from when on they are told as one, and what such a message says. Pure;
when it is sent is not here.

Folded is what strangers can bring about in any number: refusals and what looks like an attack. Whatever lets somebody
in, ends something or changes it is told one by one however often it comes, for receivers act on each.
"""

from typing import Any, Final, Literal

import msgspec

from auth_gateway.core.destination import Folding
from auth_gateway.core.event import MOST_IDS, NO_FACTS, Event, Folded
from auth_gateway.core.facts import Facts
from auth_gateway.core.veil import network_of
from auth_gateway.core.vocabulary import EventType

FOLDABLE: Final[frozenset[EventType]] = frozenset(
    {
        "login.denied",
        "login.failed",
        "login.high_risk",
        "mfa.failed",
        "token.refresh_reused",
        "token.code_reused",
        "account.refused",
        "credential.refused",
        "password.breached",
    }
)
SECONDS_PER_MINUTE: Final = 60.0


class FoldKey(msgspec.Struct, frozen=True):
    """What makes events alike: type, rule, and either the person or the network that they come from."""

    by: Literal["person", "network"]
    text: str


class Bucket(msgspec.Struct, frozen=True):
    """How many alike events may still be told one by one, as of the time of the last that was."""

    left: float
    at: float


def keys_of(event: Event) -> tuple[FoldKey, ...]:
    """What the event, unveiled, may be folded by, the closer one first; nothing where it never is."""
    if event.type not in FOLDABLE:
        return ()
    kind = f"{event.type}|{event.rule or ''}"
    found = [FoldKey("person", f"{kind}|{event.user_id}")] if event.user_id else []
    network = network_of(event.ip) if event.ip else None
    return (*found, FoldKey("network", f"{kind}|{network}")) if network else tuple(found)


def after_one(bucket: Bucket | None, ts: float, terms: Folding) -> Bucket | None:
    """The bucket when one more event of that time is told by itself; nothing when it is empty. A new one is full.

    Time is that of the events, so that the same log is folded alike whenever it is told.
    """
    if bucket is None:
        bucket = Bucket(terms.burst, ts)
    refilled = bucket.left + max(0.0, ts - bucket.at) * terms.per_minute / SECONDS_PER_MINUTE
    left = min(float(terms.burst), refilled) - 1.0
    return Bucket(left, max(bucket.at, ts)) if left >= 0.0 else None


def summary_of(event: Event, key: FoldKey) -> Event:
    """The event as a message that others may be folded into. One that is folded by its network names nobody: it stands
    beside the order of each person's events."""
    one = Folded(count=1, first_ts=event.ts, last_ts=event.ts, event_ids=(event.event_id,))
    if key.by == "person":
        return msgspec.structs.replace(event, folded=one)
    facts = msgspec.structs.replace(event.facts, username="")
    return msgspec.structs.replace(event, user_id=None, user_hash=None, username="", facts=facts, folded=one)


def joined(whole: Event, other: Event) -> Event:
    """Two summaries as one, under the id of the first: what both have in common, all techniques, and the score and
    reasons of the worse. What they differ in is left out."""
    a, b = whole.folded, other.folded
    if a is None or b is None:
        raise TypeError("only summaries are joined")
    worse = max((whole, other), key=lambda event: -1.0 if event.score is None else event.score)
    folded = Folded(
        count=a.count + b.count,
        first_ts=min(a.first_ts, b.first_ts),
        last_ts=max(a.last_ts, b.last_ts),
        event_ids=(*a.event_ids, *b.event_ids)[:MOST_IDS],
    )
    facts = Facts(**{**_common(whole.facts, other.facts, NO_FACTS), "reasons": worse.facts.reasons})
    nothing = Event(event_id=whole.event_id, type=whole.type, ts=folded.first_ts)
    common = _common(whole, other, nothing) | {
        "event_id": whole.event_id,
        "ts": folded.first_ts,
        "score": worse.score,
        "level": worse.level,
        "model_version": worse.model_version,
        "techniques": tuple(dict.fromkeys((*whole.techniques, *other.techniques))),
        "facts": facts,
        "folded": folded,
    }
    return Event(**common)


def _common(one: msgspec.Struct, other: msgspec.Struct, nothing: msgspec.Struct) -> dict[str, Any]:
    """Each field where both say the same, else as in `nothing`."""
    found = {}
    for name in one.__struct_fields__:
        value = getattr(one, name)
        found[name] = value if value == getattr(other, name) else getattr(nothing, name)
    return found
