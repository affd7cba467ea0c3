"""What the scorer answers about one login."""

from typing import Literal

from msgspec import Struct

RiskLevel = Literal["low", "medium", "high"]
MEDIUM_FROM = 60.0
HIGH_FROM = 80.0


class Reason(Struct, frozen=True, kw_only=True, gc=False):
    """One cause of the score: `code` is from a closed vocabulary, the `points` of all reasons add up to the score."""

    code: str
    points: float
    observed: str
    usual: str
    text: str


class Explain(Struct, frozen=True, gc=False):
    """The facts behind the score; every `*_freq` counts logins in the training log, 0 where the log lacks the column.

    `hour` (0-23) and `day_of_week` (Monday 0) are UTC; `geo_distance_km` is from the person's usual place, None when
    either is unknown; `known_logins` counts what the person's own history has learned and `new` names what that
    history has never seen. `rules` are the names of the rules that match, report-only ones among them; `hour_local` is
    in the person's home zone; `speed_kmh` is from the place of their last login, `place_km` to the nearest of their
    usual places, both None when unknown; `days_since_last` None for a person never seen.
    """

    hour: int
    day_of_week: int
    success: int
    user_freq: int
    ip_freq: int
    device_freq: int
    ua_freq: int
    ja4_freq: int
    ja4h_freq: int
    ja4s_freq: int
    ip_rep: float
    asn: int | None = None
    asn_name: str | None = None
    geo_distance_km: float | None = None
    country: str = ""
    region: str = ""
    city: str = ""
    network_kind: str = "unknown"
    is_listed: bool = False
    browser: str = ""
    os: str = ""
    device_type: str = ""
    ja4_parses: bool = False
    known_logins: int = 0
    new: tuple[str, ...] = ()
    evidence_nats: float = 0.0
    rules: tuple[str, ...] = ()
    hour_local: int | None = None
    speed_kmh: float | None = None
    place_km: float | None = None
    days_since_last: float | None = None


class RiskScore(Struct, frozen=True, kw_only=True, gc=False):
    """One number with a meaning: `risk_score` is 0-100, `risk_level` is low < 60 <= medium < 80 <= high.

    `model_label` is -1 from 60 on, else 1.
    """

    risk_score: float
    risk_level: RiskLevel
    model_label: Literal[1, -1]
    explain: Explain
    ts_scored: float
    reasons: list[Reason]
    model_version: str
    event_id: str


class BulkResponse(Struct, frozen=True, kw_only=True):
    """The answers to a `BulkRequest`, in its order."""

    results: list[RiskScore]


def risk_level(score: float) -> RiskLevel:
    """The level that a score of 0-100 stands for."""
    if score >= HIGH_FROM:
        return "high"
    return "medium" if score >= MEDIUM_FROM else "low"
