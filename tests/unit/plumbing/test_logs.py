"""The log is one JSON object a line, whoever writes to it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import logging
import structlog
from plumbing.logs import configure_logging

early = structlog.get_logger("early")
configure_logging("info", pretty={pretty})
early.info("started", port=9000, place=object)
early.debug("not shown")
structlog.get_logger("late").warning("odd", text="a\\nforged\\x1b[31m line\\u202e")
logging.getLogger("uvicorn.error").info("from a library: %s", "yes\\nforged")
password = "hun" + "ter2"
try:
    raise ValueError("inside")
except ValueError:
    early.exception("crashed")
"""


def lines(root: Path, *, pretty: bool) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", SCRIPT.format(pretty=pretty)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr.splitlines()


def test_each_line_is_one_json_object(root: Path) -> None:
    """Ours and the libraries', with level, time and name; what is below the level stays out."""
    events: list[dict[str, Any]] = [json.loads(line) for line in lines(root, pretty=False)]
    assert [event["level"] for event in events] == ["info", "warning", "info", "error"]
    assert [event["logger"] for event in events] == ["early", "late", "uvicorn.error", "early"]
    assert events[0]["event"] == "started"
    assert events[0]["port"] == 9000
    assert events[0]["timestamp"].endswith("Z")
    assert "ValueError: inside" in events[3]["exception"]


@pytest.mark.parametrize("pretty", [False, True])
def test_a_crash_does_not_show_its_variables(root: Path, pretty: bool) -> None:
    """The traceback is there, the password that was at hand is not."""
    text = "\n".join(lines(root, pretty=pretty))
    assert "ValueError: inside" in text
    assert "hunter2" not in text


def test_text_from_outside_cannot_forge_a_line(root: Path) -> None:
    """Line ends and terminal codes are written out, in JSON and on the terminal."""
    for pretty in (False, True):
        text = "\n".join(lines(root, pretty=pretty))
        assert "\x1b[31m" not in text
        assert "\u202e" not in text
        assert not [line for line in text.splitlines() if line.startswith("forged")]
