"""The head of a message is that of RFC 5424."""

import re

import msgspec
import pytest

from auth_gateway.core.siem.syslog import syslog_line
from auth_gateway.core.vocabulary import EventType
from tests.unit.auth_gateway.core.siem.samples import TYPES, denied, full

# Source: RFC 5424, section 6: the header, one space, structured data or "-", one space, the message.
LINE = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) (?P<host>[\x21-\x7e]{1,255}) "
    rb"(?P<app>[\x21-\x7e]{1,48}) (?P<process>[\x21-\x7e]{1,128}) (?P<kind>[\x21-\x7e]{1,32}) - (?P<body>.*)",
    re.DOTALL,
)


def test_a_message_says_when_who_and_what() -> None:
    """Facility security, its severity, the moment of the event, the machine, the program, the type."""
    found = LINE.fullmatch(syslog_line(denied(), b'{"a":1}', host="gw1.example"))
    assert found is not None
    assert found["priority"] == b"82"
    assert found["moment"] == b"2027-01-15T08:00:00.250Z"
    assert (found["host"], found["app"], found["kind"]) == (b"gw1.example", b"riskgate", b"login.denied")
    assert found["body"] == b'{"a":1}'


@pytest.mark.parametrize(
    ("level", "score", "priority"), [("low", 10.0, b"86"), ("medium", 65.0, b"84"), ("high", 90.0, b"82")]
)
def test_the_worse_the_risk_the_more_severe(level: str, score: float, priority: bytes) -> None:
    """Informational, warning, critical."""
    event = msgspec.structs.replace(denied(), type="login.allowed", decision="allow", level=level, score=score)
    found = LINE.fullmatch(syslog_line(event, b"", host="gw1"))
    assert found is not None
    assert found["priority"] == priority


@pytest.mark.parametrize("host", ["", " ", "gw 1\nx", "ümlaut", "x" * 300])
def test_a_head_stays_a_head_whatever_the_machine_is_called(host: str) -> None:
    """Without a name it says that there is none."""
    assert LINE.fullmatch(syslog_line(denied(), b"x", host=host)) is not None


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_event_fits(name: EventType) -> None:
    """Its name has room in the head."""
    found = LINE.fullmatch(syslog_line(full(name), b"x", host="gw1"))
    assert found is not None
    assert found["kind"] == name.encode()
