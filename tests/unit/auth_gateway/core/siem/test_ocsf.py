"""What we say in OCSF is what the published schema says, in each version from the one that we name on."""

from functools import cache
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from auth_gateway.core.event import Event
from auth_gateway.core.siem.ocsf import ocsf
from auth_gateway.core.siem.ocsf_classes import PROFILES, ROWS, SCHEMA_VERSION
from auth_gateway.core.siem.ocsf_objects import factors
from auth_gateway.core.vocabulary import EventType
from tests.unit.auth_gateway.core.siem.samples import MOMENT, TYPES, bare, denied, full

VERSIONS = (SCHEMA_VERSION, "1.6.0", "1.7.0", "1.8.0")


@cache
def published(version: str) -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version))


@cache
def validator(version: str, class_uid: int) -> Draft202012Validator:
    """The class with our profiles; a field that the class does not have is a fault."""
    schema = published(version)
    name = schema.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(schema.get_class_schema(name, list(PROFILES)))


def said(event: Event) -> dict[str, Any]:
    found = msgspec.json.decode(ocsf(event))
    assert isinstance(found, dict)
    return found


def faults(document: dict[str, Any], version: str = SCHEMA_VERSION) -> list[str]:
    errors = validator(version, document["class_uid"]).iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_type_of_event_is_valid(version: str) -> None:
    """Whatever is known of it, in the version that it names and in each later one that is published."""
    found = {
        name: wrong for name in TYPES for event in (full(name), bare(name)) if (wrong := faults(said(event), version))
    }
    assert found == {}


def test_the_schema_is_looked_at() -> None:
    """What is no OCSF does not pass: a field of its own, a number that means nothing, a class without its person."""
    document = said(denied())
    assert faults(document) == []
    assert faults({**document, "riskgate": 1})
    assert faults({**document, "activity_id": 42})
    assert faults({**document, "src_endpoint": {"ip": "not an address"}})
    assert faults({name: value for name, value in document.items() if name != "user"})


def test_every_type_of_event_has_its_class() -> None:
    """The vocabulary is closed, and so is this table."""
    assert set(ROWS) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_numbers_and_captions_say_the_same(name: EventType) -> None:
    """The caption that stands beside a number is the schema's own; 99 is explained in our words."""
    document = said(full(name))
    schema = published(SCHEMA_VERSION).schema.schema["classes"]
    of_class = schema[published(SCHEMA_VERSION).lookup_class_name_from_uid(document["class_uid"])]
    assert document["type_uid"] == document["class_uid"] * 100 + document["activity_id"]
    assert (document["class_name"], document["category_uid"]) == (of_class["caption"], document["class_uid"] // 1000)
    pairs = {"activity_id": "activity_name", "severity_id": "severity", "status_id": "status", "action_id": "action"}
    pairs |= {"disposition_id": "disposition", "risk_level_id": "risk_level", "auth_protocol_id": "auth_protocol"}
    for number, caption in pairs.items():
        if number in document and document[number] != 99:
            assert document[caption] == of_class["attributes"][number]["enum"][str(document[number])]["caption"]


def test_what_a_destination_gets_in_place_of_an_address_is_no_address() -> None:
    """A network and a hash have fields that hold any text; the address' own field is left out."""
    event = denied()
    for changed in (
        msgspec.structs.replace(event, ip=None, ip_prefix="203.0.113.0/24"),
        msgspec.structs.replace(event, ip=None, ip_hash="ab" * 32, user_id=None, user_hash="cd" * 32, username=""),
        msgspec.structs.replace(event, ip=None),
    ):
        document = said(changed)
        assert faults(document) == []
        assert "203.0.113.77" not in str({**document, "unmapped": None})
        assert document["user"]["uid"] == (changed.user_id or changed.user_hash)
    assert (
        said(msgspec.structs.replace(event, ip=None, ip_prefix="2001:db8::/48"))["src_endpoint"]["name"]
        == "2001:db8::/48"
    )


def test_in_a_storm_it_says_how_many_and_from_when_to_when() -> None:
    """In the fields that every class has for that."""
    found = said(full("login.denied"))
    assert [found[name] for name in ("count", "start_time", "end_time", "duration")] == [
        212, round(MOMENT * 1_000), round(MOMENT * 1_000) + 2_500, 2_500,
    ]  # fmt: skip
    assert found["unmapped"]["folded_event_ids"] == ["evt_1", "evt_2"]
    assert found["message"].endswith(" 212 more of the same.")
    assert "count" not in said(denied())


def test_one_line_is_one_event() -> None:
    """Whatever a browser calls itself: a line end in a name ends no line."""
    facts = msgspec.structs.replace(denied().facts, user_agent='A\r\n{"class_uid":3002}\x00')
    line = ocsf(msgspec.structs.replace(denied(), facts=facts))
    assert b"\n" not in line
    assert b"\r" not in line
    assert msgspec.json.decode(line)["time"] == round(MOMENT * 1_000)


@pytest.mark.parametrize(("amr", "expected"), [(("pwd", "mca"), "Email"), (("pwd", "mca", "mfa"), "Push Notification")])
def test_another_channel_is_a_letter_or_an_mfa_system(amr: tuple[str, ...], expected: str) -> None:
    """RFC 8176 has one word for both; the second is a factor of its own."""
    event = full("session.started")
    shown = msgspec.structs.replace(event, facts=msgspec.structs.replace(event.facts, amr=amr, method=""))
    assert [each["factor_type"] for each in factors(shown)] == ["Password", expected]
