"""What the lab says of a supposed login: what was not known, what policy would do, and two beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.contract.assessment import Reason, RiskScore
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.supposed_login import SupposedLogin
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import BASELINE

NOT_GIVEN: Final = (
    ("device_id", "No device was given: it is neither new nor known."),
    ("user_agent", "No user agent was given."),
    ("ja4", "No TLS fingerprint was given: whether it fits the browser cannot be told."),
)


class PolicyTrial(Struct, frozen=True, kw_only=True):
    """What the gateway says that policy would do, and what of the person it was given for."""

    decision: Literal["allow", "challenge", "deny"]
    rule: str
    demand: str = ""
    account: str = ""
    factors: list[str] = []
    user_level: str = ""


class Compared(Struct, frozen=True, kw_only=True):
    """One reason in two logins: its points in each, None where it is not among them."""

    words: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float:
        """By how much the second has more of it."""
        return round((self.second or 0.0) - (self.first or 0.0), 2)


def unknowns(login: SupposedLogin, seen: Observation, score: RiskScore) -> tuple[str, ...]:
    """What the score had to do without: missing is never safe, and is a signal of its own."""
    found = [text for name, text in NOT_GIVEN if not getattr(login, name)]
    if login.user_agent and not seen.browser:
        found.append("The user agent names no browser that is known.")
    if login.ja4 and seen.fingerprint.client is None:
        found.append("The TLS fingerprint is of no client that is known.")
    if not seen.asn:
        found.append("The operator of the network is not known.")
    if seen.network.latitude is None:
        found.append("The place is not known: no distance, no speed.")
    if not score.explain.known_logins:
        found.append("No login of this person is known: nothing is usual for them.")
    if login.is_refresh and not login.began_ip:
        found.append("How the session began was not given.")
    return tuple(found)


def side_by_side(first: Sequence[Reason], second: Sequence[Reason]) -> tuple[Compared, ...]:
    """Every reason of either, the one that differs most first; the baseline last."""
    points = [{reason.code: reason.points for reason in reasons} for reasons in (first, second)]
    rows = [
        (code == BASELINE, Compared(words=_words(code), first=points[0].get(code), second=points[1].get(code)))
        for code in {**points[0], **points[1]}
    ]
    return tuple(row for _, row in sorted(rows, key=lambda each: (each[0], -abs(each[1].difference))))


def _words(code: str) -> str:
    return "all that is familiar" if code == BASELINE else words_of(code)
