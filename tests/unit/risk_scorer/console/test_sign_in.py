"""What is said of a login, and what of it stands."""

import pytest

from risk_scorer.core.console.sign_in import Word, said_of


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        ({}, {"outcome": "success"}, {"outcome": "success"}),
        ({"outcome": "mfa_failed"}, {"outcome": "mfa_passed"}, {"outcome": "mfa_passed"}),
        ({"outcome": "mfa_passed"}, {"outcome": "mfa_failed"}, {"outcome": "mfa_passed"}),
        ({"outcome": "success"}, {"outcome": "failure"}, {"outcome": "success"}),
        ({"outcome": "failure"}, {"outcome": "mfa_failed"}, {"outcome": "mfa_failed"}),
        ({"decision": "challenge", "rule": "r"}, {"factor": "totp"},
         {"decision": "challenge", "rule": "r", "factor": "totp"}),
        ({"decision": "challenge", "rule": "r"}, {"decision": "deny", "rule": "s"}, {"decision": "deny", "rule": "s"}),
        ({"verdict": "confirmed_safe"}, {"verdict": "dismissed"}, {"verdict": "dismissed"}),
        ({"client_id": "shop"}, {}, {"client_id": "shop"}),
    ],
)  # fmt: skip
def test_the_newest_word_stands_and_silence_changes_nothing(
    before: dict[str, str], word: dict[str, str], after: dict[str, str]
) -> None:
    """But for a failure after a success, which was before it."""
    found = said_of(Word(event_id="e1", **before), Word(event_id="e1", **word))
    assert found == Word(event_id="e1", **after)
