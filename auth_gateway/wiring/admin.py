"""What programs run the gateway with. No rules."""

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.flows.provider.bearing import Administrators
from auth_gateway.service import Service
from auth_gateway.wiring.tokens import bearers, standing


def gate(service: Service) -> AdminGate:
    """The door of every admin address."""
    issuer = service.gateway.settings.jwt_issuer
    administrators = Administrators(bearers=bearers(service), standing=standing(service), issuer=issuer)
    has_own_key = service.gateway.settings.hs256_secret is None
    return AdminGate(administrators=administrators, issuer=issuer, has_own_key=has_own_key)
