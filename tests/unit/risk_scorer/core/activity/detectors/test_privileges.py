"""Rights: in whatever order they are told, and learned when they are no longer new."""

from dataclasses import replace

from risk_scorer.core.activity.detectors.privilege_escalation import key_of
from tests.unit.risk_scorer.core.activity.office import DAY, TODAY, Office, person

ALICE = person(3)


def test_the_order_of_rights_says_nothing() -> None:
    """Sets have no order, and who sends one twice has it once."""
    assert key_of(("a", "b"), ("x", "y", "y")) == key_of(("b", "a", "b"), ("y", "x"))
    assert key_of(("a",), ("b",)) != key_of(("a", "b"), ())


def test_a_right_that_an_administrator_gave_is_usual_after_a_while() -> None:
    """The first session with it tells a little; one of the week after tells nothing."""
    office = Office()
    lead = replace(ALICE, roles=("staff", "lead"))
    first = office.work(lead, TODAY, "first", events=30)
    assert "rights_grew" in {each.code for judged in first for each in judged.found}
    office.work(lead, TODAY + 3600.0, "second", events=30, seed=2)
    later = office.work(lead, TODAY + 7 * DAY, "later", events=30, seed=3)
    assert "privilege_escalation" not in {each.detector for judged in later for each in judged.found}
