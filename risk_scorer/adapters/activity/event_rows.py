"""The rows of the event store and of sessions' risks, as statements; what they mean is decided elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.activity.answers import forget_answers, held_signals, rest_of
from risk_scorer.adapters.activity.said import packed_said
from risk_scorer.adapters.tables import activity_events, session_risk
from risk_scorer.flows.activity.ports import Judgement, Risk

PRUNE_ROWS: Final = 2000

_events = activity_events.c
_columns = [column for column in activity_events.columns if column.name != "id"]
APPEND = Statement(insert(activity_events).values({column.name: bindparam(column.name) for column in _columns}))
OLD = Statement(
    select(_events.id, _events.user_id, _events.event_id)
    .where(_events.ts < bindparam("before"))
    .order_by(_events.ts)
    .limit(PRUNE_ROWS)
)
DROP = Statement(delete(activity_events).where(_events.id == bindparam("of_id")))
OF_PERSON = Statement(
    select(_events.ts, _events.session_id, _events.method, _events.endpoint, _events.service, _events.status,
           _events.score)
    .where(_events.user_id == bindparam("of_user"))
    .order_by(_events.ts.desc())
    .limit(bindparam("up_to"))
)  # fmt: skip

_risk = session_risk.c
_KEEP = insert(session_risk).values({column.name: bindparam(column.name) for column in session_risk.columns})
_new = _KEEP.excluded
_stronger = {
    name: case((_new[name] > _risk[name], _new[name]), else_=_risk[name]) for name in ("told", "peak", "events")
}
_plain = {name: _new[name] for name in ("score", "nats", "signals", "attack_likelihood", "model_version", "updated_at")}
KEEP_RISK = Statement(_KEEP.on_conflict_do_update(index_elements=["session_id"], set_={**_plain, **_stronger}))
_higher = {
    name: case((_new.nats > _risk.nats, _new[name]), else_=_risk[name])
    for name in ("score", "nats", "signals", "attack_likelihood", "model_version", "updated_at")
}
KEEP_HIGHER_RISK = Statement(_KEEP.on_conflict_do_update(index_elements=["session_id"], set_={**_higher, **_stronger}))
_READ = select(
    _risk.session_id, _risk.user_id, _risk.score, _risk.nats, _risk.signals, _risk.attack_likelihood,
    _risk.model_version, _risk.told, _risk.events, _risk.started_at, _risk.updated_at,
)  # fmt: skip
RISKS = Statement(_READ.where(_risk.session_id.in_(texts_of(bindparam("ids")))))
RISKS_OF_PERSON = Statement(
    _READ.where(_risk.user_id == bindparam("of_user")).order_by(_risk.updated_at.desc()).limit(bindparam("up_to"))
)
_OLD_RISKS = select(_risk.session_id).where(_risk.updated_at < bindparam("before")).limit(PRUNE_ROWS)
PRUNE_RISKS = Statement(delete(session_risk).where(_risk.session_id.in_(_OLD_RISKS)))
CALM = Statement(
    update(session_risk)
    .where(_risk.session_id == bindparam("of_id"))
    .values(score=0.0, nats=0.0, signals=b"[]", updated_at=bindparam("at"))
)


def append(tx: Transaction, judged: Iterable[Judgement]) -> None:
    """Add these to the event store."""
    tx.listed(APPEND, [_row(each) for each in judged])


def prune_events(tx: Transaction, before: float) -> int:
    """Forget events that happened before that time, with their answers, some at a time; how many went."""
    rows = tx.all(OLD, before=before)
    forget_answers(tx, ((row[1], row[2]) for row in rows))
    tx.many(DROP, [{"of_id": row[0]} for row in rows])
    return len(rows)


def prune_risks(tx: Transaction, before: float) -> int:
    """Forget risks that were last judged before that time, some at a time; how many went."""
    return tx.run(PRUNE_RISKS, before=before)


def _row(each: Judgement) -> tuple[Value, ...]:
    """Its values in the order of the table's columns, which is that of `APPEND`."""
    seen, answer = each.seen, each.answer
    return (
        seen.event_id, seen.ts, seen.user_id, seen.session_id, each.client_id, seen.ip, seen.prefix, seen.asn,
        seen.country, seen.device_id, seen.ja4, each.user_agent, seen.browser, seen.endpoint, seen.method, seen.status,
        None if math.isnan(seen.latency_ms) else seen.latency_ms, seen.bytes_in, seen.bytes_out, seen.service,
        seen.trace_id, seen.event_type, answer.total_score, held_signals(answer),
        rest_of(answer) if each.is_named else None, packed_said(seen),
    )  # fmt: skip


def keep_risks(tx: Transaction, risks: Iterable[Risk], contested: frozenset[str]) -> None:
    """Write the newest risk of each session; of one that another process has judged meanwhile the higher one stays."""
    newest = {risk.session_id: risk for risk in risks}
    for session_id in sorted(newest):
        statement = KEEP_HIGHER_RISK if session_id in contested else KEEP_RISK
        tx.run(statement, **_risk_row(newest[session_id]))


def _risk_row(risk: Risk) -> dict[str, Value]:
    return {
        "session_id": risk.session_id,
        "user_id": risk.user_id,
        "score": risk.score,
        "nats": risk.nats,
        "signals": risk.signals,
        "attack_likelihood": risk.attack_likelihood,
        "model_version": risk.model_version,
        "told": risk.told,
        "peak": risk.score,
        "events": risk.events,
        "started_at": risk.started_at,
        "updated_at": risk.updated_at,
    }


def risk_of(row: Row) -> Risk:
    """The risk of a row."""
    return Risk(
        session_id=row[0], user_id=row[1], score=row[2], nats=row[3], signals=bytes(row[4]), attack_likelihood=row[5],
        model_version=row[6], told=row[7], events=row[8], started_at=row[9], updated_at=row[10],
    )  # fmt: skip
