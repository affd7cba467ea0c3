"""A scored event as people and callers read it: one row of the dashboard, one entry of /recent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from risk_scorer.core.reasons import BASELINE
from risk_scorer.flows.ports import ScoredEvent


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the dashboard, all of it text that may hold anything: escape it, or set it as text."""

    time: str
    time_iso: str
    user: str
    ip: str
    place: str
    network: str
    device: str
    score: str
    level: str
    reasons: str


def row_of(scored: ScoredEvent) -> Row:
    """The line that shows this event."""
    event, score, explain = scored.event, scored.score, scored.score.explain
    moment = datetime.fromtimestamp(score.ts_scored, UTC)
    agent = " on ".join(part for part in (explain.browser, explain.os) if part)
    told = [reason.text for reason in score.reasons if reason.code != BASELINE]
    asn = f"AS{explain.asn}" if explain.asn else ""
    return Row(
        time=moment.strftime("%Y-%m-%d %H:%M:%S"),
        time_iso=moment.isoformat(timespec="seconds"),
        user=event.user_id,
        ip=event.ip,
        place=", ".join(part for part in (explain.city, explain.country) if part) or "unknown",
        network=" ".join(part for part in (asn, explain.asn_name or "") if part) or "unknown",
        device=", ".join(part for part in (event.device_id, agent or event.user_agent[:80]) if part) or "unknown",
        score=f"{score.risk_score:.1f}",
        level=score.risk_level,
        reasons=" ".join(told) or "Nothing unusual.",
    )


def entry_of(scored: ScoredEvent) -> dict[str, Any]:
    """The event's fields and the answer's in one flat object, as /recent lists it."""
    return {**msgspec.to_builtins(scored.event), **msgspec.to_builtins(scored.score)}
