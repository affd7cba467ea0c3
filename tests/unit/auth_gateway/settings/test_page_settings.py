"""What an operator may say about the pages, and what is refused at the start."""

import pytest

from auth_gateway.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRAND_NAME", "BRAND_LOGO", "BRAND_COLOUR", "LANGUAGE", "AUTH_GATEWAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_the_pages_are_ours_and_english() -> None:
    """The defaults are readable and need no file."""
    settings = load_settings()
    assert (settings.brand_name, settings.brand_logo, settings.language) == ("riskgate", None, "en")


def test_a_colour_that_cannot_be_read_stops_the_start_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the setting, what was measured, what is needed and what to do."""
    monkeypatch.setenv("BRAND_COLOUR", "#ffcc00")
    expected = r"^BRAND_COLOUR: has a contrast of 1\.5:1 with white, and text needs 4\.5:1; choose a darker colour$"
    with pytest.raises(SettingsError, match=expected):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRAND_COLOUR", "darkblue"),
        ("BRAND_COLOUR", "#123;}body{"),
        ("BRAND_NAME", "x" * 65),
        ("LANGUAGE", "fr"),
        ("LANGUAGE", "DE"),
    ],
)
def test_what_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The line names the setting and shows no value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as refused:
        load_settings()
    assert value not in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("BRAND_NAME", "x" * 64), ("BRAND_COLOUR", "#767676"), ("LANGUAGE", "de")])
def test_what_is_one_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The longest name, the lightest grey, the other language."""
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == value
