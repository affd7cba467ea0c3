"""The last look for campaigns: a row that whoever writes what was found holds, and by which an erasure is heard of."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import account_scores, campaign_looks, campaign_members, incident_members

THE_LOOK: Final = "campaigns"
NEVER: Final = 0.0

BEGIN = Statement(insert(campaign_looks).on_conflict_do_nothing())
_look = campaign_looks.c
_LOOK = select(_look.looks, _look.erasures).where(_look.name == THE_LOOK)
LOOK = Statement(_LOOK)
HOLD = Statement(_LOOK.with_for_update())
LOOKED = Statement(
    update(campaign_looks)
    .where(_look.name == THE_LOOK)
    .values({name: bindparam(f"new_{name}") for name in ("looked_at", "events", "accounts", "seconds")})
    .values(looks=_look.looks + 1)
)
ERASED = Statement(update(campaign_looks).where(_look.name == THE_LOOK).values(erasures=_look.erasures + 1))
UNMEMBER = Statement(delete(campaign_members).where(campaign_members.c.user_id == bindparam("of_user")))
# Of what a look wrote since the incidents were cleared.
UNINCIDENT = Statement(delete(incident_members).where(incident_members.c.user_id == bindparam("of_user")))
UNSCORE = Statement(delete(account_scores).where(account_scores.c.user_id == bindparam("of_user")))


def begin(tx: Transaction) -> None:
    """The row is there."""
    tx.run(BEGIN, name=THE_LOOK, looks=0, erasures=0, looked_at=NEVER, events=0, accounts=0, seconds=0.0)


def erase_campaigns(database: Database, user_id: str) -> int:
    """Take this person out of every campaign and score, and have whoever looks for campaigns forget what it read; how
    many rows went. It comes after the logs are cleared: what is read anew does not bring the person back. Raises:
    Refused."""

    def job(tx: Transaction) -> int:
        begin(tx)
        tx.one(HOLD)
        tx.run(ERASED)
        tx.run(UNINCIDENT, of_user=user_id)
        return tx.run(UNMEMBER, of_user=user_id) + tx.run(UNSCORE, of_user=user_id)

    return database.write_sync(job)
