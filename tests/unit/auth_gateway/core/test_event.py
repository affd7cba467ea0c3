"""What a line of the audit trail tells, and to whom."""

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.destination import Destination, Filter, Format, Privacy
from auth_gateway.core.event import Event, Folded, events_of
from auth_gateway.core.event_reference import markdown, schema_document
from auth_gateway.core.facts import Facts
from auth_gateway.core.told import SHAPES, STRUCTS
from auth_gateway.core.user_risk import with_words
from auth_gateway.core.veil import veiled
from auth_gateway.core.vocabulary import EventType, is_told
from auth_gateway.flows.rendering import rendered, standard
from risk_scorer.contract.assessment import Reason

FACTS = Facts(
    path="login",
    username="alice",
    user_agent="Mozilla/5.0",
    device="d1" * 32,
    country="DE",
    region="Berlin",
    city="Berlin",
    asn=64500,
    ja4="t13d1516h2_8daaf6152771_b186095e22b6",
    browser="Firefox",
    os="Linux",
    network_kind="hosting",
    is_listed=True,
    reasons=(Reason(code="new_ip", points=91.0, observed="198.51.100.9", usual="198.51.100.1", text="New 198."),),
    new=("device", "ip"),
    factors=("totp",),
    demand="any",
    method="totp",
    amr=("pwd",),
    challenge_id="ch_1",
    began_as="evt_0",
    by="soc",
    risk_before=12.0,
)
FULL = Privacy(ip="full", user="name", user_agent=True)


def line(kind: Kind = "login.allowed", **changes: Any) -> AuditEvent:
    """A line with everything in it."""
    known: dict[str, Any] = {
        "event_id": "evt_1",
        "ts": 1_700_000_000.0,
        "kind": kind,
        "user_id": "id-alice",
        "client_id": "web",
        "session_id": "s1",
        "ip": "198.51.100.9",
        "decision": "allow",
        "rule": "low",
        "score": 10.0,
        "level": "low",
        "model_version": "m1",
        "incident_id": "inc_1",
        "detail": "totp",
        "facts": FACTS,
    }
    return AuditEvent(**{**known, **changes})


def events(kind: Kind = "login.allowed", **changes: Any) -> tuple[Event, ...]:
    return events_of(line(kind, **changes), tenant="acme", threshold=80.0)


def types(*found: Event) -> list[EventType]:
    return [event.type for event in found]


def test_a_line_for_our_own_books_tells_nothing() -> None:
    """Refreshes, letters and the like."""
    assert events("token.refreshed") == ()
    assert [kind for kind in get_args(Kind) if is_told(kind)] == [kind for kind in get_args(Kind) if events(kind)]


@pytest.mark.parametrize(("score", "is_high"), [(79.9, False), (80.0, True), (None, False)])
def test_a_login_from_the_threshold_on_is_told_as_one_of_high_risk_too(score: float | None, is_high: bool) -> None:
    """Whatever was decided; under an id of its own. What is no login is not."""
    known = FACTS.__class__()
    for kind in ("login.allowed", "login.challenged", "login.denied", "login.failed"):
        found = events(kind, score=score, facts=known)
        assert ("login.high_risk" in types(*found)) is is_high
        assert len({event.event_id for event in found}) == len(found)
    assert "login.high_risk" not in types(*events("token.denied", score=score))


@pytest.mark.parametrize(
    ("kind", "new", "is_told_so"),
    [
        ("login.allowed", ("device",), True),
        ("challenge.passed", ("device",), True),
        ("login.allowed", ("ip",), False),
        ("login.challenged", ("device",), False),
        ("login.denied", ("device",), False),
    ],
)
def test_only_who_is_let_in_has_a_new_device(kind: Kind, new: tuple[str, ...], is_told_so: bool) -> None:
    """A device that was refused is nobody's."""
    found = events(kind, facts=msgspec.structs.replace(FACTS, new=new))
    assert ("device.new" in types(*found)) is is_told_so


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        (Filter(), True),
        (Filter(types=("login.allowed",)), True),
        (Filter(types=("login.*",)), True),
        (Filter(types=("login.denied", "account.*")), False),
        (Filter(min_score=10.0), True),
        (Filter(min_score=10.1), False),
        (Filter(clients=("web",)), True),
        (Filter(clients=("shop",)), False),
    ],
)
def test_a_filter_takes_what_it_names(wanted: Filter, is_taken: bool) -> None:
    """All of its parts must agree."""
    assert wanted.takes(events()[0]) is is_taken


def test_what_has_no_score_passes_the_mark() -> None:
    """A scorer that is away must not silence anybody."""
    assert Filter(min_score=99.0).takes(events(score=None)[0])


