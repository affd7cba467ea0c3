"""What reviewers see of accounts and do to them. No rules."""

from fastapi import FastAPI

from auth_gateway.api.admin.account_reference import FREEZE, RESET, SUMMARY, UNFREEZE
from auth_gateway.api.admin.accounts import AccountRoutes
from auth_gateway.service import Service
from auth_gateway.user_risks import account_desk, scorer_behaviours
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/accounts/{user_id:path}"
"""An id may have a slash in it, as directories make them: written as %2F it is one part of the address."""


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    behaviours = scorer_behaviours(service.gateway.settings, service.scorer_tls)
    service.closing.append(behaviours.close)
    routes = AccountRoutes(gate=gate(service), desk=account_desk(service.gateway, behaviours), wake=service.wake)
    add_lean(app, f"{PATH}/summary", routes.get_summary, method="GET", summary="An account", operation=SUMMARY)
    for name, endpoint, summary, described in (
        ("freeze", routes.post_freeze, "Freeze an account", FREEZE),
        ("unfreeze", routes.post_unfreeze, "Open an account again", UNFREEZE),
        ("reset-sessions", routes.post_reset, "End a person's sessions", RESET),
    ):
        add_lean(app, f"{PATH}/{name}", endpoint, method="POST", summary=summary, operation=described)
