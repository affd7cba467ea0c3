"""Campaigns in the database: what a look starts from, and all that it found written in one transaction.

Dying in the midst leaves what was there before; the next look finds the same and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.activity.campaign_looks import HOLD, LOOK, LOOKED, begin
from risk_scorer.adapters.tables import (
    account_scores,
    campaign_members,
    campaign_signals,
    campaigns,
)
from risk_scorer.core.campaigns.continuity import REOPENS_SECONDS, Continued, KnownCampaign
from risk_scorer.core.campaigns.found import FoundCampaign, Look
from risk_scorer.core.campaigns.telling import (
    evidence_of,
    how_it_ended,
    incident_key,
    incident_sighting,
    member_signal,
)
from risk_scorer.flows.activity.campaign_ports import Before, Incidents, MemberTold, Settled

MOST_KNOWN: Final = 2000
PRUNED_AT_ONCE: Final = 20
NEWER_SECONDS: Final = 600.0
"""When a member was last seen is written again from so much later on: a look each minute does not write each row."""
SCORES_SECONDS: Final = 60.0
"""The ranking of accounts is written anew so often: nobody reads it at each look."""

_c = campaigns.c
KNOWN = Statement(
    select(_c.campaign_id, _c.state, _c.revision, _c.score, _c.first_seen, _c.last_seen, _c.opened_at)
    .where(or_(_c.state == "open", _c.updated_at >= bindparam("since")))
    .order_by(_c.updated_at.desc(), _c.campaign_id)
    .limit(MOST_KNOWN)
)
_m = campaign_members.c
MEMBERS = Statement(select(_m.user_id, _m.marks, _m.last_seen, _m.told).where(_m.campaign_id == bindparam("of_id")))
_s = campaign_signals.c
SIGNALS = Statement(select(_s.kind, _s.value).where(_s.campaign_id == bindparam("of_id")))
_WRITTEN = ("state", "score", "members", "revision", "first_seen", "last_seen", "updated_at", "closed_at", "evidence")
_new = insert(campaigns)
WRITE = Statement(
    _new.on_conflict_do_update(index_elements=["campaign_id"], set_={name: _new.excluded[name] for name in _WRITTEN})
)
CLOSE = Statement(
    update(campaigns)
    .where(_c.campaign_id == bindparam("of_id"))
    .values(state="closed", revision=_c.revision + 1, updated_at=bindparam("at"), closed_at=bindparam("at"))
)
_member = insert(campaign_members)
WRITE_MEMBER = Statement(
    _member.on_conflict_do_update(
        index_elements=["campaign_id", "user_id"],
        set_={name: _member.excluded[name] for name in ("marks", "last_seen", "told")},
    )
)
DROP_SIGNALS = Statement(delete(campaign_signals).where(_s.campaign_id == bindparam("of_id")))
WRITE_SIGNAL = Statement(insert(campaign_signals).on_conflict_do_nothing())
DROP_SCORES = Statement(delete(account_scores))
WRITE_SCORE = Statement(insert(account_scores))
OLD = Statement(
    select(_c.campaign_id).where(_c.state == "closed", _c.updated_at < bindparam("before")).limit(PRUNED_AT_ONCE)
)
FORGET = tuple(
    Statement(delete(table).where(table.c.campaign_id == bindparam("of_id")))
    for table in (campaign_members, campaign_signals, campaigns)
)

_encode = msgspec.json.Encoder().encode


class CampaignRows:
    """The tables, for one process at a time; a second one finds that it was not the first and writes nothing."""

    def __init__(
        self,
        database: Database,
        *,
        kept_seconds: float,
        told: MemberTold | None = None,
        incidents: Incidents | None = None,
    ) -> None:
        """What ended is kept for so long."""
        self._database = database
        self._kept_seconds = kept_seconds
        self._told = told
        self._incidents = incidents
        self._ranked_at = float("-inf")

    def load(self, now: float) -> Before:
        """What a look starts from. Raises: Refused."""
        self._database.write_sync(begin)
        return self._database.read(lambda tx: _before(tx, now))

    def settle(
        self, changes: Sequence[Continued], look: Look, *, after: Before, now: float, seconds: float
    ) -> Settled | None:
        """Write it all, unless somebody was first. Raises: Refused."""
        incident_ids = (
            {} if self._incidents is None else {each.campaign_id: self._incidents.new_id() for each in changes}
        )

        is_ranked = not 0.0 <= now - self._ranked_at < SCORES_SECONDS

        def job(tx: Transaction) -> Settled | None:
            if tx.one(HOLD) != (after.looks, after.erasures):
                return None
            told = sum(self._written(tx, each, now) for each in changes)
            self._sight(tx, changes, incident_ids, now)
            if is_ranked:
                _write_scores(tx, look, now)
            for (campaign_id,) in tx.all(OLD, before=now - self._kept_seconds):
                for statement in FORGET:
                    tx.run(statement, of_id=campaign_id)
            tx.run(LOOKED, new_looked_at=now, new_events=look.events, new_accounts=look.accounts, new_seconds=seconds)
            return _counted(changes, told)

        settled = self._database.write_sync(job)
        if settled is not None and is_ranked:
            self._ranked_at = now
        return settled

    def _written(self, tx: Transaction, change: Continued, now: float) -> int:
        """Write one campaign; how many members are told of."""
        if change.found is None:
            tx.run(CLOSE, of_id=change.campaign_id, at=now)
            return 0
        return self._write(tx, change, change.found, now)

    def _sight(self, tx: Transaction, changes: Sequence[Continued], new_ids: Mapping[str, str], now: float) -> None:
        """What opened or goes on is an incident, what is back is the one that it was, and one that ended ends with
        it."""
        for each in changes:
            if self._incidents is None:
                return
            if each.state == "closed" or each.found is None:
                self._incidents.end(tx, incident_key(each.campaign_id), text=how_it_ended(each, now=now), at=now)
                continue
            is_back = each.before is not None and each.before.state == "closed"
            sight = self._incidents.sight_again if is_back else self._incidents.sight
            sighting = incident_sighting(each.campaign_id, each.found, now=now)
            sight(tx, sighting, new_id=new_ids[each.campaign_id])

    def _write(self, tx: Transaction, change: Continued, found: FoundCampaign, now: float) -> int:
        known = {row[0]: row[1:] for row in tx.all(MEMBERS, of_id=change.campaign_id)}
        fresh = [each for each in found.members if known.get(each.user_id, ("", 0.0, 0))[2] == 0]
        signals = [member_signal(change.campaign_id, found, each, now=now) for each in fresh]
        rows: list[dict[str, Any]] = []
        for each in found.members:
            marks = ",".join(each.marks)
            old = known.get(each.user_id)
            if old is None or old[2] == 0 or old[0] != marks or each.last_seen >= old[1] + NEWER_SECONDS:
                seen = {"first_seen": each.first_seen, "last_seen": each.last_seen, "marks": marks}
                rows.append({"campaign_id": change.campaign_id, "user_id": each.user_id, "told": 1, **seen})
        tx.many(WRITE_MEMBER, rows)
        before, new_ones = change.before, {each.user_id for each in found.members} - known.keys()
        tx.run(
            WRITE,
            campaign_id=change.campaign_id,
            state=change.state,
            score=found.score,
            members=len(known) + len(new_ones) + found.members_in_all - len(found.members),
            revision=1 if before is None else before.revision + 1,
            first_seen=found.first_seen if before is None else min(before.first_seen, found.first_seen),
            last_seen=found.last_seen,
            opened_at=now if before is None else before.opened_at,
            updated_at=now,
            closed_at=now if change.state == "closed" else None,
            evidence=_encode(evidence_of(found)),
        )
        tx.run(DROP_SIGNALS, of_id=change.campaign_id)
        shared = [{"campaign_id": change.campaign_id, **msgspec.structs.asdict(each)} for each in found.signals]
        tx.many(WRITE_SIGNAL, shared)
        if self._told is None or change.state == "closed":
            return 0
        self._told.telling(signals)(tx)
        return len(signals)


def _before(tx: Transaction, now: float) -> Before:
    looks, erasures = tx.one(LOOK) or (0, 0)
    known = []
    for row in tx.all(KNOWN, since=now - REOPENS_SECONDS):
        campaign_id, state, revision, score, first_seen, last_seen, opened_at = row
        known.append(
            KnownCampaign(
                campaign_id=campaign_id,
                state=state,
                revision=revision,
                score=score,
                first_seen=first_seen,
                last_seen=last_seen,
                opened_at=opened_at,
                members=frozenset(row[0] for row in tx.all(MEMBERS, of_id=campaign_id)),
                signals=frozenset((row[0], row[1]) for row in tx.all(SIGNALS, of_id=campaign_id)),
            )
        )
    return Before(looks=looks, erasures=erasures, known=tuple(known))


def _write_scores(tx: Transaction, look: Look, now: float) -> None:
    tx.run(DROP_SCORES)
    rows = (msgspec.structs.asdict(each) for each in look.scores)
    tx.many(WRITE_SCORE, [{**row, "furthest": ",".join(row["furthest"]), "updated_at": now} for row in rows])


def _counted(changes: Sequence[Continued], told: int) -> Settled:
    closed = sum(each.state == "closed" for each in changes)
    opened = sum(each.before is None for each in changes)
    return Settled(opened=opened, continued=len(changes) - opened - closed, closed=closed, told=told)
