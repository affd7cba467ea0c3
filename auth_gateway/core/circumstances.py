"""What a rule of the policy document may ask about one request. Values only; nothing here judges."""

from typing import Literal

import msgspec

from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL
from auth_gateway.core.factor import FACTOR_KINDS, SECOND_CHANNEL, Demand, FactorKind, is_phishing_resistant, is_shown
from auth_gateway.core.facts import Facts, Path
from auth_gateway.core.marks import SHARED, Marks
from auth_gateway.core.policy import Unchanged, level_by, level_of
from auth_gateway.core.user_risk import UserLevel, user_level
from risk_scorer.contract.assessment import RiskLevel, RiskScore

RiskWord = Literal["low", "medium", "high", "unscored"]
RISK_WORDS: tuple[RiskWord, ...] = ("low", "medium", "high", "unscored")
USER_LEVELS: tuple[UserLevel, ...] = ("none", "low", "medium", "high")
UNKNOWN = "unknown"
"""What rules call a country that nobody knows."""


class Risk(msgspec.Struct, frozen=True):
    """One score in the words of rules; `score` None is unscored."""

    score: float | None
    word: RiskWord


UNSCORED = Risk(None, "unscored")


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """One login, refresh or answered challenge. "" and empty are not known.

    `login_risk` is the risk of the sign-in itself, also later on; `session_risk` is that of whoever comes back, None at
    a login, and where an application's server asks and nothing is scored. `user_risk` is the person's own, 0 to 100.
    `factors` are the kinds that the person could show at a login, `shown` the one that was shown for this answer;
    `amr` and `acr` say how the session that comes back began, `same` what it has kept; None where nothing is known.
    `unscored` is why this request has no score; no rule may ask for it.
    """

    path: Path
    client_id: str
    username: str = ""
    ip: str = ""
    country: str = ""
    factors: tuple[FactorKind, ...] = ()
    shown: FactorKind | None = None
    login_risk: Risk = UNSCORED
    session_risk: Risk | None = None
    user_risk: float = 0.0
    reasons: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    acr: str = ""
    same: Unchanged | None = None
    unscored: str = ""

    @property
    def own_risk(self) -> Risk | None:
        """The risk that this very request was judged by."""
        return self.login_risk if self.path == "login" else self.session_risk

    @property
    def shown_phishing_resistant(self) -> bool:
        """Whether what was shown, now or when the session that comes back began, cannot be phished."""
        if self.path == "refresh":
            return self.acr == PHISHING_RESISTANT_LEVEL
        return self.shown is not None and is_phishing_resistant(self.shown)

    @property
    def user_level(self) -> UserLevel:
        """The person's own risk in a word."""
        return user_level(self.user_risk)

    def on(self, facts: Facts) -> Facts:
        """The facts of the request with what rules could ask about it, so that it can be decided again."""
        return msgspec.structs.replace(
            facts,
            path=self.path,
            username=facts.username or self.username,
            country=facts.country or self.country,
            user_risk=self.user_risk,
            login_score=None if self.path == "login" else self.login_risk.score,
            amr=facts.amr or self.amr,
            acr=self.acr,
            is_same_context=None if self.same is None else self.same.context,
            is_same_client=None if self.same is None else self.same.client,
            unscored=self.unscored,
        )


def risk_at(score: float | None, marks: Marks = SHARED) -> Risk:
    """A score that was kept, in the words of rules."""
    return UNSCORED if score is None else Risk(score, level_by(marks, score))


def risk_of(score: RiskScore | None, marks: Marks = SHARED) -> Risk:
    """A score that was just given, in the words of rules."""
    level: RiskLevel | None = level_of(score)
    return UNSCORED if score is None or level is None else risk_at(score.risk_score, marks)


def reason_codes(score: RiskScore | None) -> tuple[str, ...]:
    """Why a score is what it is."""
    return () if level_of(score) is None or score is None else tuple(reason.code for reason in score.reasons)


def country_of(score: RiskScore | None, told: str) -> str:
    """The country that the scorer found; without a score the one that somebody vouched for."""
    return told if score is None else score.explain.country


def has_shown(now: Circumstances, demand: Demand) -> bool:
    """Whether the session that comes back began with a factor that the demand takes; a trusted device is none."""
    if demand == "phishing_resistant":
        return now.acr == PHISHING_RESISTANT_LEVEL
    return is_shown(now.amr) or (demand == "any" and SECOND_CHANNEL in now.amr)


def known_kinds(names: tuple[str, ...]) -> tuple[FactorKind, ...]:
    """Those of the recorded names that are kinds of factors."""
    return tuple(kind for kind in FACTOR_KINDS if kind in names)
