"""Which authentication is strong enough for what was asked."""

from collections.abc import Sequence

from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL, SINGLE_FACTOR_LEVEL, TWO_FACTOR_LEVEL
from auth_gateway.core.factor import Demand

LEVELS = (SINGLE_FACTOR_LEVEL, TWO_FACTOR_LEVEL, PHISHING_RESISTANT_LEVEL)
"""The levels that we can reach, the weakest first: NIST SP 800-63B's, and the phishing-resistant one above them."""


def demanded_level(acr_values: Sequence[str]) -> str | None:
    """The level that is enough for a request: any of those that it names, so the weakest of them that we know; None
    when we know none. Preferred is what reaches most anyway: cards ask for the strongest factor first.

    Source: OpenID Connect Core 1.0, section 3.1.2.1; RFC 9470, section 4.
    """
    return min((value for value in acr_values if value in LEVELS), key=LEVELS.index, default=None)


def demand_of(level: str | None) -> Demand:
    """The factors that reach a level; a code by mail reaches none above the password's."""
    return "phishing_resistant" if level == PHISHING_RESISTANT_LEVEL else "enrolled"


def is_strong_enough(acr: str, demanded: str | None) -> bool:
    """Whether an authentication of level `acr` is what was asked for, or more. An unknown level is the weakest."""
    if demanded is None:
        return True
    return _rank(acr) >= _rank(demanded)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
