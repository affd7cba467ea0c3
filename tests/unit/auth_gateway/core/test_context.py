"""Which hop of the way is the client, and what the scorer is told."""

from ipaddress import ip_network

import pytest

from auth_gateway.core.context import LONGEST_USER_AGENT, LoginContext, client_address, login_event

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "header", "expected"),
    [
        ("198.51.100.9", None, "198.51.100.9"),
        ("198.51.100.9", "203.0.113.5", "198.51.100.9"),  # not our proxy: its header is a claim
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),  # the left one was written by a stranger
        ("10.0.0.1", "1.1.1.1, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.5, nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, nonsense, 10.0.0.2", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 203.0.113.5", "203.0.113.5"),  # what stands left of the client is never read
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5:443", "10.0.0.1"),
        ("10.0.0.1", "198.01.100.9", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("fd00::1%eth0", "2001:DB8::1", "2001:db8::1"),
        ("", "203.0.113.5", ""),
        ("a-socket", "203.0.113.5", ""),
    ],
)
def test_the_client_is_the_right_most_untrusted_hop(peer: str, header: str | None, expected: str) -> None:
    """A client cannot choose its address, and what cannot be read is not believed."""
    assert client_address(peer, header, PROXIES) == expected


def test_only_the_nearest_hops_are_read() -> None:
    """A header of a hundred thousand hops costs no more than one of 32."""
    assert client_address("10.0.0.1", "203.0.113.5," + ",".join(["10.0.0.2"] * 100_000), PROXIES) == "10.0.0.2"


def test_the_scorer_gets_what_is_known_and_no_more() -> None:
    """Unknown stays unknown; a user agent longer than the scorer takes is cut."""
    context = LoginContext(ip="198.51.100.9", timestamp=1.5, user_agent="x" * 5000, ja4="t13d")
    event = login_event(context, event_id="evt_1", user_id="alice", success=True)
    assert (event.ip, event.timestamp, event.device_id, event.ja4h) == ("198.51.100.9", 1.5, "", None)
    assert len(event.user_agent) == LONGEST_USER_AGENT
