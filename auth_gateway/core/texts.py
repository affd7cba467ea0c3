"""What people read, by key and language, and the choice of a language. Values only; the files are an adapter's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LANGUAGES = ("en", "de")
LONGEST_WISH = 512
"""What is read of a request's wishes; browsers send some dozens of characters."""

Catalogue = Mapping[str, str]
"""Texts by `room.key`; a placeholder is `{name}`."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text in every language."""

    catalogues: Mapping[str, Catalogue]

    def text(self, language: str, key: str, count: object = None) -> str:
        """The text as it is written, its placeholders unfilled; where `count` is given and the key has a form for one
        and one for others, the form that fits.

        Raises: KeyError where there is none: a page that needs it is broken, and says so in the tests.
        """
        catalogue = self.catalogues[language]
        if count is not None and f"{key}_other" in catalogue:
            return catalogue[f"{key}_one" if count == 1 else f"{key}_other"]
        return catalogue[key]

    def has(self, key: str) -> bool:
        """Whether there is such a text; all languages have the same ones."""
        return all(key in catalogue for catalogue in self.catalogues.values())


def preferred_language(*wishes: str, default: str) -> str:
    """The first language of ours that is wished for, else `default`.

    A wish is a header or a parameter: tags between commas or spaces, with weights or without.
    """
    for wish in wishes:
        for tag in _tags(wish[:LONGEST_WISH]):
            language = tag.partition("-")[0].lower()
            if language in LANGUAGES:
                return language
            if tag == "*":
                return default
    return default


def _tags(wish: str) -> Sequence[str]:
    """The best first; one of weight 0 is not wanted.

    Source: RFC 9110, section 12.5.4; OpenID Connect Core 1.0, section 3.1.2.1 (`ui_locales`, which has no weights).
    """
    weighed = [_weighed(part) for part in wish.replace(", ", ",").replace("; ", ";").replace(" ", ",").split(",")]
    return [tag for tag, weight in sorted(weighed, key=lambda pair: -pair[1]) if tag and weight > 0]


def _weighed(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, given = parameter.partition("=")
    if name.strip().lower() != "q":
        return tag.strip(), 1.0
    try:
        weight = float(given)
    except ValueError:
        return tag.strip(), 0.0
    return tag.strip(), weight if 0 <= weight <= 1 else 0.0
