"""A row that comes while somebody looks, as the texts that a script puts into its cells: no markup, and no more of an
address than the veil lets through."""

from __future__ import annotations

from typing import Any

from risk_scorer.core.console.moments import moment
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_line import line_of
from risk_scorer.core.console.veil import Veil

MOST_CHIPS = 3


def live_line(row: SignIn, veil: Veil) -> dict[str, Any]:
    """The cells by their names; `reasons` is a list."""
    line, when = line_of(row, veil), moment(row.ts, now=row.ts)
    more = len(line.reasons) - MOST_CHIPS
    return {
        "path": line.path,
        "event_id": line.event_id,
        "choose": f"Sign-in of {line.user}, {when.exact}",
        "epoch": row.ts,
        "iso": when.iso,
        "exact": when.exact,
        "user": line.user,
        "user_query": line.user_query,
        "level": line.level,
        "score": f"{line.score:.1f} {line.level}",
        "client": line.client,
        "decision": line.decision or "not told",
        "rule": line.rule,
        "factor": line.factor,
        "outcome": line.outcome,
        "verdict": line.verdict,
        "reasons": [*line.reasons[:MOST_CHIPS], *([f"and {more} more"] if more > 0 else [])],
        "device": line.device or "unknown",
        "device_id": line.device_id,
        "network": line.network or "unknown",
        "place": line.place or "unknown",
        "address": line.address,
        "fingerprint": line.fingerprint,
        "model": line.model,
    }
