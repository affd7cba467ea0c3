"""Where programs try the policy. No rules."""

from fastapi import FastAPI

from auth_gateway.api.admin.policy_trial import TRY, PolicyTrialRoutes
from auth_gateway.api.admin.session_trial import TRY as TRY_SESSIONS
from auth_gateway.api.admin.session_trial import SessionTrialRoutes
from auth_gateway.flows.policy_trial import TryPolicy
from auth_gateway.policing import switches
from auth_gateway.service import Service
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/policy/try"
OF_SESSIONS = "/policy/try-sessions"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    gateway, in_force = service.gateway, service.policing.in_force
    attempt = TryPolicy(
        database=gateway.database,
        clock=gateway.clock,
        users=gateway.users,
        policy=switches(gateway.settings),
        in_force=in_force,
    )
    routes = PolicyTrialRoutes(gate=gate(service), attempt=attempt)
    add_lean(app, PATH, routes.post_try, method="POST", summary="Try the policy", operation=TRY)
    of_sessions = SessionTrialRoutes(gate=gate(service), marks=lambda: in_force.document.session_marks)
    words = "Try the marks of sessions"
    add_lean(app, OF_SESSIONS, of_sessions.post_try, method="POST", summary=words, operation=TRY_SESSIONS)
