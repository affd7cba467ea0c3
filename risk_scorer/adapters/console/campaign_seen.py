"""What the accounts of a campaign did while it went on: the newest of each, and how many in each step of time.

A bounded look for each account, along the index of its own rows: however busy one is, the others are seen too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Float, Select, Table, bindparam, cast, func, select

from plumbing.database import Database
from plumbing.expressions import whole_part
from plumbing.statements import Row, Statement, Transaction, Value
from risk_scorer.adapters.activity.campaign_sources import TAKEN, done_in, failure_in
from risk_scorer.adapters.tables import activity_events, seen_outcomes, sign_ins
from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, Sighting
from risk_scorer.core.console.campaign_seen import Seen

NEWEST_EACH: Final = 100
"""Events of an account, and sign-ins, that its edges are made of."""
COUNTED_EACH: Final = 1_000
"""Of each that are counted, by an index alone."""
FAILURES_LOOKED: Final = 2_000
"""Failed logins of everybody that are looked through: they are kept by time, not by person."""


def _of_account(table: Table, *columns: Any) -> Select[Any]:
    row = table.c
    return (
        select(*columns)
        .where(row.user_id == bindparam("of_user"), row.ts >= bindparam("first"), row.ts <= bindparam("last"))
        .order_by(row.ts.desc())
    )


def _counted(table: Table) -> Statement:
    newest = _of_account(table, table.c.ts).limit(COUNTED_EACH).subquery()
    number = whole_part(cast((newest.c.ts - bindparam("first")) / bindparam("step"), Float))
    return Statement(select(number.label("number"), func.count()).group_by("number"))


EVENTS = Statement(_of_account(activity_events, *TAKEN).limit(NEWEST_EACH))
_in = sign_ins.c
LOGINS = Statement(
    _of_account(sign_ins, _in.user_id, _in.ts, _in.ip, _in.device_id, _in.ja4, _in.level, _in.outcome, _in.kind).limit(
        NEWEST_EACH
    )
)
COUNTED_EVENTS, COUNTED_LOGINS = _counted(activity_events), _counted(sign_ins)
_out = seen_outcomes.c
FAILURES = Statement(
    select(_out.seen_at, _out.event_id, _out.lesson)
    .where(_out.seen_at >= bindparam("first"), _out.seen_at <= bindparam("last"), _out.lesson.is_not(None))
    .order_by(_out.seen_at.desc())
    .limit(FAILURES_LOOKED)
)


class CampaignSightings:
    """Reads them, beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, user_ids: Sequence[str], *, first: float, last: float, step: float) -> Seen:
        """What these accounts did from `first` to `last`, counted by steps. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: _seen(tx, user_ids, first, last, step))


def _seen(tx: Transaction, user_ids: Sequence[str], first: float, last: float, step: float) -> Seen:
    sightings: list[Sighting] = []
    counts: dict[str, Mapping[int, int]] = {}
    failures = list(_failures(tx.all(FAILURES, first=first, last=last), frozenset(user_ids)))
    sightings += failures
    for user in user_ids:
        span: dict[str, Value] = {"of_user": user, "first": first, "last": last}
        sightings += map(done_in, tx.all(EVENTS, **span))
        sightings += (_login(row) for row in tx.all(LOGINS, **span) if row[7] != "refresh")
        counted = Counter(int((each.moment - first) // step) for each in failures if each.account == user)
        for statement in (COUNTED_EVENTS, COUNTED_LOGINS):
            counted.update({int(row[0]): int(row[1]) for row in tx.all(statement, step=step, **span)})
        counts[user] = counted
    return Seen(sightings=tuple(sightings), counts=counts)


def _login(row: Row) -> Sighting:
    user, ts, ip, device, ja4, level, outcome, _ = row
    marks = (FAILED if outcome in ("failure", "mfa_failed") else 0) + (DETECTED if level != "low" else 0)
    return Sighting(user, ts, ip, device, ja4, "", marks)


def _failures(rows: Sequence[Row], user_ids: frozenset[str]) -> Iterator[Sighting]:
    for row in rows:
        found = failure_in(row)
        if found is not None and found.account in user_ids:
            yield found
