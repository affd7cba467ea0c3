"""Device reuse: one device, several accounts."""

from typing import Final

from sqlalchemy import bindparam, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import EVENTS, Question, distinct, how_many, is_failure, within
from risk_scorer.core.abuse.view import LIMIT, Column, View, count, span

VIEW: Final = View(
    name="device_reuse",
    text="Devices that at least `least` accounts were used on.",
    parameters=(*span(7), count("least", "So many accounts.", 3, least=2), LIMIT),
    columns=(
        Column(name="device_id", text="The device."),
        Column(name="accounts", text="How many accounts were used on it."),
        Column(name="addresses", text="How many addresses it came from."),
        Column(name="fingerprints", text="How many TLS fingerprints (JA4) it had."),
        Column(name="events", text="How many events."),
        Column(name="failures", text="How many of them were refused or failed."),
        Column(name="first_at", text="When the first of them happened."),
        Column(name="last_at", text="When the last of them happened."),
    ),
)
_ACCOUNTS = distinct(EVENTS.user_id)
STATEMENT = Statement(
    select(
        EVENTS.device_id,
        _ACCOUNTS,
        distinct(func.nullif(EVENTS.ip, "")),
        distinct(func.nullif(EVENTS.ja4, "")),
        func.count(),
        how_many(is_failure()),
        func.min(EVENTS.ts),
        func.max(EVENTS.ts),
    )
    .where(within(), EVENTS.device_id != "")
    .group_by(EVENTS.device_id)
    .having(bindparam("least") <= _ACCOUNTS)
    .order_by(_ACCOUNTS.desc(), EVENTS.device_id)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
