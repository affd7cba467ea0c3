"""From what a language model answered to a narrative, or nothing. Its answer is a stranger's text like any other."""

from typing import Final

import msgspec

from risk_scorer.contract.narrative import AttackLikelihood, Narrative
from risk_scorer.core.redaction import plain

LONGEST_PART: Final = 660
"""Three of them and a word stay below the 2,000 characters that a narrative may have."""
LIKELIHOODS: Final[dict[str, AttackLikelihood]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "unknown": "unknown",
}
_END_OF_THOUGHT = "</think>"
_Text = str | list[str]


class _Told(msgspec.Struct):
    signals: _Text
    why_unusual: _Text
    attack_likelihood: str
    recommended_response: _Text


_decoder = msgspec.json.Decoder(_Told)


def narrative_of(content: str) -> Narrative | None:
    """The narrative in the answer: a JSON object with the four parts, bare or inside other text. None of anything else.

    Long parts are cut visibly; a part that is empty or a likelihood that is none of the four words spoils it all.
    """
    told = _decoded(content) or _decoded(_inner_object(content))
    if told is None:
        return None
    likelihood = LIKELIHOODS.get(told.attack_likelihood.strip(" .").lower())
    parts = [_part(text) for text in (told.signals, told.why_unusual, told.recommended_response)]
    if likelihood is None or not all(parts):
        return None
    return Narrative(
        signals=parts[0], why_unusual=parts[1], attack_likelihood=likelihood, recommended_response=parts[2]
    )


def _decoded(text: str) -> _Told | None:
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _inner_object(text: str) -> str:
    """From the first brace to the last, after the thoughts that some models begin with."""
    said = text.rpartition(_END_OF_THOUGHT)[2]
    return said[said.find("{") : said.rfind("}") + 1]


def _part(text: _Text) -> str:
    line = plain(text if isinstance(text, str) else "; ".join(text))
    return line if len(line) <= LONGEST_PART else line[: LONGEST_PART - 1] + "…"
