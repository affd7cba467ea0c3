"""Without a mail server letters go to the log: whole in a demo, elsewhere without what stands in them."""

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from auth_gateway.adapters.mail import to_the_log
from auth_gateway.core.letter import Letter

pytestmark = pytest.mark.anyio

LINK = "https://login.example/link/0123456789"
LETTER = Letter(to="alice@example.com", kind="recover", values={"name": "Alice", "username": "alice", "link": LINK})


@pytest.mark.parametrize("shows_secrets", [True, False])
async def test_a_letter_is_told_to_the_log_once(mail: Any, shows_secrets: bool) -> None:
    """A demo's reader follows its link there; a real log has neither link nor address."""
    with capture_logs() as lines:
        async with mail.sending(to_the_log(mail.DESK, shows_secrets=shows_secrets)):
            await mail.post(LETTER)
            await mail.until_delivered()
    (line,) = [line for line in lines if line["event"].startswith("mail")]
    assert (line["kind"], line["log_level"]) == ("recover", "info")
    told = re.search(r"0123456789|alice|Alice", str(line))
    assert (told is not None) is shows_secrets
    assert (LINK in line.get("text", "")) is shows_secrets
    assert line.get("link") == (LINK if shows_secrets else None)
