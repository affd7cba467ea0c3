"""The statements that pages of sign-ins are read with, one for each combination of what is asked for.

A page is read along one index in the order of time; what else is asked for is looked at in the rows themselves, of a
bounded number. Which index that is, is the caller's choice; the texts of closed vocabularies stand in the statement, so
that an index over rare values only can serve it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, literal_column, select, tuple_
from sqlalchemy.sql.expression import ColumnElement, Select

from plumbing.expressions import texts_of
from plumbing.statements import Statement
from risk_scorer.adapters.console.tables import DECIDED, ENDED, JUDGED, RISKY
from risk_scorer.adapters.tables import sign_ins
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import DECISIONS, KINDS, LEVELS, OUTCOMES, VERDICTS

Terms = frozenset[str]
"""Names of conditions; one of a closed vocabulary as `level=high`."""

COLUMNS: Final = SignIn.__struct_fields__
_rows = sign_ins.c
READ: Final = [_rows[name] for name in COLUMNS]
_CLOSED: Final = {
    "level": (LEVELS, RISKY),
    "decision": (DECISIONS, DECIDED),
    "outcome": (OUTCOMES, ENDED),
    "verdict": (VERDICTS, JUDGED),
    "kind": (KINDS, None),
}
USUAL: Final = frozenset({"level=low", "decision=allow", "outcome=success"})
"""What nearly all rows are, and no index has."""

ONE = Statement(
    select(*READ).where(_rows.event_key == bindparam("key"), _rows.event_id == bindparam("of_event")).limit(1)
)
_FIRST = select(_rows.user_id).where(_rows.user_id < bindparam("high")).order_by(_rows.user_id).limit(1)
FIRST_PERSON = Statement(_FIRST.where(_rows.user_id >= bindparam("low")))
NEXT_PERSON = Statement(_FIRST.where(_rows.user_id > bindparam("last")))


def _condition(term: str, row: Any) -> ColumnElement[bool]:
    name, _, value = term.partition("=")
    if name not in _CLOSED:
        found: ColumnElement[bool] = _OPEN[name](row)
        return found
    allowed, where = _CLOSED[name]
    if value not in allowed:
        raise ValueError(f"{name} has no such value")
    is_value: ColumnElement[bool] = getattr(row, name) == literal_column(f"'{value}'")
    # What the index is over stands beside it, so that the database knows that it can serve.
    if where is None or row is not _rows or term in USUAL:
        return is_value
    return and_(is_value, where)


_OPEN: Final[dict[str, Any]] = {
    "user": lambda row: row.user_id == bindparam("user"),
    "people": lambda row: row.user_id.in_(texts_of(bindparam("people")).order_by(None)),
    "text": lambda row: and_(row.user_id >= bindparam("low"), row.user_id < bindparam("high")),
    "ip": lambda row: row.ip == bindparam("ip"),
    "prefix": lambda row: row.prefix == bindparam("prefix"),
    "asn": lambda row: row.asn == bindparam("asn"),
    "country": lambda row: row.country == bindparam("country"),
    "device": lambda row: row.device_id == bindparam("device"),
    "ja4": lambda row: row.ja4 == bindparam("ja4"),
    "rule": lambda row: row.rule == bindparam("rule"),
    "client": lambda row: row.client_id == bindparam("client"),
    "reason": lambda row: (" " + row.reasons + " ").like(bindparam("reason"), escape="\\"),
    "least": lambda row: row.score >= bindparam("least"),
    "most": lambda row: row.score <= bindparam("most"),
    "since": lambda row: row.ts >= bindparam("since"),
    "until": lambda row: row.ts < bindparam("until"),
    # The first line is what an index can do of the second.
    "before": lambda row: and_(
        row.ts <= bindparam("at_ts"), tuple_(row.ts, row.seq) < tuple_(bindparam("at_ts"), bindparam("at_seq"))
    ),
    "after": lambda row: and_(
        row.ts >= bindparam("at_ts"), tuple_(row.ts, row.seq) > tuple_(bindparam("at_ts"), bindparam("at_seq"))
    ),
}


def _order(row: Any, along: Terms) -> tuple[Any, Any]:
    """Newest first, or oldest first where the walk goes on `after` a place."""
    return (row.ts, row.seq) if "after" in along else (row.ts.desc(), row.seq.desc())


def _walk(along: Terms, columns: Sequence[Any]) -> Select[Any]:
    """Rows in the order of time, so many at the most."""
    walked = select(*columns).where(*(_condition(term, _rows) for term in sorted(along)))
    return walked.order_by(*_order(_rows, along)).limit(bindparam("most_walked"))


@lru_cache(maxsize=1024)
def page_statement(along: Terms, others: Terms) -> Statement:
    """Rows along an index, from `most_walked` of which those stay that are such; `after` comes oldest first."""
    row = _walk(along, READ).subquery().c
    kept = select(*(row[name] for name in COLUMNS)).where(*(_condition(term, row) for term in sorted(others)))
    return Statement(kept.order_by(*_order(row, along)).limit(bindparam("up_to")))


@lru_cache(maxsize=512)
def end_statement(along: Terms) -> Statement:
    """The last place that was walked, and how many were."""
    walked = _walk(along, (_rows.ts, _rows.seq)).subquery()
    many = select(func.count()).select_from(walked).scalar_subquery()
    back = {"after"} ^ (along & {"after"})
    last = select(walked.c.ts, walked.c.seq, many).order_by(*_order(walked.c, frozenset(back)))
    return Statement(last.limit(1))


@lru_cache(maxsize=512)
def count_statement(along: Terms) -> Statement:
    """How many rows there are along an index, counted up to `most_walked`."""
    found = select(_rows.ts).where(*(_condition(term, _rows) for term in sorted(along))).limit(bindparam("most_walked"))
    return Statement(select(func.count()).select_from(found.subquery()))
