"""The texts for people as they are kept: one TOML file for each room and language, `texts/{language}/{room}.toml`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from auth_gateway.core.texts import LANGUAGES, Texts

PLACE: Final = Path(__file__).parents[1] / "pages" / "texts"


@cache
def shipped_texts() -> Texts:
    """The texts that come with the gateway."""
    return read_texts(PLACE)


def read_texts(place: Path) -> Texts:
    """Every room's texts in every language, by `room.key`."""
    return Texts({language: _language(place / language) for language in LANGUAGES})


def _language(place: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in sorted(place.glob("*.toml")):
        for key, text in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if not isinstance(text, str):
                raise TypeError(f"{file.name}: {key} is no text")
            texts[f"{file.stem}.{key}"] = text
    return texts
