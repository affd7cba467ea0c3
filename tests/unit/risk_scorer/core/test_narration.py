"""What of a language model's answer is taken for a narrative."""

import json
from typing import Any

import pytest

from risk_scorer.core.narration import LONGEST_PART, narrative_of

PARTS = {"signals": "s", "why_unusual": "w", "attack_likelihood": "high", "recommended_response": "r"}


def said(**changes: Any) -> str:
    return json.dumps({**PARTS, **changes})


@pytest.mark.parametrize(
    "content",
    [
        said(),
        said(confidence=0.9, risk_score=0),
        f"```json\n{said()}\n```",
        f"Here it is: {said()} I hope it helps.",
        f"<think>{{maybe}} {said(signals='first idea')}</think>\n{said()}",
        said(attack_likelihood=" High. "),
    ],
)
def test_the_four_parts_are_found(content: str) -> None:
    """Bare, fenced, in a sentence or after thoughts; more than four parts are not looked at."""
    narrative = narrative_of(content)
    assert narrative is not None
    assert (narrative.signals, narrative.why_unusual, narrative.recommended_response) == ("s", "w", "r")
    assert narrative.attack_likelihood == "high"


def test_a_list_of_signals_becomes_a_line() -> None:
    """Models like lists; people get a text."""
    narrative = narrative_of(said(signals=["new device", "Tor"]))
    assert narrative is not None
    assert narrative.signals == "new device; Tor"


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "null", "[]", "}{", "{", "no", said()[:-1], said(signals=None), said(signals=""), said(signals=[]),
        said(why_unusual="\u200b"), said(attack_likelihood="85"), said(attack_likelihood=""),
        said(attack_likelihood=None), said(recommended_response=7), "{" * 100_000, '{"signals":"\\ud800"}',
    ],
)  # fmt: skip
def test_anything_else_is_nothing(content: str) -> None:
    """A part that is missing, empty or of another kind spoils the whole; nothing raises."""
    assert narrative_of(content) is None


@pytest.mark.parametrize(("length", "ending"), [(LONGEST_PART, "x"), (LONGEST_PART + 1, "…")])
def test_long_parts_are_cut_visibly(length: int, ending: str) -> None:
    """A narrative has 2,000 characters at most, and a reader sees that something is missing."""
    long = "x" * length
    narrative = narrative_of(said(signals=long, why_unusual=long, recommended_response=long))
    assert narrative is not None
    assert len(narrative.signals) == LONGEST_PART
    assert narrative.signals[-1] == ending
    assert 3 * LONGEST_PART + len("unknown") <= 2_000
