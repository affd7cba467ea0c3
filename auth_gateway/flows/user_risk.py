"""A person's risk follows the audit trail: what raises or lowers it is written in the same transaction as what was
decided, so neither is ever there without the other.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.detections import Move, move_of
from auth_gateway.core.event import NO_FACTS
from auth_gateway.core.user_risk import (
    HALF_LIFE_SECONDS,
    HOURS,
    Detection,
    RiskChange,
    UserRisk,
    lowered,
    raised,
    user_level,
    with_words,
)
from auth_gateway.flows.ports.user_risk import RiskBook, RiskTrail
from plumbing.database import Database
from plumbing.statements import Transaction

LOWERED: Kind = "risk.user_lowered"
LEAST_RECEIVED = 0.5
"""Points by which another provider's event must move a risk to be a change of it."""
RISK_SUFFIX = ".risk"
"""What the id of a change's own line ends with; before it stands the id of the line that it follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFollower:
    """Raises and lowers the risk of people by what is written down about them. `audit` is a trail that is not
    followed."""

    book: RiskBook
    audit: RiskTrail
    half_life_seconds: float = HALF_LIFE_SECONDS

    def __call__(self, tx: Transaction, line: AuditEvent) -> None:
        """Most lines say nothing about anybody's risk, and cost nothing here."""
        move = move_of(line)
        if move is not None and line.user_id is not None:
            self.apply(tx, line, move)

    def apply(self, tx: Transaction, line: AuditEvent, move: Move, *, by: str = "", why: str = "") -> bool:
        """The move that follows from `line`, on somebody's word where `by` names them; False when nothing has changed
        and no analyst has spoken."""
        user_id, now = line.user_id or "", line.ts
        if isinstance(move, Detection):
            if move.repeats > 1 and self._seen(tx, line) < move.repeats:
                return False
            before = self.book.begin(tx, user_id, now)
            after = raised(before, move, now, self.half_life_seconds)
        else:
            before = self.book.hold(tx, user_id)
            after = lowered(before, move, now, self.half_life_seconds)
        if not self._is_news(move, before, after, now) and move.source != "analyst":
            return False
        change = RiskChange(
            user_id=user_id,
            ts=now,
            source=move.source,
            reason=move.reason,
            before=before.value_at(now, self.half_life_seconds),
            after=after.value,
            event_id=line.event_id,
            scored_as=line.event_id if isinstance(move, Detection) and move.is_scored else "",
            by=by,
            why=why,
        )
        self.book.change(tx, after, change)
        self.audit.record(tx, _told(line, change, "risk.user_raised" if isinstance(move, Detection) else LOWERED))
        return True

    def _seen(self, tx: Transaction, line: AuditEvent) -> int:
        return self.audit.count_of_user(tx, line.user_id or "", line.kind, since=line.ts - HOURS)

    def _is_news(self, move: Move, before: UserRisk, after: UserRisk, now: float) -> bool:
        """Another provider that reports the same again and again gives back what a moment's fading took: no news."""
        was = before.value_at(now, self.half_life_seconds)
        is_another = user_level(after.value) != user_level(was) or after.is_held != before.is_held
        return is_another or abs(after.value - was) > (LEAST_RECEIVED if move.source == "received" else 0.0)


def _told(line: AuditEvent, change: RiskChange, kind: Kind) -> AuditEvent:
    """The change's own line; what an analyst says is no consequence of another one."""
    detail = f"{change.source} {change.before:.0f}-{change.after:.0f} {line.event_id}"
    return AuditEvent(
        event_id=line.event_id if line.kind == kind else line.event_id + RISK_SUFFIX,
        ts=line.ts,
        kind=kind,
        user_id=line.user_id,
        client_id=line.client_id,
        session_id=line.session_id,
        ip=line.ip,
        rule=change.reason,
        score=change.after,
        level=user_level(change.after),
        detail=with_words(detail, by=change.by, why=change.why) if change.by else detail,
        facts=msgspec.structs.replace(line.facts or NO_FACTS, risk_before=change.before),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RisksNow:
    """What is left of people's risks."""

    database: Database
    book: RiskBook
    half_life_seconds: float = HALF_LIFE_SECONDS

    def value_of(self, user_id: str, now: float) -> float:
        """0 to 100; one look at a primary key.

        Raises: Refused("storage_unavailable", 503).
        """
        risk = self.database.read(lambda tx: self.book.find(tx, user_id))
        return risk.value_at(now, self.half_life_seconds)
