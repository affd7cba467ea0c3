"""What programs see of the policy and change in it. No rules."""

import time

from fastapi import FastAPI

from auth_gateway.adapters.policy_file import PolicyFile
from auth_gateway.adapters.saved_policy import SavedPolicy
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.adapters.storage.decision_spans import StoredDecisionSpans
from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.api.admin import policy_reference as described
from auth_gateway.api.admin.policy import PolicyRoutes
from auth_gateway.assembly import Gateway
from auth_gateway.flows.past_trials import PastTrials
from auth_gateway.flows.policy_desk import PolicyDesk
from auth_gateway.flows.policy_statistics import PolicyStatistics
from auth_gateway.policing import switches
from auth_gateway.service import Service
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

PATH = "/policy"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document it."""
    routes = _routes(service)
    for path, method, endpoint, summary, operation in (
        (PATH, "GET", routes.get_policy, "The policy in force", described.GET),
        (PATH, "PUT", routes.put_policy, "Save another policy", described.PUT),
        (f"{PATH}/restore", "POST", routes.post_restore, "Bring a policy back", described.RESTORE),
        (f"{PATH}/check", "POST", routes.post_check, "Look at a policy", described.CHECK),
        (f"{PATH}/backtest", "POST", routes.post_backtest, "Try a policy on the past", described.BACKTEST),
        (f"{PATH}/rules", "GET", routes.get_rules, "What each rule did", described.RULES),
        (f"{PATH}/diff", "GET", routes.get_difference, "How two policies differ", described.DIFFERENCE),
        (f"{PATH}/history", "GET", routes.get_history, "Saved policies", described.HISTORY),
        (f"{PATH}/history/{{version}}", "GET", routes.get_version, "A saved policy", described.VERSION),
    ):
        add_lean(app, path, endpoint, method=method, summary=summary, operation=operation)


def policy_desk(gateway: Gateway, documents: PolicyFile | SavedPolicy) -> PolicyDesk:
    """Where the policy is changed."""
    return PolicyDesk(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        versions=StoredPolicyVersions(),
        audit=gateway.audit,
        policy=switches(gateway.settings),
        present=documents.current,
        file_text=lambda: documents.text if isinstance(documents, PolicyFile) else None,
        taken=documents.look,
    )


def _routes(service: Service) -> PolicyRoutes:
    gateway, documents = service.gateway, service.policing.documents
    spans = StoredDecisionSpans()
    return PolicyRoutes(
        gate=gate(service),
        desk=policy_desk(gateway, documents),
        statistics=PolicyStatistics(
            database=gateway.database, clock=gateway.clock, decisions=spans, monotonic=gateway.clock.monotonic
        ),
        trials=PastTrials(
            database=gateway.database,
            decisions=StoredDecisions(),
            starts=spans,
            policy=switches(gateway.settings),
            present=documents.current,
            monotonic=gateway.clock.monotonic,
            rest=time.sleep,
        ),
        present=documents.current,
        clock=gateway.clock,
        wake=service.wake,
    )
