"""A line of the dashboard: what a person needs, and nothing that deceives the eye."""

import msgspec
import pytest

from risk_scorer.api.rows import entry_of, row_of
from risk_scorer.core.console.visible import LONGEST_TEXT, visible
from tests.integration.risk_scorer.observations import scored


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice", "alice"),
        ("Zoë 王", "Zoë 王"),
        ("\u202egnp.exe", "\\u{202e}gnp.exe"),
        ("a\u200bb", "a\\u{200b}b"),
        ("x\ny\x1b[2J", "x\\u{a}y\\u{1b}[2J"),
        ("", ""),
        ("u" * LONGEST_TEXT, "u" * LONGEST_TEXT),
        ("u" * (LONGEST_TEXT + 1), "u" * (LONGEST_TEXT - 1) + "…"),
    ],
)
def test_signs_that_nobody_sees_are_written_out(text: str, shown: str) -> None:
    """Direction marks, zero-width and control characters cannot disguise a name; long texts are cut visibly."""
    assert visible(text) == shown


def test_a_row_of_little_knowledge_still_says_something() -> None:
    """Unknown place, network and device are named so, not left blank."""
    row = row_of(scored(device_id=""))
    assert (row.place, row.network, row.device) == ("unknown", "unknown", "unknown")
    assert (row.score, row.level, row.reasons) == ("10.0", "low", "Nothing unusual.")
    assert (row.time, row.time_iso) == ("2025-10-09 08:53:20", "2025-10-09T08:53:20+00:00")


def test_every_text_of_a_row_is_made_visible() -> None:
    """No column is forgotten: a row made of hostile texts holds nothing unprintable."""
    odd = "\u202e\u200b"
    row = row_of(scored(user_id=odd, ip=odd, device_id=odd, user_agent=odd))
    assert all(str(value).isprintable() for value in msgspec.structs.astuple(row))


def test_a_row_links_to_its_event_whatever_the_id_holds() -> None:
    """No sign of an id that a caller chose can end the link or begin another part of it."""
    assert row_of(scored(event_id="a/b ?&#\"'<é")).event == "a%2Fb%20%3F%26%23%22%27%3C%C3%A9"


def test_an_entry_has_the_events_fields_and_the_answers() -> None:
    """One flat object for callers of /recent."""
    entry = entry_of(scored(42.0, "evt_9", city="Berlin"))
    assert {"user_id": "alice", "city": "Berlin", "risk_score": 42.0, "event_id": "evt_9"}.items() <= entry.items()
