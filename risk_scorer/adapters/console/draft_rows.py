"""Texts that wait for their authors, in the database: whichever process they come back to has them.

One for each person. The oldest go when there are too many, and all that are older than half an hour with the next text
that is kept, or when the house is swept.
"""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import console_drafts
from risk_scorer.core.console.kept_drafts import KEPT_SECONDS, MOST_KEPT, KeptDraft

_row = console_drafts.c
_NEW = insert(console_drafts).values({name: bindparam(name) for name in ("operator", "kept_at", "body")})
KEEP = Statement(
    _NEW.on_conflict_do_update(
        index_elements=["operator"], set_={name: _NEW.excluded[name] for name in ("kept_at", "body")}
    )
)
WAITS = Statement(select(_row.kept_at).where(_row.operator == bindparam("of_operator")))
TAKE = Statement(delete(console_drafts).where(_row.operator == bindparam("of_operator")).returning(_row.body))
DROP_OLD = Statement(delete(console_drafts).where(_row.kept_at < bindparam("before")))
DROP_MORE = Statement(
    delete(console_drafts).where(
        _row.operator.not_in(select(_row.operator).order_by(_row.kept_at.desc(), _row.operator).limit(MOST_KEPT))
    )
)
ALL = Statement(select(_row.operator, _row.body).with_for_update())
DROP = Statement(delete(console_drafts).where(_row.operator == bindparam("of_operator")))
_decoder: Final = msgspec.json.Decoder(KeptDraft)


class DraftRows:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, operator: str, draft: KeptDraft) -> None:
        """Until it is taken, in the place of an earlier one. Raises: Refused."""
        body = msgspec.json.encode(draft)

        def job(tx: Transaction) -> None:
            tx.run(DROP_OLD, before=draft.at - KEPT_SECONDS)
            tx.run(KEEP, operator=operator, kept_at=draft.at, body=body)
            tx.run(DROP_MORE)

        await self._database.write(job)

    async def take(self, operator: str, now: float) -> KeptDraft | None:
        """Theirs, once. Raises: Refused."""
        if await self._database.read_in_thread(lambda tx: tx.one(WAITS, of_operator=operator)) is None:
            return None
        row = await self._database.write(lambda tx: tx.one(TAKE, of_operator=operator))
        found = None if row is None else _decoder.decode(row[0])
        return found if found is not None and now - found.at <= KEPT_SECONDS else None

    async def prune(self, before: float) -> int:
        """Drop what is older than that time; how much went. Raises: Refused."""
        return await self._database.write(lambda tx: tx.run(DROP_OLD, before=before))


def erase_drafts(tx: Transaction, user_id: str) -> int:
    """Drop every text that speaks of the person; how many."""
    theirs = [row[0] for row in tx.all(ALL) if _decoder.decode(row[1]).names(user_id)]
    return sum(tx.run(DROP, of_operator=each) for each in theirs)
