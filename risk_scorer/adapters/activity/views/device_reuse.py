"""Device reuse: one device, several accounts."""

from typing import Final

from risk_scorer.adapters.activity.views.asking import Question
from risk_scorer.adapters.activity.views.seen import SEEN
from risk_scorer.adapters.activity.views.sharing import known, shared
from risk_scorer.core.abuse.view import Column

QUESTION: Final[Question] = shared(
    "device_reuse",
    "Devices that at least `least` accounts were used on.",
    shares=(SEEN.device_id, Column(name="device_id", text="The device.")),
    accounts=Column(name="accounts", text="How many accounts were used on it."),
    more=(
        (known(SEEN.ip), Column(name="addresses", text="How many addresses it came from.")),
        (known(SEEN.ja4), Column(name="fingerprints", text="How many TLS fingerprints (JA4) it had.")),
    ),
)
