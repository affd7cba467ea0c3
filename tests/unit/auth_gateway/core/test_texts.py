"""Texts by key, and the choice of a language."""

import pytest

from auth_gateway.core.texts import LONGEST_WISH, Texts, preferred_language

TEXTS = Texts(
    {
        "en": {
            "room.one": "One",
            "room.left_one": "{count} code",
            "room.left_other": "{count} codes",
            "room.odd": "Odd",
        },
        "de": {"room.one": "Eins", "room.left_one": "{count} Code", "room.left_other": "{count} Codes"},
    }
)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (["de"], "de"),
        (["de-AT, en;q=0.8"], "de"),
        (["en;q=0.8, de-CH"], "de"),
        (["en;q=0.8,de;q=0.9"], "de"),
        (["fr, de;q=0.1"], "de"),
        (["fr, it"], "en"),
        (["*"], "en"),
        (["*, de"], "en"),
        (["de;q=0, en"], "en"),
        (["de;q=0"], "en"),
        (["de;q=2"], "en"),
        (["de;q=nan"], "en"),
        (["de;q=x"], "en"),
        (["fr de en"], "de"),
        (["DE"], "de"),
        ([""], "en"),
        (["", "de"], "de"),
        (["fr", "de"], "de"),
        (["en", "de"], "en"),
        (["deutsch"], "en"),
        (["\x00;;=,,q"], "en"),
        ([" " * LONGEST_WISH + "de"], "en"),
    ],
)
def test_the_first_language_of_ours_that_is_wished_for_is_spoken(wishes: list[str], expected: str) -> None:
    """A header with weights, a parameter without; nonsense wishes for nothing."""
    assert preferred_language(*wishes, default="en") == expected


def test_whoever_wishes_for_none_of_ours_gets_the_operators() -> None:
    """The default is an argument, not English."""
    assert preferred_language("fr", "*", default="de") == "de"


@pytest.mark.parametrize(("count", "expected"), [(0, "{count} Codes"), (1, "{count} Code"), (2, "{count} Codes")])
def test_a_number_chooses_its_form(count: int, expected: str) -> None:
    """One, and others."""
    assert TEXTS.text("de", "room.left", count) == expected


def test_a_missing_text_is_a_fault_and_not_an_empty_page() -> None:
    """A key that nobody wrote a text for, and one that a language lacks."""
    with pytest.raises(KeyError):
        TEXTS.text("en", "room.none")
    assert TEXTS.has("room.one")
    assert not TEXTS.has("room.odd")
