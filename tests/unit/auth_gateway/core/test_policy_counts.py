"""How often rules answered."""

from auth_gateway.core.policy_counts import Answers, Recorded, counted


def test_a_rule_has_its_answers_and_what_it_would_have_said() -> None:
    """A refusal for want of a factor is the rule's own; what is older than the span is not counted."""
    found = counted(
        [
            Recorded(30.0, "deny", "document:abroad"),
            Recorded(20.0, "deny", "document:abroad:no_factor"),
            Recorded(20.0, "allow", "low", (("payroll", "challenge"), ("abroad", "deny"))),
            Recorded(10.0, "challenge", "document:abroad"),
            Recorded(9.0, "deny", "document:abroad"),
        ],
        since=10.0,
    )
    assert found.decisions == Answers(allow=1, challenge=1, deny=2)
    assert found.answered == {"document:abroad": Answers(challenge=1, deny=2), "low": Answers(allow=1)}
    assert found.would_have == {"payroll": Answers(challenge=1), "abroad": Answers(deny=1)}
