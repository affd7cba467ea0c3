"""A sign-in as one line of a table or of an exported file: every text as far as it may be shown. No look-up."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.export import Cell
from risk_scorer.core.console.moments import iso
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import visible

COLUMNS: Final = {
    "client": "Client",
    "decision": "Decision",
    "factor": "Factor",
    "outcome": "Outcome",
    "verdict": "Verdict",
    "reasons": "Reasons",
    "device": "Device",
    "network": "Network",
    "place": "Place",
    "address": "Address",
    "fingerprint": "Fingerprint",
    "model": "Model",
}
"""What may stand beside time, user and score, in this order, with its heading."""
USUAL: Final = ("client", "decision", "reasons", "device", "network")
"""With the factor under the decision, the verdict under the score and the place under the network."""
EXPORTED: Final = (
    "time", "event_id", "user_id", "client_id", "kind", "level", "score", "decision", "rule", "factor", "outcome",
    "verdict", "reasons", "ip", "asn", "asn_name", "country", "region", "city", "device_id", "browser", "os", "ja4",
    "model_version",
)  # fmt: skip
"""The columns of a file."""


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """Texts to be shown, and `path`, the last part of the address of the sign-in's own page."""

    path: str
    event_id: str
    ts: float
    user: str
    user_query: str
    level: str
    score: float
    client: str
    decision: str
    rule: str
    factor: str
    outcome: str
    verdict: str
    reasons: tuple[str, ...]
    device: str
    device_id: str
    network: str
    place: str
    address: str
    fingerprint: str
    model: str


def line_of(row: SignIn, veil: Veil) -> Line:
    """The line of a table; addresses as much as the veil lets through."""
    asn = f"AS{row.asn}" if row.asn else ""
    return Line(
        path=path_part(row.event_id),
        event_id=row.event_id,
        ts=row.ts,
        user=visible(row.user_id, 40),
        user_query=path_part(row.user_id),
        level=row.level,
        score=row.score,
        client=visible(row.client_id, 32),
        decision=row.decision,
        rule=visible(row.rule, 48),
        factor=visible(row.factor, 24),
        outcome=words_of(row.outcome),
        verdict=words_of(row.verdict),
        reasons=tuple(words_of(code) for code in row.reasons.split()),
        device=visible(" on ".join(part for part in (row.browser, row.os) if part), 48),
        device_id=visible(row.device_id, 32),
        network=visible(" ".join(part for part in (asn, row.asn_name) if part), 48),
        place=visible(", ".join(part for part in (row.city, row.country) if part), 48),
        address=visible(veil.address(row.ip), 48),
        fingerprint=visible(row.ja4, 40),
        model=visible(row.model_version, 32),
    )


def exported(row: SignIn, veil: Veil) -> dict[str, Cell]:
    """The cells of a file, by EXPORTED."""
    found: dict[str, Cell] = {name: getattr(row, name) for name in EXPORTED if name != "time"}
    return {**found, "time": iso(row.ts), "ip": veil.address(row.ip)}


def columns_of(text: str) -> tuple[str, ...]:
    """The columns that a query names, in their order; the usual ones where it names none that there is."""
    asked = set(text.split(","))
    return tuple(name for name in COLUMNS if name in asked) or USUAL
