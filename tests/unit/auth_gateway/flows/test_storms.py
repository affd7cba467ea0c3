"""A storm begins when a destination's bucket is empty, and is over as it fills again."""

import msgspec
import pytest

from auth_gateway.core.destination import Destination
from auth_gateway.core.event import Event
from auth_gateway.flows.storms import BURST, RATE_PER_SECOND, Storms

HOOK = Destination(destination_id="dst_a", name="a", kind="webhook", url="https://a.example/")
EVENT = Event(event_id="evt_1", type="login.failed", ts=1.0, user_id="ann", ip="198.51.100.9")


def emptied(storms: Storms, destination: Destination = HOOK, now: float = 100.0) -> None:
    assert {storms.key(EVENT, destination, now) for _ in range(int(BURST))} == {""}


def test_the_message_after_the_burst_is_in_a_storm() -> None:
    """Both sides of the mark; it is over for as many messages as the rate allows since."""
    storms = Storms()
    emptied(storms)
    assert storms.key(EVENT, HOOK, 100.0) == "login.failed ann"
    assert [storms.key(EVENT, HOOK, 100.0 + 2.5 / RATE_PER_SECOND) != "" for _ in range(3)] == [False, False, True]
    assert storms.key(EVENT, HOOK, 50.0) != ""  # a clock that goes back gives nothing
    emptied(storms, now=10_000.0)


def test_each_destination_has_a_bucket_of_its_own() -> None:
    """One that is told too much costs another one nothing."""
    storms = Storms()
    emptied(storms)
    assert storms.key(EVENT, msgspec.structs.replace(HOOK, destination_id="dst_b"), 100.0) == ""


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "login.failed ann"),
        ({"type": "login.denied"}, "login.denied ann"),
        ({"user_id": None}, "login.failed 198.51.100.0/24"),
        ({"user_id": None, "ip": "2001:db8:1:2::3"}, "login.failed 2001:db8:1::/48"),
        ({"user_id": None, "ip": None}, "login.failed -"),
        ({"user_id": None, "ip": "nowhere"}, "login.failed -"),
    ],
)
def test_what_is_the_same(changes: dict[str, str], key: str) -> None:
    """The type, and the person; where nobody is known, the network."""
    storms = Storms()
    emptied(storms)
    assert storms.key(msgspec.structs.replace(EVENT, **changes), HOOK, 100.0) == key


@pytest.mark.parametrize("changes", [{"kind": "syslog"}, {"kind": "file"}, {"kind": "ssf"}, {"format": "ocsf"}])
def test_a_siem_gets_each_event(changes: dict[str, str]) -> None:
    """It counts by itself."""
    storms, siem = Storms(), msgspec.structs.replace(HOOK, **changes)
    assert {storms.key(EVENT, siem, 100.0) for _ in range(int(BURST) * 2)} == {""}
