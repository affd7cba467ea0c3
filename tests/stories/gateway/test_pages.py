"""Pages in the reader's language and in the operator's colours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from auth_gateway.opening import CannotStart
from tests.stories.gateway.relying_party import ISSUER, Browser, registered
from tests.stories.gateway.story import Story

Starting = Callable[..., Story]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def provider(start: Starting, **given: object) -> Story:
    story = start(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **given)
    registered(story)
    return story


@pytest.mark.parametrize(
    ("asked", "header", "expected"),
    [
        ({}, "de-DE,de;q=0.9,en;q=0.5", "de"),
        ({}, "fr", "en"),
        ({}, "", "en"),
        ({"ui_locales": "de"}, "en", "de"),
        ({"ui_locales": "fr-FR de"}, "en", "de"),
        ({"ui_locales": "fr"}, "de", "de"),
        ({"ui_locales": "x" * 5000}, "de", "de"),
    ],
)
def test_a_page_speaks_the_language_that_is_wished_for(
    story_with: Starting, asked: dict[str, str], header: str, expected: str
) -> None:
    """The application's wish first, then the browser's."""
    browser = Browser(provider(story_with))
    browser.authorize(**asked)
    page = browser.ask("GET", browser.where, headers={"accept-language": header})
    assert f'<html lang="{expected}">' in page.text
    assert {"en": "Sign in", "de": "Anmelden"}[expected] in page.text


def test_whoever_wishes_for_nothing_reads_the_operators_language(story_with: Starting) -> None:
    """LANGUAGE=de."""
    page = Browser(provider(story_with, language="de")).authorize()
    assert '<html lang="de">' in page.text


def test_a_language_that_is_chosen_on_the_page_stays(story_with: Starting) -> None:
    """It beats the browser's, for this page and the next ones."""
    browser = Browser(provider(story_with))
    browser.authorize(ui_locales="en")
    assert '<a href="?language=de" lang="de" hreflang="de">Deutsch</a>' in browser.ask("GET", browser.where).text
    chosen = browser.ask("GET", f"{browser.where}?language=de", headers={"accept-language": "en"})
    assert '<html lang="de">' in chosen.text
    assert browser.cookies["language"] == "de"
    assert chosen.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert '<html lang="de">' in browser.post(username="alice").text


@pytest.mark.parametrize("given", ["fr", "", "DE", "de;x", '"><b>'])
def test_a_language_that_is_none_of_ours_changes_nothing(story_with: Starting, given: str) -> None:
    """Not the page, not the cookie, and it is not repeated."""
    browser = Browser(provider(story_with))
    browser.authorize()
    page = browser.ask("GET", browser.where, params={"language": given})
    assert '<html lang="en">' in page.text
    assert "language" not in browser.cookies
    assert "<b>" not in page.text
    assert '<html lang="en">' in browser.ask("GET", browser.where, headers={"cookie": f"language={given}"}).text


def test_refusals_and_errors_speak_it_too(story_with: Starting) -> None:
    """A page that is over, an unknown application, a form of another site."""
    story = provider(story_with)
    german = {"accept-language": "de"}
    assert "Bitte von vorn beginnen" in story.ask("GET", "/sign-in/x", headers=german).text
    assert "ist nicht bekannt" in story.ask("GET", "/authorize?client_id=nobody", headers=german).text
    assert "Dieses Formular kam nicht" in story.ask("POST", "/device", data={"x": "y"}, headers=german).text


def test_what_only_english_knows_is_marked_as_english(story_with: Starting) -> None:
    """An error that is for the application's makers, with words for its person around it."""
    story = provider(story_with)
    page = story.ask(
        "GET", f"{ISSUER}/authorize?client_id=app&redirect_uri=https://x.example", headers={"accept-language": "de"}
    )
    assert "Das geht so nicht" in page.text
    assert '<p lang="en">The application that sent you here gave an address' in page.text


def test_a_page_runs_nothing_but_our_own_files(story_with: Starting) -> None:
    """No inline script, style or handler; what is loaded is there, is kept for long, and changes its address."""
    story = provider(story_with)
    browser = Browser(story)
    text = browser.authorize(login_hint="alice").text
    assert not any(sign in text for sign in ("<style", " style=", " onclick=", " onsubmit=", "javascript:"))
    for name in ("pages.css", "brand.css", "show-password.js"):
        address = text.partition(f"/assets/{name}?v=")[2][:12]
        asset = story.ask("GET", f"/assets/{name}?v={address}")
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["nothing.css", "..%2fpages%2fstatic%2fpages.css", "pages.html", "%00", "logo.svg", "pages.css%00"]
)
def test_an_asset_that_is_not_on_the_list_is_none(story_with: Starting, name: str) -> None:
    """A name is looked up and never opened."""
    assert provider(story_with).ask("GET", f"/assets/{name}").status_code == 404


def test_an_operators_name_and_colour_are_on_every_page(story_with: Starting) -> None:
    """The name is text; the colour is in a style sheet of its own, for light and for dark."""
    story = provider(story_with, brand_name="Äpfel & Co", brand_colour="#7A0019")
    page = Browser(story).authorize()
    assert "<title>Sign in to Example App · Äpfel &amp; Co</title>" in page.text
    style = story.ask("GET", "/assets/brand.css").text
    assert ":root{--accent:#7a0019;--on-accent:#ffffff}" in style
    assert "@media (prefers-color-scheme: dark)" in style


@pytest.mark.parametrize(
    ("content", "name", "kind"), [(SVG, "logo.svg", "image/svg+xml"), (PNG, "logo.png", "image/png")]
)
def test_an_operators_logo_is_drawn_and_cannot_run(
    story_with: Starting, tmp_path: Path, content: bytes, name: str, kind: str
) -> None:
    """Named by the brand for who does not see it; opened by itself, it is in a sandbox."""
    logo = tmp_path / "logo"
    logo.write_bytes(content)
    story = provider(story_with, brand_logo=logo, brand_name="Acme")
    assert f'<img src="/assets/{name}?v=' in Browser(story).authorize().text
    served = story.ask("GET", f"/assets/{name}")
    assert (served.status_code, served.headers["content-type"], served.content) == (200, kind, content)
    assert "sandbox" in served.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a", "must be an SVG or a PNG file"),
        (b"", "must be an SVG or a PNG file"),
        (SVG + b" " * 262_144, "is larger than 256 KiB"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_logo_that_is_none_stops_the_start(
    story_with: Starting, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """In one line that names the setting."""
    logo = tmp_path / "logo"
    if content is not None:
        logo.write_bytes(content)
    with pytest.raises(CannotStart, match=f"^BRAND_LOGO {reason}$"):
        provider(story_with, brand_logo=logo)
