"""The answer where a request says nothing about the person: an application's server asks, and vouches for nothing."""

from auth_gateway.core.decision import Challenge, Decision, Deny
from auth_gateway.core.facts import Path
from auth_gateway.core.policy import CONTEXT_UNKNOWN, PASSWORD_RESET_NEEDED
from auth_gateway.core.user_risk import UserLevel


def decide_unseen(path: Path, shown_phishing_resistant: bool, user_level: UserLevel) -> Decision:
    """The answer where the request says nothing about the person, and only what is held against them is known."""
    if user_level != "high" or shown_phishing_resistant:
        return CONTEXT_UNKNOWN
    return Deny(PASSWORD_RESET_NEEDED) if path == "step_up" else Challenge("user_high", demand="phishing_resistant")
