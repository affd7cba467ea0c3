"""What is held against a person, whatever they do now: one number that detections raise, time lowers, and a factor, a
new password or an analyst takes back. Why so: docs/decisions/0024.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from risk_scorer.contract.assessment import risk_level

Source = Literal["login", "session", "offline", "received", "reported", "analyst"]
"""Who saw it: the risk of a login or of a session, a list of passwords, another provider, the owner, an analyst."""
UserLevel = Literal["none", "low", "medium", "high"]
Verdict = Literal["safe", "dismissed", "compromised"]
"""An analyst's word: the detections were wrong (and the scorer learns that); they were right or not, and are of no
concern (nobody learns); somebody else has the account (the scorer learns that)."""

HOURS = 3600.0
HALF_LIFE_SECONDS = 72 * HOURS
FORGOTTEN_BELOW = 1.0
"""A risk that has faded to less is none."""
MOST = 100.0


_WORDS_BEGIN: Final = " ("


def with_words(detail: str, *, by: str, why: str) -> str:
    """What changed, with who said so and why, in their own words."""
    return f"{detail}{_WORDS_BEGIN}{by}: {why})"


def without_words(detail: str) -> str:
    """What changed, and nothing of what somebody said to it."""
    return detail.partition(_WORDS_BEGIN)[0]


class UserRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A person's risk as it was at `at`, 0 to 100. One that `is_held` fades by no time and no factor."""

    value: float = 0.0
    at: float = 0.0
    is_held: bool = False

    def value_at(self, now: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> float:
        """What is left of it."""
        if self.is_held:
            return self.value
        left = self.value * 0.5 ** (max(0.0, now - self.at) / half_life_seconds)
        return left if left >= FORGOTTEN_BELOW else 0.0


NO_RISK = UserRisk()


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """Something seen that speaks against a person: what it adds (`weight`, 0 to 100), and how far up at the `most` it
    takes them, however often. One that `holds` stays until the password is another one or an analyst lets go.

    It counts from the `repeats`th of its kind within an hour; `is_scored` says that the scorer knows the event.
    """

    source: Source
    reason: str
    weight: float
    most: float = MOST
    holds: bool = False
    repeats: int = 1
    is_scored: bool = False


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """Something that speaks for a person: the share of their risk that it leaves, and whether it `releases` one that is
    held."""

    source: Source
    reason: str
    leaves: float
    releases: bool = False


def user_level(value: float) -> UserLevel:
    """The level of a person's risk, by the marks of logins; none is nothing at all."""
    return risk_level(value) if value > 0 else "none"


def raised(risk: UserRisk, detection: Detection, now: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> UserRisk:
    """The risk after a detection: as if each were an independent reason to doubt."""
    before = risk.value_at(now, half_life_seconds)
    together = MOST * (1 - (1 - before / MOST) * (1 - detection.weight / MOST))
    after = max(before, min(together, detection.most))
    return UserRisk(value=after, at=now, is_held=risk.is_held or detection.holds)


def lowered(risk: UserRisk, relief: Relief, now: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> UserRisk:
    """The risk after a relief."""
    if risk.is_held and not relief.releases:
        return risk
    left = risk.value_at(now, half_life_seconds) * relief.leaves
    return UserRisk(value=left if left >= FORGOTTEN_BELOW else 0.0, at=now)


OF_VERDICT: Final[Mapping[Verdict, Detection | Relief]] = {
    "safe": Relief(source="analyst", reason="safe", leaves=0.0, releases=True),
    "dismissed": Relief(source="analyst", reason="dismissed", leaves=0.0, releases=True),
    "compromised": Detection(source="analyst", reason="compromised", weight=MOST, holds=True),
}
"""What each verdict means."""


class RiskChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a person's risk: what raised or lowered it, from where to where, and who said so and why.

    `event_id` is the event that it follows from, `scored_as` the id that the scorer knows that event by, "" none; `by`
    and `why` are an analyst's or another provider's words.
    """

    user_id: str
    ts: float
    source: Source
    reason: str
    before: float
    after: float
    event_id: str
    scored_as: str = ""
    by: str = ""
    why: str = ""
