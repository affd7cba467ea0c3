"""Who is told of each line of the audit trail, in its transaction. No rules."""

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.leeways import StoredLeeways
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.flows.leeway import LeewayFollower
from auth_gateway.flows.user_risk import RiskFollower
from auth_gateway.settings import Settings


def followed_audit(settings: Settings) -> StoredAuditTrail:
    """The audit trail, which people's risks and leeway follow."""
    return StoredAuditTrail([risk_follower(settings), leeway_follower()])


def risk_follower(settings: Settings) -> RiskFollower:
    """What keeps people's risks by what is written down about them."""
    half_life = settings.user_risk_half_life_seconds
    trail = StoredAuditTrail([leeway_follower()])
    return RiskFollower(book=StoredUserRisks(), audit=trail, half_life_seconds=half_life)


def leeway_follower() -> LeewayFollower:
    """What counts the challenges that people answer."""
    return LeewayFollower(book=StoredLeeways())
