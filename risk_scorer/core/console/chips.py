"""Reasons as chips: few words, how much of the score, and how loud."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.contract.assessment import Reason
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.reasons import BASELINE, CODES

Weight = Literal["heavy", "middling", "light", "relief"]
HEAVY_POINTS: Final = 15.0
MIDDLING_POINTS: Final = 5.0
WORDS: Final = {
    "hour": "unusual hour",
    "endpoint_skew": "unusual endpoints",
    "sequence": "unusual order",
    "volume": "unusual volume",
    "rhythm": "machine rhythm",
    "failures": "mostly failing",
    "detections": "scored as risky",
    "history": "attacked before",
}
"""Codes that say little by themselves, as somebody says them who sees them for the first time."""
PARTS: Final = {
    "asn": "network operator", "prefix": "network", "ip": "address", "os": "operating system", "ja4": "TLS fingerprint",
    "ja4h": "HTTP fingerprint", "ja4s": "server fingerprint", "mfa": "second factor", "vpn": "VPN", "tor": "Tor",
}  # fmt: skip
"""Parts of codes that are abbreviations; the nouns are those of the reasons' own sentences."""
_CODE: Final = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")


class Chip(Struct, frozen=True, kw_only=True):
    """One reason: its code in words, its points, and its text for whoever wants to know more."""

    code: str
    words: str
    points: float
    text: str
    weight: Weight


def chips(reasons: Iterable[Reason]) -> tuple[Chip, ...]:
    """Every reason but the baseline, the weightiest first as they come."""
    return tuple(
        Chip(
            code=reason.code,
            words=words_of(reason.code),
            points=reason.points,
            text=written_out(reason.text),
            weight=weight_of(reason.points),
        )
        for reason in reasons
        if reason.code != BASELINE
    )


def words_of(code: str) -> str:
    """A code as a person would say it: "new_device" is "new device", "rare_asn" is "rare network operator"."""
    return written_out(WORDS.get(code) or " ".join(PARTS.get(part, part) for part in code.split("_")))


def code_of(words: str) -> str:
    """The reason's code that somebody means who typed what a page shows; anything else with "_" for " "."""
    plain = " ".join(words.lower().split())
    return _CODES.get(plain, plain.replace(" ", "_"))


def with_words(text: str) -> str:
    """A sentence of the scorer's own that names codes, with their words in their place."""
    return _CODE.sub(lambda code: words_of(code[0]), text)


def weight_of(points: float) -> Weight:
    """How loud a part of the score is; one that lowers it is a relief."""
    if points < 0.0:
        return "relief"
    if points >= HEAVY_POINTS:
        return "heavy"
    return "middling" if points >= MIDDLING_POINTS else "light"


_CODES: Final = {words_of(code).lower(): code for code in CODES}
