"""What webhooks and the scorer are told."""

import msgspec

from auth_gateway.core.announcement import Announced, announced_data, outcome_body
from auth_gateway.core.context import LoginContext
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import Outcome

CONTEXT = LoginContext(ip="203.0.113.200", timestamp=1.0, client_id="web")


def test_a_message_without_a_score_says_so() -> None:
    """Null, never zero: a broken scorer is not a low risk."""
    announced = Announced(event_id="evt_1", user_id="bob", username="bob", rule="unscored", challenge_id="chg_1")
    data = announced_data(announced, tenant="acme", context=CONTEXT, score=None)
    assert (data["risk_score"], data["risk_level"], data["explain"], data["reasons"]) == (None, None, None, [])
    assert (data["tenant"], data["challenge_id"], data["user_id"]) == ("acme", "chg_1", "bob")
    assert "incident_id" not in data


def test_an_outcome_is_what_the_scorer_takes() -> None:
    """It decodes as the contract's own type, under an id of its own."""
    event = LoginEvent(user_id="bob", ip="203.0.113.200", event_id="evt_1")
    body = outcome_body(event, outcome_id="evt_2", outcome="mfa_failed", now=5.0)
    assert msgspec.json.decode(body, type=Outcome) == Outcome(
        event_id="evt_2", event=event, outcome="mfa_failed", ts=5.0
    )
