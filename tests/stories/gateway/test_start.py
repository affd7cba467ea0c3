"""What serving needs is there before anybody asks for it."""

import time
from collections.abc import Callable

from auth_gateway.adapters import browser_names
from tests.stories.gateway.story import Story


def test_no_letter_waits_for_the_names_of_browsers(story_with: Callable[..., Story]) -> None:
    """Where mail goes out, the rules for user agents are made ready when the service starts, not at the first login."""
    browser_names.prepare.cache_clear()
    story_with(smtp_url="smtp://127.0.0.1:9", mail_from="login@example.com")
    until = time.monotonic() + 20
    while browser_names.prepare.cache_info().currsize == 0 and time.monotonic() < until:
        time.sleep(0.01)
    assert browser_names.prepare.cache_info().currsize == 1
