"""How an operator's pages look: name, logo and colour, and what a colour must be to be read. Values only."""

import re
from dataclasses import dataclass

DEFAULT_NAME = "riskgate"
DEFAULT_COLOUR = "#1f4fd8"
LEAST_CONTRAST = 4.5
"""Text against its ground (WCAG 2.2, success criterion 1.4.3, level AA)."""
LIGHT_GROUND = "#ffffff"
DARK_GROUND = "#171b22"
"""The grounds that links and buttons lie on, as `pages.css` has them."""
WHITE, BLACK = "#ffffff", "#0b0d12"

_HEX = re.compile(r"#[0-9a-f]{6}")
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Accent:
    """One colour, and the colour of text on it."""

    colour: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What the pages are known by. `logo` is the name of a file under `/assets/`, "" where there is none."""

    name: str = DEFAULT_NAME
    logo: str = ""
    light: Accent = Accent(DEFAULT_COLOUR, WHITE)
    dark: Accent = Accent("#7391e7", BLACK)


def contrast(one: str, other: str) -> float:
    """How far apart two colours are in brightness, 1 to 21.

    Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def light_accent(colour: str) -> Accent:
    """An operator's colour on our light pages.

    Raises: ValueError, in words for the operator, where it could not be read there.
    """
    given = colour.lower()
    if not _HEX.fullmatch(given):
        raise ValueError("must be six hexadecimal digits after a #, such as #1f4fd8")
    reached = contrast(given, LIGHT_GROUND)
    if reached < LEAST_CONTRAST:
        raise ValueError(
            f"has a contrast of {reached:.1f}:1 with white, and text needs {LEAST_CONTRAST}:1; choose a darker colour"
        )
    return Accent(given, _text_on(given))


def dark_accent(colour: str) -> Accent:
    """The same colour for dark pages: as much lighter as it must be to be read there."""
    given = colour.lower()
    for step in range(_STEPS + 1):
        lighter = _mixed(given, WHITE, step / _STEPS)
        if contrast(lighter, DARK_GROUND) >= LEAST_CONTRAST + 1:
            return Accent(lighter, _text_on(lighter))
    return Accent(WHITE, BLACK)


def _text_on(colour: str) -> str:
    return max(WHITE, BLACK, key=lambda text: contrast(text, colour))


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(ours + (theirs - ours) * share):02x}" for ours, theirs in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
