"""Where a login was, in words for its owner."""

from risk_scorer.contract.assessment import RiskScore


def place_of(score: RiskScore | None) -> str:
    """City and country as the scorer found them, "" when it found nothing or there is no score."""
    if score is None:
        return ""
    explain = score.explain
    return ", ".join(filter(None, (explain.city or explain.region, explain.country)))
