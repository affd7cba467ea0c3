"""Accounts by shared address: who comes from where others come from."""

from typing import Final

from risk_scorer.adapters.activity.views.asking import Question, distinct
from risk_scorer.adapters.activity.views.seen import SEEN
from risk_scorer.adapters.activity.views.sharing import known, shared
from risk_scorer.core.abuse.view import Column

QUESTION: Final[Question] = shared(
    "shared_addresses",
    "Addresses that at least `least` accounts came from. An office has one as well: see how they fail.",
    shares=(SEEN.ip, Column(name="ip", text="The address.")),
    accounts=Column(name="accounts", text="How many accounts came from it."),
    more=(
        (distinct(SEEN.session_id), Column(name="sessions", text="How many sessions.")),
        (known(SEEN.device_id), Column(name="devices", text="How many devices that have a name.")),
    ),
)
