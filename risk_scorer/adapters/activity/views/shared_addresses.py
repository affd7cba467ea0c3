"""Accounts by shared address: who comes from where others come from."""

from typing import Final

from risk_scorer.adapters.activity.views.asking import EVENTS, Question, distinct
from risk_scorer.adapters.activity.views.sharing import known, shared
from risk_scorer.core.abuse.view import Column

QUESTION: Final[Question] = shared(
    "shared_addresses",
    "Addresses that at least `least` accounts came from. An office has one as well: see how they fail.",
    shares=(EVENTS.ip, Column(name="ip", text="The address.")),
    accounts=Column(name="accounts", text="How many accounts came from it."),
    more=(
        (distinct(EVENTS.session_id), Column(name="sessions", text="How many sessions.")),
        (known(EVENTS.device_id), Column(name="devices", text="How many devices that have a name.")),
    ),
)
