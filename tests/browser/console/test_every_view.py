"""Every page of the console's table: held against WCAG 2.2 AA in light and dark from 390 to 1920 pixels, read without
scripts, small enough, and quiet in the browser's own console. A view is covered by being in the table.
"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import Opened
from tests.browser.place import fits
from tests.browser.test_pages import SMALL, violations
from tests.console_place import Place

pytestmark = pytest.mark.browser
MOST_BYTES = 150_000


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 390), pytest.param("dark", 1920, marks=pytest.mark.long)]
)
def test_no_view_breaks_a_rule(
    opened: Opened, place: Place, pages: list[str], complaints: list[str], scheme: Any, width: int
) -> None:
    """axe-core finds nothing, nothing has to be scrolled sideways, targets are large enough, no policy is broken."""
    page = opened("admin", viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    wrong = list[str]()
    for path in pages:
        page.goto(place.url + path)
        wrong += [f"{path}: {each}" for each in violations(page)]
        wrong += [f"{path}: small {each}" for each in page.evaluate(SMALL)]
        wrong += [] if fits(page) else [f"{path}: is wider than the window"]
        assert page.title() != "1", path
    assert "\n".join(wrong + complaints) == ""


def test_every_view_is_read_without_scripts(opened: Opened, place: Place, pages: list[str]) -> None:
    """A heading and what belongs to it, and the way to every other view."""
    page = opened("admin", java_script_enabled=False)
    for path in pages:
        page.goto(place.url + path)
        expect(page.locator("main h1")).to_have_count(1)
        assert len(page.locator("main").inner_text()) > 40, path
        assert page.locator("nav.side a").count() >= 2, path


def test_a_first_view_is_small(opened: Opened, place: Place, pages: list[str]) -> None:
    """Everything that a browser loads for it together, with an empty cache."""
    context = opened("admin").context
    for path in pages:
        page, brought = context.new_page(), list[Any]()
        context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.on("response", lambda response, brought=brought: brought.append(response))
        page.goto(place.url + path, wait_until="load")
        loaded = [size(response) for response in tuple(brought)]
        assert len(loaded) > 2, path  # with its style and its script, each time anew
        assert sum(loaded) < MOST_BYTES, (path, sum(loaded))
        page.close()


def size(response: Any) -> int:
    """Bytes of what it brought; a feed has no end, and the way to another page brings nothing."""
    is_bodiless = "event-stream" in response.headers.get("content-type", "") or 300 <= response.status < 400
    return 0 if is_bodiless else len(response.body())


def test_the_keyboard_goes_everywhere(opened: Opened, place: Place, complaints: list[str]) -> None:
    """Rows by j and k, views by g and a letter, help by the question mark; off when single keys are switched off."""
    page = opened("reader")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert chosen(page) == 1
    page.keyboard.press("k")
    assert chosen(page) == 0
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(f"{place.url}/dashboard/drift")
    page.keyboard.press("?")
    page.get_by_label("Single keys do this").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()
    assert page.url == f"{place.url}/dashboard/drift"
    assert complaints == []


def chosen(page: Page) -> int:
    found: int = page.evaluate(
        "[...document.querySelectorAll('#main [data-row]')].findIndex((row) => row.hasAttribute('aria-current'))"
    )
    return found


def test_tab_and_enter_are_enough(opened: Opened, place: Place) -> None:
    """Past the frame by the skip link, and from view to view by links."""
    page = opened("reader")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("nav.side a", has_text="Drift").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place.url}/dashboard/drift")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_session_is_veiled_and_made_dark_by_its_person(opened: Opened, place: Place, scripts: bool) -> None:
    """Both by forms in the frame, back at the same page, for this session alone."""
    page = opened("reader", java_script_enabled=scripts)
    expect(page.get_by_text("198.51.100.7", exact=True).first).to_be_visible()
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Veil addresses").click()
    expect(page.get_by_text("198.51.100.•", exact=True).first).to_be_visible()
    assert "198.51.100.7" not in page.locator("main").inner_text()
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    other = opened("reader")
    expect(other.get_by_text("198.51.100.7", exact=True).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_notice_breaks_a_rule(opened: Opened, place: Place, complaints: list[str], scheme: Any) -> None:
    """What those are told who are not in, and how they get in."""
    page = opened(None, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    wrong = list[str]()
    for path in ("/dashboard", "/operator/sign-in?token=x", "/operator/signed-out", "/operator/callback?state=x"):
        page.goto(place.url + path)
        wrong += [f"{path}: {each}" for each in violations(page)]
        wrong += [f"{path}: small {each}" for each in page.evaluate(SMALL)]
        wrong += [] if fits(page) else [f"{path}: is wider than the window"]
    assert "\n".join(wrong + complaints) == ""


def test_a_form_that_is_on_its_way_is_sent_once(opened: Opened, place: Place) -> None:
    """Who clicks twice is not told that the second was refused; another form goes out all the same."""
    page = opened("reader")
    page.evaluate(
        "window.kept = []; addEventListener('submit', (event) => {"
        " kept.push(event.defaultPrevented); event.preventDefault(); })"
    )
    page.locator("details.person summary").click()
    for words in ("Dark", "Dark", "Veil addresses"):
        page.get_by_role("button", name=words, exact=True).click()
    assert page.evaluate("kept") == [False, True, False]