@pytest.mark.parametrize(
    ("ip", "form", "told"),
    [
        ("198.51.100.9", "full", {"ip": "198.51.100.9"}),
        ("198.51.100.9", "prefix", {"ip_prefix": "198.51.100.0/24"}),
        ("2001:db8:1:2::3", "prefix", {"ip_prefix": "2001:db8:1::/48"}),
        ("", "prefix", {}),
        ("a socket", "prefix", {}),
        ("198.51.100.9", "none", {}),
        (None, "keyed_hash", {}),
    ],
)
def test_an_address_is_told_in_one_form(ip: str | None, form: Any, told: dict[str, str]) -> None:
    """And in no other."""
    data = message(events(ip=ip)[0], Privacy(ip=form))["data"]
    assert {name: data[name] for name in ("ip", "ip_prefix", "ip_hash") if name in data} == told


def test_hashes_are_stable_for_one_and_strange_to_another() -> None:
    """The same address has one name at a destination, and another one at the next; nothing of it is left in clear."""
    hidden = Privacy(ip="keyed_hash", user="keyed_hash")
    one, again, other = (message(events()[0], hidden, key)["data"] for key in (b"1", b"1", b"2"))
    assert one == again
    for name in ("ip_hash", "user_hash", "device"):
        assert len(one[name]) == 64
        assert one[name] != other[name]
    assert {"ip", "user_id", "username", "city", "region", "user_agent"} & set(one) == set()
    assert not any(clear in str(one) for clear in ("198.51", "alice", "Berlin", "Mozilla", FACTS.device))
    assert one["reasons"] == [{"code": "new_ip", "points": 91.0}]


def message(event: Event, privacy: Privacy = FULL, key: bytes = b"k") -> Any:
    return msgspec.json.decode(standard(veiled(event, privacy, key)))


def test_the_schemas_hold_for_what_is_sent() -> None:
    """Of every type, with all that is known and with nothing; they name every field, and refuse another type."""
    schemas = schema_document()["events"]
    for name in get_args(EventType):
        check = jsonschema.Draft202012Validator(schemas[name])
        check.check_schema(schemas[name])
        bare = Event(event_id="evt_1", type=name, ts=1.0)
        more = Folded(count=212, first_ts=1.0, last_ts=2.0, event_ids=("evt_1",))
        full = msgspec.structs.replace(events(score=9.0)[0], type=name, techniques=("T1078",), folded=more)
        for event in (bare, full):
            body = message(event)
            check.validate(body)
            assert not check.is_valid({**body, "type": "nothing"})
            assert not check.is_valid({**body, "data": {**body["data"], "version": 2}})
        named = set(schemas[name]["properties"]["data"]["properties"])
        assert set(message(full)["data"]) <= named
        missing = named - set(message(full)["data"])
        assert missing <= {"user_hash", "ip_prefix", "ip_hash", "replay_id"}, name


def test_each_type_has_a_shape_and_nothing_else_has() -> None:
    """The vocabulary is closed."""
    assert list(SHAPES) == list(STRUCTS)
    assert set(SHAPES) == set(get_args(EventType))


def test_the_page_is_the_one_that_the_shapes_make(root: Path) -> None:
    """`scripts/events_page` writes it."""
    assert (root / "docs/events.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("shape", get_args(Format))
def test_no_reader_of_lines_finds_an_end_in_the_midst_of_an_event(shape: Format) -> None:
    """Also one that knows the line ends of Unicode; what JSON says stays the same."""
    facts = Facts(user_agent="a\x85b\u2028c\u2029d")
    event = Event(event_id="evt_1", type="login.allowed", ts=1.0, facts=facts)
    to = Destination(destination_id="dst_1", name="siem", kind="file", url="file:siem", format=shape)
    text = rendered(event, to, host="h").decode()
    assert len(text.splitlines()) == 1
    assert shape == "cef" or repr(facts.user_agent) in repr(json.loads(text))


@pytest.mark.parametrize(
    ("privacy", "is_told"),
    [
        (Privacy(), False),
        (Privacy(user="name"), False),
        (Privacy(ip="full"), False),
        (Privacy(user="keyed_hash", ip="none"), False),
        (Privacy(user="name", ip="full"), True),
    ],
)
def test_what_an_analyst_wrote_is_told_to_whoever_may_know_names_and_addresses(privacy: Privacy, is_told: bool) -> None:
    """They may write either; the change itself is told to everybody."""
    detail = with_words("analyst 50-100 evt_1", by="soc/jane", why="alice (of sales) called from 203.0.113.7")
    event = Event(event_id="evt_1", type="risk.user_raised", ts=1.0, user_id="u1", detail=detail)
    told = veiled(event, privacy, b"key").detail
    assert told == (detail if is_told else "analyst 50-100 evt_1")
