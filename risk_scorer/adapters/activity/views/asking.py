"""How a view is asked: its words, and one statement that both databases understand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Float, bindparam, case, cast, func
from sqlalchemy.sql.expression import ColumnElement

from plumbing.database import Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import activity_events
from risk_scorer.core.abuse.view import Value, View

EVENTS: Final = activity_events.c
SUCCESS_FROM, FAILURE_FROM, UNKNOWN_STATUS = 200, 400, 0
"""Source: RFC 9110, section 15: 2xx and 3xx are answers, 4xx and 5xx errors; 0 is a status that nobody told."""
PROMPTED_FROM: Final = 60.0
"""The mark of a step-up on the shared scale."""


class Question(Struct, frozen=True, kw_only=True):
    """A view and its statement, whose columns are the view's, in its order."""

    view: View
    statement: Statement

    def ask(self, tx: Transaction, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows, each by the names of its columns."""
        names = [column.name for column in self.view.columns]
        return [dict(zip(names, row, strict=True)) for row in tx.all(self.statement, **values)]

    def sql(self, dialect: str) -> str:
        """The text that the database gets, with its marks for the parameters."""
        return self.statement.compiled(dialect).sql

    def readable_sql(self, dialect: str) -> str:
        """The same with the parameters' names for its marks, and the values that never change in their places."""
        compiled = self.statement.compiled(dialect)
        names = iter(compiled.names)

        def named(mark: re.Match[str]) -> str:
            if mark[0] == "%%":
                return "%"
            name = next(names)
            return repr(compiled.fixed[name]) if name in compiled.fixed else f":{name}"

        return re.sub(r"%%|%s" if dialect == "postgresql" else r"\?", named, compiled.sql)


def number(name: str) -> ColumnElement[float]:
    """A parameter that is a number with a fraction, also where the database would take it for a whole one."""
    return cast(bindparam(name), Float)


def within(events: Any = EVENTS) -> ColumnElement[bool]:
    """Events of the span that was asked for."""
    found: ColumnElement[bool] = (events.ts >= number("since")) & (events.ts < number("until"))
    return found


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows of a group are such."""
    return func.sum(case((condition, 1), else_=0))


def is_success(events: Any = EVENTS) -> ColumnElement[bool]:
    """The request was served."""
    found: ColumnElement[bool] = (events.status >= SUCCESS_FROM) & (events.status < FAILURE_FROM)
    return found


def is_failure(events: Any = EVENTS) -> ColumnElement[bool]:
    """The request was refused, or failed."""
    found: ColumnElement[bool] = events.status >= FAILURE_FROM
    return found


def distinct(column: ColumnElement[Any]) -> ColumnElement[int]:
    """How many different values; NULL is none."""
    return func.count(column.distinct())


def sessions_that(condition: ColumnElement[bool], events: Any = EVENTS) -> ColumnElement[int]:
    """How many sessions have such an event."""
    return distinct(case((condition, events.session_id)))
