"""What the scorer is told."""

from auth_gateway.core.context import LONGEST_USER_AGENT, LoginContext, login_event


def test_the_scorer_gets_what_is_known_and_no_more() -> None:
    """Unknown stays unknown; a user agent longer than the scorer takes is cut."""
    context = LoginContext(ip="198.51.100.9", timestamp=1.5, user_agent="x" * 5000, ja4="t13d")
    event = login_event(context, event_id="evt_1", user_id="alice", success=True)
    assert (event.ip, event.timestamp, event.device_id, event.ja4h) == ("198.51.100.9", 1.5, "", None)
    assert len(event.user_agent) == LONGEST_USER_AGENT
