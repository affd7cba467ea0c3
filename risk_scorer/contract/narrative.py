"""What a language model is told of one scored login, and what the scorer passes on of its answer.

`NarrativeFacts` is everything that ever leaves for the model: a field that is not here stays in the house.
"""

from typing import Literal

from msgspec import Struct

from risk_scorer.contract.assessment import RiskLevel
from risk_scorer.contract.events import EventKind

AttackLikelihood = Literal["low", "medium", "high", "unknown"]
NarrativeProblem = Literal[
    "narrator_off", "narrator_timeout", "narrator_unreachable", "narrator_refused", "narrator_invalid"
]
"""Why there is no narrative: none is set up, none in time, no connection, an answer that is no 200 (a model that
declines counts as one), an answer in another form.
"""


class ReasonFact(Struct, frozen=True, kw_only=True):
    """A reason of the score; `observed` and `usual` are redacted by the kind of value that its code stands for."""

    code: str
    points: float
    observed: str
    usual: str


class NarrativeFacts(Struct, frozen=True, kw_only=True):
    """One scored login without names, addresses, devices, places below a country, or the moment. "" is unknown.

    `network` is the /24 or /48; `distance_km` from the usual place is rounded to 50; `day_of_week` has Monday 0.
    """

    user: Literal["U"] = "U"
    kind: EventKind
    success: bool
    score: float
    level: RiskLevel
    reasons: tuple[ReasonFact, ...]
    network: str
    asn: int | None
    operator: str
    country: str
    network_kind: str
    is_listed: bool
    reputation: int
    browser: str
    os: str
    device_type: str
    hour_utc: int
    day_of_week: int
    known_logins: int
    distance_km: int | None
    new: tuple[str, ...]


class Narrative(Struct, frozen=True, kw_only=True):
    """The model's words as plain text, 2,000 characters at most. They may be wrong, and they change no score."""

    signals: str
    why_unusual: str
    attack_likelihood: AttackLikelihood
    recommended_response: str


class NarrativeAnswer(Struct, frozen=True, kw_only=True):
    """A narrative with the facts it was written from, or the stable reason why there is none; `note` is for people."""

    event_id: str
    narrative: Narrative | None
    reason: NarrativeProblem | None
    note: str
    facts: NarrativeFacts | None
