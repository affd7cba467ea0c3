"""Accounts as lists of them are read: along an index by name, or by mail address, from a place on."""

from typing import Any

from sqlalchemy import Select, bindparam, func, select, text
from sqlalchemy.sql.expression import ColumnElement

from auth_gateway.adapters.storage.tables import KnownDeviceRow, SessionRow, UserRow, table_of
from auth_gateway.adapters.storage.tables_risk import UserRiskRow
from auth_gateway.adapters.storage.users import FACTOR_COLUMNS, kinds_of
from auth_gateway.core.account_line import AccountLine, ListPlace, State
from auth_gateway.core.user_risk import NO_RISK, UserRisk
from plumbing.expressions import bytewise
from plumbing.statements import Row, Statement, Transaction

_users = table_of(UserRow)
_risks = table_of(UserRiskRow)
_sessions = table_of(SessionRow)
_devices = table_of(KnownDeviceRow)
_name = bytewise(_users.c.username)
_mail = bytewise(func.lower(_users.c.email))
_STATES: tuple[State | None, ...] = (None, "active", "frozen")
LAST = "\U0010ffff"
"""What no text of ours begins with: every text that begins with a prefix is below the prefix with this."""

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    _users.c.user_id,
    _users.c.username,
    _users.c.display_name,
    _users.c.email,
    _users.c.is_frozen,
    _users.c.frozen_reason,
    _users.c.password_version,
    _users.c.created_at,
    _risks.c.value,
    _risks.c.at,
    _risks.c.is_held,
    select(func.max(_sessions.c.created_at)).where(_sessions.c.user_id == _users.c.user_id).scalar_subquery(),
    select(func.max(_devices.c.last_seen_at)).where(_devices.c.user_id == _users.c.user_id).scalar_subquery(),
)


def _lines(state: State | None) -> Select[Any]:
    chosen = select(*_COLUMNS, *FACTOR_COLUMNS).select_from(
        _users.outerjoin(_risks, _risks.c.user_id == _users.c.user_id)
    )
    # In the index's own words: a condition that is a parameter is none that an index knows.
    return chosen if state is None else chosen.where(text("is_frozen" if state == "frozen" else "NOT is_frozen"))


def _named(state: State | None) -> Statement:
    return Statement(
        _lines(state)
        .where(_name > bindparam("after"), _name >= bindparam("prefix"), _name < bindparam("top"))
        .order_by(_name)
        .limit(bindparam("most"))
    )


def _mailed(state: State | None) -> Statement:
    is_named = (_name >= bindparam("name")) & (_name < bindparam("name_top"))
    return Statement(
        _lines(state)
        .where(
            text("users.email <> ''"),  # as the index says it
            _mail >= bindparam("after"),
            (_mail > bindparam("after")) | (bytewise(_users.c.user_id) > bindparam("after_id")),
            _mail >= bindparam("prefix"),
            _mail < bindparam("top"),
            ~is_named,
            _users.c.user_id != bindparam("id"),
        )
        .order_by(_mail, bytewise(_users.c.user_id))
        .limit(bindparam("most"))
    )


ONE = Statement(_lines(None).where(_users.c.user_id == bindparam("id")))
NAMED = {state: _named(state) for state in _STATES}
MAILED = {state: _mailed(state) for state in _STATES}


class StoredDirectory:
    """They, in the database."""

    def one(self, tx: Transaction, user_id: str) -> AccountLine | None:
        row = tx.one(ONE, id=user_id)
        return None if row is None else _line(row)

    def named(self, tx: Transaction, prefix: str, *, after: str, state: State | None, limit: int) -> list[AccountLine]:
        rows = tx.all(NAMED[state], after=after, prefix=prefix, top=prefix + LAST, most=limit)
        return [_line(row) for row in rows]

    def mailed(
        self, tx: Transaction, prefix: str, *, but: tuple[str, str], after: ListPlace, state: State | None, limit: int
    ) -> list[AccountLine]:
        name, user_id = but
        rows = tx.all(
            MAILED[state],
            after=after.key,
            after_id=after.user_id,
            prefix=prefix,
            top=prefix + LAST,
            name=name,
            name_top=name + LAST,
            id=user_id,
            most=limit,
        )
        return [_line(row) for row in rows]


def _line(row: Row) -> AccountLine:
    value, at, is_held, *seen = row[8:13]
    return AccountLine(
        user_id=row[0],
        username=row[1],
        display_name=row[2],
        email=row[3],
        is_frozen=bool(row[4]),
        frozen_reason=row[5],
        version=row[6],
        created_at=row[7],
        risk=NO_RISK if value is None else UserRisk(value=value, at=at, is_held=bool(is_held)),
        last_sign_in_at=max((each for each in seen if each is not None), default=None),
        factors=kinds_of(row[13:]),
    )
