"""What programs see and say of people's risks. No rules."""

from fastapi import FastAPI

from auth_gateway.api.admin.risk import GET_RISK, POST_VERDICT, RiskRoutes
from auth_gateway.service import Service
from auth_gateway.user_risks import risk_desk
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/users/{user_id:path}/risk"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    routes = RiskRoutes(gate=gate(service), desk=risk_desk(service.gateway))
    add_lean(app, PATH, routes.get_risk, method="GET", summary="A person's risk", operation=GET_RISK)
    verdict = routes.post_verdict
    add_lean(app, f"{PATH}/verdict", verdict, method="POST", summary="Say what it was", operation=POST_VERDICT)
