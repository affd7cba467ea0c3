"""Observations to learn from and events to score, with everything a test does not care about filled in."""

from typing import Any

from risk_scorer.contract.assessment import Explain, RiskScore, risk_level
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, NO_IP_FACTS
from risk_scorer.core.observation import Observation, observe
from risk_scorer.flows.ports import ScoredEvent

NOW = 1_760_000_000.0


def event(**fields: Any) -> LoginEvent:
    return LoginEvent(**{"user_id": "alice", "ip": "198.51.100.9", "device_id": "dev-1", **fields})


def observation(**fields: Any) -> Observation:
    reported = event(**fields)
    return observe(
        reported,
        address=reported.ip,
        now=NOW,
        event_id="evt",
        network=NO_IP_FACTS,
        agent=NO_AGENT_FACTS,
        fingerprint=NO_FINGERPRINT_FACTS,
    )


def explain(**fields: Any) -> Explain:
    freqs = {f"{name}_freq": 0 for name in ("user", "ip", "device", "ua", "ja4", "ja4h", "ja4s")}
    return Explain(**{"hour": 1, "day_of_week": 2, "success": 1, "ip_rep": 5.0, **freqs, **fields})


def scored(score: float = 10.0, event_id: str = "evt_1", **fields: Any) -> ScoredEvent:
    answer = RiskScore(
        risk_score=score,
        risk_level=risk_level(score),
        model_label=-1 if score >= 60 else 1,
        explain=explain(),
        ts_scored=NOW,
        reasons=[],
        model_version="test-1",
        event_id=event_id,
    )
    return ScoredEvent(event=event(**fields), score=answer)
