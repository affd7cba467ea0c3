"""What we say in CEF is taken apart again by its rules, whatever stands in it."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_gateway.core.event import Event
from auth_gateway.core.siem.cef import cef, escaped_head, escaped_value
from auth_gateway.core.vocabulary import EventType
from tests.unit.auth_gateway.core.siem.samples import TYPES, bare, denied, full

UNESCAPED = {"\\\\": "\\", "\\=": "=", "\\n": "\n", "\\r": "\r", "\\|": "|"}
PAIR = re.compile(r"(?:^| )([A-Za-z0-9]+)=((?:[^\\=]|\\.)*?)(?=(?: [A-Za-z0-9]+=)|$)", re.DOTALL)


def unescaped(text: str) -> str:
    return re.sub(r"\\.", lambda found: UNESCAPED[found.group()], text)


def read(line: bytes) -> tuple[list[str], dict[str, str]]:
    """Head and extension, by the rules of the format alone."""
    *head, extension = re.split(r"(?<!\\)(?:\\\\)*\|", line.decode(), maxsplit=7)
    return [unescaped(part) for part in head], {key: unescaped(value) for key, value in PAIR.findall(extension)}


def test_the_head_has_its_seven_fields() -> None:
    """Format, maker, product, version, what happened, in words, how bad."""
    head, _ = read(cef(denied()))
    assert head == ["CEF:0", "riskgate", "riskgate", "1", "login.denied", "A login was refused for its risk.", "8"]


def test_the_extension_says_who_where_and_why() -> None:
    """Under the format's own keys, and labelled ones for what it has no key for."""
    _, found = read(cef(denied()))
    assert found["src"] == "203.0.113.77"
    assert (found["duser"], found["duid"], found["act"], found["outcome"]) == ("alice", "5f0d4c1e", "deny", "failure")
    assert (found["rt"], found["externalId"]) == ("1800000000250", "evt_8hJq1fWm3xYt0aZ5kLr2Pw")
    labelled = {found[f"{key}Label"]: found[key] for key in ("cs1", "cs3", "cs4", "cs6", "cfp1", "cn1")}
    assert labelled == {
        "riskReasons": "stuffing_in_progress,new_device",
        "incidentId": "inc_Qe7vB2nXcT4uG9sD1fHj6k",
        "attackTechniques": "T1078,T1110.003",
        "riskLevel": "high",
        "riskScore": "91.25",
        "asn": "64500",
    }


@pytest.mark.parametrize(
    ("text", "in_head", "as_value"),
    [
        ("a|b", "a\\|b", "a|b"),
        ("a=b", "a=b", "a\\=b"),
        ("a\\b", "a\\\\b", "a\\\\b"),
        ("a\\|=b", "a\\\\\\|=b", "a\\\\|\\=b"),
        ("a\nb\r", "a b ", "a\\nb\\r"),
        ("a\x00\x1b[31mb\x7f", "a  [31mb ", "a  [31mb "),
        ("Zürich", "Zürich", "Zürich"),
    ],
)
def test_escaping(text: str, in_head: str, as_value: str) -> None:
    """A pipe ends a field of the head and nothing in the extension; an equals sign the other way round."""
    assert (escaped_head(text), escaped_value(text)) == (in_head, as_value)


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_client_calls_itself_stays_in_its_field(agent: str, rule: str) -> None:
    """No browser's words end a field, add one, or begin another line."""
    facts = msgspec.structs.replace(denied().facts, user_agent=f"x{agent}x")
    line = cef(msgspec.structs.replace(denied(), facts=facts, rule=f"x{rule}x"))
    assert not {b"\n", b"\r"} & {line[place : place + 1] for place in range(len(line))}
    usual = read(cef(denied()))
    head, found = read(line)
    assert head == usual[0]
    assert set(found) == set(usual[1])
    plain = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
    assert found["requestClientApplication"] == plain.sub(" ", f"x{agent}x")
    assert found["reason"] == plain.sub(" ", f"x{rule}x")


@pytest.mark.parametrize("sign", ["\x85", "\x9b", "\u2028", "\u2029", "\x1b"])
def test_nothing_in_it_ends_a_line_or_steers_a_terminal(sign: str) -> None:
    """Whatever a reader of lines takes for an end of one."""
    facts = msgspec.structs.replace(denied().facts, user_agent=f"a{sign}b")
    line = cef(msgspec.structs.replace(denied(), facts=facts)).decode()
    assert sign not in line
    assert len(line.splitlines()) == 1


def test_in_a_storm_it_says_how_many_and_from_when_to_when() -> None:
    """Under the format's own keys, with the ids in the message; the name stays the one that rules know."""
    head, found = read(cef(full("login.denied")))
    assert (found["cnt"], found["start"], found["end"]) == ("212", "1800000000250", "1800000002750")
    assert found["msg"].endswith("212 more of the same: evt_1 evt_2")
    assert head[5] == "A login was refused for its risk."
    assert not {"cnt", "start", "end"} & set(read(cef(denied()))[1])


def test_an_address_of_six_has_a_key_of_its_own() -> None:
    """`src` holds addresses of four; what a destination gets instead of an address is a host's name."""
    _, six = read(cef(msgspec.structs.replace(denied(), ip="2001:db8::7")))
    assert (six["c6a2Label"], six["c6a2"], "src" in six) == ("Source IPv6 Address", "2001:db8::7", False)
    _, prefix = read(cef(msgspec.structs.replace(denied(), ip=None, ip_prefix="203.0.113.0/24")))
    assert (prefix["shost"], "src" in prefix) == ("203.0.113.0/24", False)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_event_is_one_line(name: EventType) -> None:
    """With its severity from 0 to 10, and no key without a value."""

    def check(event: Event) -> None:
        head, found = read(cef(event))
        assert head[4] == name
        assert 0 <= int(head[6]) <= 10
        assert all(found.values())

    check(full(name))
    check(bare(name))
