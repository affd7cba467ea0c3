"""An operator's colour is one that can be read."""

import pytest

from auth_gateway.core.brand import (
    DARK_GROUND,
    DEFAULT_COLOUR,
    LEAST_CONTRAST,
    LIGHT_GROUND,
    Brand,
    contrast,
    dark_accent,
    light_accent,
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#ffffff", "#000000", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, expected: float) -> None:
    """Figures that published checkers show for these pairs, whichever comes first."""
    assert contrast(one, other) == pytest.approx(expected, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


def test_the_last_grey_that_can_be_read_is_taken_and_the_next_is_not() -> None:
    """Both sides of 4.5:1 on white."""
    assert light_accent("#767676").colour == "#767676"
    with pytest.raises(ValueError, match=r"contrast of 4\.5:1 with white, and text needs 4\.5:1; choose a darker"):
        light_accent("#777777")


@pytest.mark.parametrize("colour", ["", "blue", "#12", "#12345g", "1f4fd8", "#1f4fd8;}", "#1f4fd8\n", "#1f4fd800"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    """It goes into a style sheet, so nothing but six digits does."""
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        light_accent(colour)


@pytest.mark.parametrize("colour", ["#000000", "#1f4fd8", "#7a0019", "#0b6e4f", "#5b21b6", "#767676"])
def test_every_colour_that_is_taken_can_be_read_on_both_grounds(colour: str) -> None:
    """As a link, and under a button's text."""
    light, dark = light_accent(colour), dark_accent(colour)
    assert contrast(light.colour, LIGHT_GROUND) >= LEAST_CONTRAST
    assert contrast(dark.colour, DARK_GROUND) >= LEAST_CONTRAST
    assert contrast(light.text, light.colour) >= LEAST_CONTRAST
    assert contrast(dark.text, dark.colour) >= LEAST_CONTRAST


def test_the_pages_own_colour_passes_its_own_check() -> None:
    """The default is what an operator would get by naming it."""
    assert Brand().light == light_accent(DEFAULT_COLOUR)
    assert Brand().dark == dark_accent(DEFAULT_COLOUR)
