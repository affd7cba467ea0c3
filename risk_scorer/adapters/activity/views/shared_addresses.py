"""Accounts by shared address: who comes from where others come from."""

from typing import Final

from sqlalchemy import bindparam, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import EVENTS, Question, distinct, how_many, is_failure, within
from risk_scorer.core.abuse.view import LIMIT, Column, View, count, span

VIEW: Final = View(
    name="shared_addresses",
    text="Addresses that at least `least` accounts came from. An office has one as well: see how they fail.",
    parameters=(*span(7), count("least", "So many accounts.", 3, least=2), LIMIT),
    columns=(
        Column(name="ip", text="The address."),
        Column(name="accounts", text="How many accounts came from it."),
        Column(name="sessions", text="How many sessions."),
        Column(name="devices", text="How many devices that have a name."),
        Column(name="events", text="How many events."),
        Column(name="failures", text="How many of them were refused or failed."),
        Column(name="first_at", text="When the first of them happened."),
        Column(name="last_at", text="When the last of them happened."),
    ),
)
_ACCOUNTS = distinct(EVENTS.user_id)
STATEMENT = Statement(
    select(
        EVENTS.ip,
        _ACCOUNTS,
        distinct(EVENTS.session_id),
        distinct(func.nullif(EVENTS.device_id, "")),
        func.count(),
        how_many(is_failure()),
        func.min(EVENTS.ts),
        func.max(EVENTS.ts),
    )
    .where(within(), EVENTS.ip != "")
    .group_by(EVENTS.ip)
    .having(bindparam("least") <= _ACCOUNTS)
    .order_by(_ACCOUNTS.desc(), EVENTS.ip)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
