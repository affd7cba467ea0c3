"""What is asked of the tables of incidents, and an incident as a row of them."""

from __future__ import annotations

import math
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.tables import incident_members, incidents
from risk_scorer.core.incidents.incident import MOST_MEMBERS, Incident
from risk_scorer.core.incidents.shown import MOST_COUNTED

_row, _member = incidents.c, incident_members.c
_NOT_CLOSED: Final = text("state <> 'closed'")
OPEN_ONE = Statement(insert(incidents).on_conflict_do_nothing(index_elements=["key"], index_where=_NOT_CLOSED))
_HELD = select(_row.body, _row.announced_at).with_for_update()
HOLD_KEY = Statement(_HELD.where(_row.key == bindparam("of_key"), _row.state != "closed"))
HOLD = Statement(_HELD.where(_row.incident_id == bindparam("of_id")))
HOLD_LAST = Statement(_HELD.where(_row.key == bindparam("of_key")).order_by(_row.updated_at.desc()).limit(1))
WRITE = Statement(
    update(incidents)
    .where(_row.incident_id == bindparam("of_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("state", "owner", "score", "updated_at", "body", "version", "due_at")
        }
    )
)
JOIN = Statement(insert(incident_members).on_conflict_do_nothing())
MEMBERS = Statement(
    select(_member.user_id)
    .where(_member.incident_id == bindparam("of_id"))
    .order_by(_member.user_id)
    .limit(MOST_MEMBERS)
)
COUNT_MEMBERS = Statement(select(func.count()).where(_member.incident_id == bindparam("of_id")))
FIND = Statement(select(_row.body).where(_row.incident_id == bindparam("of_id")))
_AFTER = tuple_(_row.updated_at, _row.incident_id) < tuple_(bindparam("before_time"), bindparam("before_id"))
_OF: Final = {name: _row[name] == bindparam(f"of_{name}") for name in ("state", "owner")}


def _page(*named: str) -> Statement:
    """Each has an index that has its rows in their order."""
    found = select(_row.body, _row.updated_at, _row.incident_id).where(_AFTER, *(_OF[name] for name in named))
    return Statement(found.order_by(_row.updated_at.desc(), _row.incident_id.desc()).limit(bindparam("most")))


PAGES: Final[dict[tuple[str, ...], Statement]] = {
    named: _page(*named) for named in ((), ("state",), ("owner",), ("state", "owner"))
}
_some = select(_row.state).where(_row.state == bindparam("of_state")).limit(MOST_COUNTED).subquery()
COUNT = Statement(select(func.count()).select_from(_some))
DUE = Statement(
    select(_row.incident_id).where(_row.due_at <= bindparam("now")).order_by(_row.due_at).limit(bindparam("most"))
)
MARK = Statement(
    update(incidents)
    .where(_row.incident_id == bindparam("of_id"), _row.version == bindparam("of_version"), _row.due_at.is_not(None))
    .values(due_at=None, announced_at=bindparam("now"))
)
OLD = select(_row.incident_id).where(_row.state == "closed", _row.updated_at < bindparam("before")).limit(500)
FORGET_MEMBERS = Statement(delete(incident_members).where(_member.incident_id.in_(OLD)))
FORGET = Statement(delete(incidents).where(_row.incident_id.in_(OLD)))

_decode = msgspec.json.Decoder(Incident).decode
_encode = msgspec.json.Encoder().encode


def incident_of(body: bytes) -> Incident:
    """The incident that a row keeps."""
    return _decode(body)


def row_of(incident: Incident, due: float | None) -> dict[str, str | float | int | bytes | None]:
    """The row of an incident that is told next at `due`."""
    return {
        "incident_id": incident.incident_id,
        "state": incident.state,
        "owner": incident.owner,
        "score": incident.score,
        "updated_at": incident.updated_at,
        "body": _encode(incident),
        "version": incident.version,
        "due_at": due,
    }


def place_of(before: str) -> tuple[float, str]:
    """Where a page goes on. Raises: Refused `invalid_page` (400)."""
    if not before:
        return float("inf"), ""
    moment, comma, incident_id = before.partition(",")
    try:
        if comma and math.isfinite(float(moment)):
            return float(moment), incident_id
    except ValueError:
        pass
    raise Refused("invalid_page", "take `before` from the page before", status=400)
