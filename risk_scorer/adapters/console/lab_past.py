"""What is stored of a person, for the lab: read from the database alone, so that no memory of this process moves."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.event_places import row_of
from risk_scorer.adapters.history_rows import kept_of
from risk_scorer.adapters.tables import sign_ins
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.history import UserHistory
from risk_scorer.flows.ports import ScoredEvent

LOOKED_AT: Final = 50
"""The person's newest rows; somebody of whose last fifty logins none was usual has no usual one."""
NOT_THEIRS: Final = frozenset({"failure", "mfa_failed"})

_rows = sign_ins.c
NEWEST = Statement(
    select(_rows.event_id, _rows.client_id, _rows.level, _rows.kind, _rows.outcome, _rows.verdict)
    .where(_rows.user_id == bindparam("of_user"))
    .order_by(_rows.ts.desc())
    .limit(LOOKED_AT)
)
_decoder = msgspec.json.Decoder(list[ScoredEvent])


class LabPast:
    """Reads beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def history(self, user_id: str) -> UserHistory | None:
        """What their logins taught. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: kept_of(tx, {user_id})[user_id].history)

    async def newest(self, user_id: str) -> tuple[LoginEvent, str] | None:
        """Their newest login of a low risk, and at which application. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: _newest(tx, user_id))


def _newest(tx: Transaction, user_id: str) -> tuple[LoginEvent, str] | None:
    for event_id, client, level, kind, outcome, verdict in tx.all(NEWEST, of_user=user_id):
        is_usual = level == "low" and kind == "login" and outcome not in NOT_THEIRS
        if is_usual and verdict != "confirmed_compromised":
            event = _logged(tx, event_id)
            if event is not None and event.success:
                return event, client
    return None


def _logged(tx: Transaction, event_id: str) -> LoginEvent | None:
    """The event as the log has it, None once it has let go of it."""
    row = row_of(tx, event_id)
    if row is None:
        return None
    try:
        found = _decoder.decode(row[1])
    except msgspec.MsgspecError:
        return None  # written by another version
    return next((each.event for each in found if each.score.event_id == event_id), None)
