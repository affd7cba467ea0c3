"""The views by name: each module holds what is asked and how, for both databases."""

from typing import Final

from risk_scorer.adapters.activity.views import (
    bursts,
    cohorts,
    device_reuse,
    rapid_resources,
    session_success,
    shared_addresses,
    weekly_cohorts,
    weekly_decisions,
    weekly_remediation,
    weekly_sessions,
)
from risk_scorer.adapters.activity.views.asking import Question

ALL: Final[dict[str, Question]] = {
    each.view.name: each
    for each in (
        bursts.QUESTION,
        shared_addresses.QUESTION,
        device_reuse.QUESTION,
        session_success.QUESTION,
        rapid_resources.QUESTION,
        cohorts.QUESTION,
        weekly_cohorts.QUESTION,
        weekly_sessions.QUESTION,
        weekly_decisions.QUESTION,
        weekly_remediation.QUESTION,
    )
}
"""In the order in which they are listed."""
