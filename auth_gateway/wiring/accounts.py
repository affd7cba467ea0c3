"""What reviewers see of accounts and do to them. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.storage.directory import StoredDirectory
from auth_gateway.api.admin.account_lists import AccountLists
from auth_gateway.api.admin.account_reference import (
    END_SESSION,
    FORCE_RESET,
    FREEZE,
    LIST,
    RESET,
    SESSIONS,
    SUMMARY,
    UNFREEZE,
)
from auth_gateway.api.admin.accounts import AccountRoutes
from auth_gateway.flows.account_directory import AccountDirectory
from auth_gateway.service import Service
from auth_gateway.user_risks import account_desk, forced_reset, scorer_behaviours, session_end
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/accounts/{user_id:path}"
"""An id may have a slash in it, as directories make them: written as %2F it is one part of the address."""


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    behaviours = scorer_behaviours(service.gateway.settings, service.scorer_tls)
    service.closing.append(behaviours.close)
    gateway, let_in = service.gateway, gate(service)
    desk = account_desk(gateway, behaviours)
    routes = AccountRoutes(
        gate=let_in,
        desk=desk,
        forced_reset=forced_reset(gateway),
        session_end=session_end(gateway),
        wake=service.wake,
    )
    directory = AccountDirectory(database=gateway.database, directory=StoredDirectory())
    lists = AccountLists(
        gate=let_in,
        desk=desk,
        directory=directory,
        clock=gateway.clock,
        half_life_seconds=gateway.settings.user_risk_half_life_seconds,
    )
    add_lean(app, "/accounts", lists.get_accounts, method="GET", summary="Accounts", operation=LIST)
    add_lean(app, f"{PATH}/sessions", lists.get_sessions, method="GET", summary="Live sessions", operation=SESSIONS)
    add_lean(app, f"{PATH}/summary", routes.get_summary, method="GET", summary="An account", operation=SUMMARY)
    for name, endpoint, summary, described in (
        ("freeze", routes.post_freeze, "Freeze an account", FREEZE),
        ("unfreeze", routes.post_unfreeze, "Open an account again", UNFREEZE),
        ("reset-sessions", routes.post_reset, "End a person's sessions", RESET),
        ("sessions/{session_id}/end", routes.post_end_session, "End one session", END_SESSION),
        ("force-reset", routes.post_force_reset, "Have the password renewed", FORCE_RESET),
    ):
        add_lean(app, f"{PATH}/{name}", endpoint, method="POST", summary=summary, operation=described)
