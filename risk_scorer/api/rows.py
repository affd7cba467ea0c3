"""A scored event as people and callers read it: one row of the dashboard, one entry of /recent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import visible, written_out
from risk_scorer.core.reasons import BASELINE
from risk_scorer.flows.ports import ScoredEvent

MOST_REASONS = 3
"""Reasons that a line has room for; /recent has them all."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the dashboard, all of it text that may hold anything: escape it, or set it as text.

    `event` is the event's id in percent-encoding, for a link.
    """

    event: str
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


OPEN = Veil(is_on=False)


def row_of(scored: ScoredEvent, veil: Veil = OPEN) -> Row:
    """The line that shows this event, as much of its addresses as the veil lets through."""
    event, score, explain = scored.event, scored.score, scored.score.explain
    moment = datetime.fromtimestamp(score.ts_scored, UTC)
    agent = " on ".join(part for part in (explain.browser, explain.os) if part)
    told = [reason.text for reason in score.reasons if reason.code != BASELINE]
    asn = f"AS{explain.asn}" if explain.asn else ""
    device = ", ".join(part for part in (event.device_id, agent or event.user_agent) if part)
    return Row(
        event=path_part(score.event_id),
        time=moment.strftime("%Y-%m-%d %H:%M:%S"),
        time_iso=moment.isoformat(timespec="seconds"),
        user=visible(event.user_id),
        ip=visible(veil.address(event.ip)),
        place=visible(", ".join(part for part in (explain.city, explain.country) if part)) or "unknown",
        network=visible(" ".join(part for part in (asn, explain.asn_name or "") if part)) or "unknown",
        device=visible(device) or "unknown",
        score=f"{score.risk_score:.1f}",
        level=score.risk_level,
        reasons=veil.text(_in_short(told)),
    )


def _in_short(told: list[str]) -> str:
    """The weightiest reasons, and how many more there are."""
    if not told:
        return "Nothing unusual."
    more = len(told) - MOST_REASONS
    return written_out(" ".join(told[:MOST_REASONS])) + (f" (and {more} more)" if more > 0 else "")


def entry_of(scored: ScoredEvent) -> dict[str, Any]:
    """The event's fields and the answer's in one flat object, as /recent lists it."""
    return {**msgspec.to_builtins(scored.event), **msgspec.to_builtins(scored.score)}
