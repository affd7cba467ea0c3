"""What the scorer is told of a line of the audit trail."""

from typing import Any

import pytest

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import Facts
from auth_gateway.core.scored_decisions import decisions_of
from risk_scorer.contract.decisions import Decision

ANSWER = Facts(method="totp", began_as="evt_0")
CHALLENGED = {"event_id": "evt_0", "decision": "challenge", "factor": "totp"}


@pytest.mark.parametrize(
    ("kind", "line", "told"),
    [
        ("login.allowed", {"decision": "allow", "rule": "low"}, [{"decision": "allow", "rule": "low"}]),
        ("login.challenged", {"decision": "challenge", "rule": "m"}, [{"decision": "challenge", "rule": "m"}]),
        ("login.denied", {"decision": "deny", "rule": "high"}, [{"decision": "deny", "rule": "high"}]),
        ("login.failed", {"rule": "changed_meanwhile"}, []),
        ("challenge.failed", {"facts": ANSWER}, [CHALLENGED]),
        ("challenge.failed", {"facts": ANSWER, "decision": "deny", "rule": "fraud"},
         [{**CHALLENGED, "decision": "deny", "rule": "fraud"}]),
        ("challenge.passed", {"facts": ANSWER, "decision": "allow"},
         [{"decision": "allow", "factor": "totp"}, CHALLENGED]),
        ("login.denied", {"facts": ANSWER, "decision": "deny", "rule": "high"},
         [{"decision": "deny", "rule": "high", "factor": "totp"},
          {**CHALLENGED, "decision": "deny", "rule": "high"}]),
        ("token.denied", {"decision": "deny", "rule": "high", "facts": Facts(path="refresh")},
         [{"decision": "deny", "rule": "high"}]),
    ],
)  # fmt: skip
def test_a_decision_is_about_its_own_request_and_about_the_login_that_asked(
    kind: Kind, line: dict[str, Any], told: list[dict[str, Any]]
) -> None:
    """The login that asked for a factor keeps its rule unless the answer is refused."""
    found = decisions_of(AuditEvent(event_id="evt_1", ts=5.0, kind=kind, client_id="shop", **line))
    assert found == tuple(Decision(**{"event_id": "evt_1", "client_id": "shop", "at": 5.0, **each}) for each in told)
