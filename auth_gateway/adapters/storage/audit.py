"""The audit trail: lines are added and read, never changed."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, insert, select

from auth_gateway.adapters.storage.tables import AuditRow, table_of
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import Facts
from auth_gateway.core.vocabulary import is_told
from auth_gateway.flows.ports.user_risk import AuditFollower
from plumbing.statements import Row, Statement, Transaction

_audit = table_of(AuditRow)
LINE = [column for column in _audit.columns if column.name not in {"seq", "waits"}]
_WRITTEN = [column.name for column in _audit.columns if column.name != "seq"]

RECORD = Statement(insert(_audit).values({name: bindparam(name) for name in _WRITTEN}))
RECENT = Statement(select(*LINE).order_by(_audit.c.seq.desc()).limit(bindparam("most")))
OF_INCIDENT = Statement(select(*LINE).where(_audit.c.incident_id == bindparam("incident")).order_by(_audit.c.seq))
# The condition is the index's own.
OF_USER = Statement(
    select(*LINE)
    .where(_audit.c.user_id == bindparam("user"), _audit.c.ts >= bindparam("since"), _audit.c.kind != "token.refreshed")
    .order_by(_audit.c.ts.desc(), _audit.c.seq.desc())
    .limit(bindparam("most"))
)
COUNT_OF_USER = Statement(
    select(func.count())
    .select_from(_audit)
    .where(
        _audit.c.user_id == bindparam("user"),
        _audit.c.ts >= bindparam("since"),
        _audit.c.kind != "token.refreshed",
        _audit.c.kind == bindparam("of_kind"),
    )
)


class StoredAuditTrail:
    """The audit trail in the database; each of the `followers` is told of each line that is recorded."""

    def __init__(self, followers: Sequence[AuditFollower] = ()) -> None:
        self._followers = tuple(followers)

    def record(self, tx: Transaction, event: AuditEvent) -> None:
        tx.run(
            RECORD,
            event_id=event.event_id,
            ts=event.ts,
            kind=event.kind,
            user_id=event.user_id,
            client_id=event.client_id,
            session_id=event.session_id,
            ip=event.ip,
            decision=event.decision,
            rule=event.rule,
            score=event.score,
            level=event.level,
            model_version=event.model_version,
            incident_id=event.incident_id,
            detail=event.detail,
            facts=None if event.facts is None else msgspec.json.encode(event.facts),
            waits=True if is_told(event.kind) else None,
        )
        for follow in self._followers:
            follow(tx, event)
        tx.say(event)

    def recent(self, tx: Transaction, limit: int) -> list[AuditEvent]:
        """The newest lines first."""
        return [line_of(row) for row in tx.all(RECENT, most=limit)]

    def of_user(self, tx: Transaction, user_id: str, *, since: float, limit: int) -> list[AuditEvent]:
        """A person's lines since then without refreshes, the newest first."""
        return [line_of(row) for row in tx.all(OF_USER, user=user_id, since=since, most=limit)]

    def count_of_user(self, tx: Transaction, user_id: str, kind: Kind, *, since: float) -> int:
        """How many lines of that kind a person has since then."""
        row = tx.one(COUNT_OF_USER, user=user_id, since=since, of_kind=kind)
        return 0 if row is None else int(row[0])

    def of_incident(self, tx: Transaction, incident_id: str) -> list[AuditEvent]:
        """What an incident id stands for, as the person on the phone reads it out."""
        return [line_of(row) for row in tx.all(OF_INCIDENT, incident=incident_id)]


def line_of(row: Row) -> AuditEvent:
    """The line that those columns hold."""
    values = dict(zip([column.name for column in LINE], row, strict=True))
    facts = values.pop("facts")
    return AuditEvent(**values, facts=None if facts is None else msgspec.json.decode(facts, type=Facts))
