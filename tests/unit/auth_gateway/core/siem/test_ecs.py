"""What we say in ECS has its names, its categories and its types."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.event import Event
from auth_gateway.core.siem.ecs import ROWS, ecs
from auth_gateway.core.vocabulary import EventType
from tests.unit.auth_gateway.core.siem.samples import TYPES, bare, denied, full

# Source: ECS 8.17, "ECS Categorization Fields": the types that each category may have.
EXPECTED_TYPES = {
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "session": {"start", "end", "info"},
    "threat": {"indicator"},
}
KINDS = {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"}
# Source: ECS 8.17, field reference; what we use of it.
FIELDS = {
    "@timestamp", "message", "ecs.version", "organization.id", "service.name", "service.type", "trace.id",
    "observer.product", "observer.vendor", "observer.type", "rule.name", "rule.ruleset", "device.id",
    "event.id", "event.kind", "event.category", "event.type", "event.outcome", "event.action", "event.code",
    "event.module", "event.provider", "event.dataset", "event.reason", "event.severity", "event.risk_score",
    "event.risk_score_norm", "event.start", "event.end", "user.id", "user.hash", "user.name",
    "user.risk.calculated_score_norm",
    "user.risk.calculated_level", "source.ip", "source.address", "source.geo.country_iso_code",
    "source.geo.region_name", "source.geo.city_name", "source.as.number", "user_agent.original", "user_agent.name",
    "user_agent.os.name", "related.user", "related.ip", "threat.framework", "threat.tactic.id", "threat.tactic.name",
    "threat.technique.id", "threat.technique.name", "threat.technique.reference", "threat.technique.subtechnique.id",
    "threat.technique.subtechnique.name", "threat.technique.subtechnique.reference",
}  # fmt: skip


def said(event: Event) -> dict[str, Any]:
    found = msgspec.json.decode(ecs(event))
    assert isinstance(found, dict)
    return found


def paths(document: dict[str, Any], before: str = "") -> set[str]:
    """The full name of each field."""
    found: set[str] = set()
    for name, value in document.items():
        found |= paths(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}"}
    return found


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_event_is_sorted_as_ecs_sorts(name: EventType) -> None:
    """A kind, categories, and types that its categories know; an outcome that is one of three."""
    for event in (full(name), bare(name)):
        found = said(event)["event"]
        allowed = set().union(*(EXPECTED_TYPES[category] for category in found["category"]))
        assert found["kind"] in KINDS
        assert set(found["type"]) <= allowed
        assert found["outcome"] in {"success", "failure", "unknown"}
        assert found["action"] == name


@pytest.mark.parametrize("name", TYPES)
def test_what_is_no_field_of_ecs_stands_under_our_name(name: EventType) -> None:
    """So that no later version of ECS can mean something else by it."""
    assert {path for path in paths(said(full(name))) if not path.startswith("riskgate.")} <= FIELDS
    assert "" not in said(bare(name)).values()


def test_every_type_of_event_has_its_row() -> None:
    """The vocabulary is closed, and so is this table."""
    assert set(ROWS) == set(TYPES)


def test_techniques_and_sub_techniques_have_places_of_their_own() -> None:
    """As rules of detection look for them."""
    threat = said(denied())["threat"]
    assert (threat["framework"], threat["technique"]["id"]) == ("MITRE ATT&CK", ["T1078", "T1110"])
    assert threat["technique"]["subtechnique"]["id"] == ["T1110.003"]
    assert threat["tactic"]["id"] == ["TA0001", "TA0006"]


def test_in_a_storm_it_says_how_many_and_from_when_to_when() -> None:
    """ECS has no field for a count; it and the ids stand under our name."""
    found = said(full("login.denied"))
    assert (found["event"]["start"], found["event"]["end"]) == ("2027-01-15T08:00:00.250Z", "2027-01-15T08:00:02.750Z")
    assert found["riskgate"]["folded"] == {"count": 212, "event_ids": ["evt_1", "evt_2"]}
    assert found["message"] == "A login was refused for its risk. 212 more of the same."
    assert "folded" not in said(denied())["riskgate"]


def test_a_network_or_a_hash_is_an_address_and_no_ip() -> None:
    """`source.ip` is indexed as an address, and takes nothing else."""
    source = said(msgspec.structs.replace(denied(), ip=None, ip_prefix="203.0.113.0/24"))["source"]
    assert (source["address"], "ip" in source) == ("203.0.113.0/24", False)


def test_the_risk_of_a_person_is_not_that_of_a_login() -> None:
    """A person's own risk stands with the person, a login's with the event."""
    assert said(full("risk.user_raised"))["user"]["risk"] == {
        "calculated_score_norm": 91.25,
        "calculated_level": "high",
    }
    assert "risk" not in said(denied())["user"]
