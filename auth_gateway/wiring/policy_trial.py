"""Where programs try the policy. No rules."""

from fastapi import FastAPI

from auth_gateway.api.admin.policy_trial import TRY, PolicyTrialRoutes
from auth_gateway.flows.policy_trial import TryPolicy
from auth_gateway.policing import switches
from auth_gateway.service import Service
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/policy/try"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    gateway = service.gateway
    attempt = TryPolicy(
        database=gateway.database,
        clock=gateway.clock,
        users=gateway.users,
        policy=switches(gateway.settings),
        in_force=service.policing.in_force,
    )
    routes = PolicyTrialRoutes(gate=gate(service), attempt=attempt)
    add_lean(app, PATH, routes.post_try, method="POST", summary="Try the policy", operation=TRY)
