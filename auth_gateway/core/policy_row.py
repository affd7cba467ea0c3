"""What the tables of `policy` are made of: the operator's switches, a request as a row sees it, a row. Values only."""

from collections.abc import Callable

import msgspec

from auth_gateway.core.decision import Decision
from auth_gateway.core.factor import Demand
from auth_gateway.core.user_risk import HALF_LIFE_SECONDS, UserLevel
from risk_scorer.contract.assessment import RiskLevel as Level


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's switches. None of them can turn a high risk into an allow.

    From `phishing_resistant_from` on a medium risk takes factors alone that cannot be phished; 80 switches that off.
    `email_code` says whether a code by mail is a factor at all, `push` whether an MFA system's word is everybody's.
    What is held against a person fades by the half-life. `leeway_points` is how far at the most the step-up mark of
    somebody lies higher who is asked again and again and always answers (`core.leeway`).
    """

    high_deny: bool = True
    medium_requires_mfa: bool = True
    phishing_resistant_from: float = 75.0
    email_code: bool = True
    push: bool = False
    leeway_points: float = 5.0
    user_risk_half_life_seconds: float = HALF_LIFE_SECONDS


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who comes back has kept (`core.origin`): everything that we can see, or their own client and
    country while the network is another."""

    context: bool = False
    client: bool = False


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a row is held against. `is_near_high` is a medium risk from the policy's mark on;
    `shown_phishing_resistant` says that a factor was shown which cannot be phished; `user_level` is what is held
    against the person, whatever they do now; `is_within_leeway` is a medium risk that is the person's usual one."""

    level: Level | None
    is_near_high: bool
    policy: Policy
    same: Unchanged = Unchanged()
    shown_phishing_resistant: bool = False
    user_level: UserLevel = "none"
    is_within_leeway: bool = False

    @property
    def is_person_at_high_risk(self) -> bool:
        """Whether nothing speaks for the person but what cannot be phished, and that was not shown."""
        return self.user_level == "high" and not self.shown_phishing_resistant


NO_PHISHING_RESISTANT_FACTOR = "no_phishing_resistant_factor"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: when it applies, and what it answers; a challenge takes the factors of `demand`, and the
    other two rules are those of a person who has none of them, or only others."""

    rule: str
    applies: Callable[[Situation], bool]
    decision: type[Decision]
    demand: Demand = "any"
    rule_without_factor: str = ""
    rule_with_others: str = NO_PHISHING_RESISTANT_FACTOR
