"""What several accounts share: one row for each value of a column that enough of them have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.sql.expression import ColumnElement

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import Question, distinct, how_many, is_failure
from risk_scorer.adapters.activity.views.seen import OF, SEEN
from risk_scorer.core.abuse.view import LIMIT, Column, View, count, span

_FAILURES = Column(name="failures", text="How many of them were refused or failed.")
_FIRST = Column(name="first_at", text="When the first of them happened.")
_LAST = Column(name="last_at", text="When the last of them happened.")


def known(column: ColumnElement[str]) -> ColumnElement[int]:
    """How many different values that are told; "" is unknown."""
    return distinct(func.nullif(column, ""))


def shared(
    name: str,
    text: str,
    *,
    shares: tuple[ColumnElement[str], Column],
    accounts: Column,
    more: Sequence[tuple[ColumnElement[Any], Column]],
) -> Question:
    """The view of that name: what is shared, by how many accounts, and `more` counts of each."""
    value, column = shares
    counts = [each for each, _ in more]
    people = distinct(SEEN.user_id)
    view = View(
        name=name,
        text=text,
        parameters=(*span(7), count("least", "So many accounts.", 3, least=2), OF, LIMIT),
        columns=(
            column,
            accounts,
            *(words for _, words in more),
            Column(name="events", text="How many events."),
            _FAILURES,
            _FIRST,
            _LAST,
        ),
    )
    statement = (
        select(value, people, *counts, func.count(), how_many(is_failure(SEEN)), func.min(SEEN.ts), func.max(SEEN.ts))
        .where(value != "")
        .group_by(value)
        .having(people >= bindparam("least"))
        .order_by(people.desc(), value)
        .limit(bindparam("limit"))
    )
    return Question(view=view, statement=Statement(statement))
