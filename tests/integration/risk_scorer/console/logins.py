"""Logins in the log, and what the projector made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from plumbing.database import Database
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.event_log import append_row
from risk_scorer.adapters.event_places import place
from risk_scorer.contract.assessment import Reason
from risk_scorer.flows.ports import ScoredEvent
from tests.integration.risk_scorer.observations import NOW, scored


def login(event_id: str, *, score: float = 10.0, ts: float = NOW, **fields: Any) -> ScoredEvent:
    """A scored login with everything a row has; `facts` are the scorer's own."""
    facts = {"asn": 64500, "asn_name": "Example", "country": "DE", "region": "Bavaria", "city": "Munich",
             "browser": "Firefox", "os": "Linux", **fields.pop("facts", {})}  # fmt: skip
    reasons = [
        Reason(code=code, points=points, observed="", usual="", text="")
        for code, points in fields.pop("reasons", (("new_device", 4.0), ("new_country", 6.0)))
    ]
    made = scored(score, event_id, **{"ja4": "t13d_1", **fields})
    explain = msgspec.structs.replace(made.score.explain, **facts)
    return msgspec.structs.replace(
        made, score=msgspec.structs.replace(made.score, ts_scored=ts, reasons=reasons, explain=explain)
    )


def log(database: Database, *logins: ScoredEvent) -> int:
    """One row of the log with these; its number."""

    def job(tx: Any) -> int:
        row_id = append_row(tx, len(logins), logins[-1].score.ts_scored, msgspec.json.encode(logins))
        place(tx, row_id, [each.score.event_id for each in logins])
        return row_id

    return database.write_sync(job)


async def taken(projection: Projection) -> None:
    """Everything that waits is in the rows."""
    while await projection.advance():
        pass


def ids(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """The first column."""
    return [row[0] for row in rows]
