"""Every page is held against the accessibility rules of WCAG 2.2 AA, in light and in dark, in both languages, on a desk
and on a phone; and can be used with the keyboard alone and without scripts.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.place import Place, enter_password, fits, running_place
from tests.browser.stations import CLIENTS, MAIL, NEW, furnish, stations
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "var" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
LEAST_STATIONS = 30
CARDS_IN_SHORT = 12
SMALLEST_TARGET = 24
TARGETS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
# Links inside a sentence are as high as its line (WCAG 2.2, success criterion 2.5.8, exception "inline").
SMALL = f"""() => [...document.querySelectorAll("{TARGETS}")].filter((each) => {{
  const {{ width, height }} = each.getBoundingClientRect();
  const isSeen = each.checkVisibility() && !each.closest("[aria-hidden=true]") && !each.matches(".skip");
  return isSeen && !each.closest("p") && (width < {SMALLEST_TARGET} || height < {SMALLEST_TARGET});
}}).map((each) => each.outerHTML.slice(0, 120))"""

# On the page, for a browser scrolls to the field that it puts the focus in.
WHERE = """() => {
  const { x, y } = document.querySelector("header.brand svg").getBoundingClientRect();
  return `${x} ${y + scrollY}`;
}"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Alice has every kind of second factor. Fresh for each test: who is asked too often and never answers has to
    wait."""
    with running_place(tmp_path / "state", CLIENTS, **MAIL) as place:
        furnish(place)
        yield place


def violations(page: Page) -> list[str]:
    """What axe-core finds; each with the element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", RULES)
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize(
    ("scheme", "language", "width"),
    [("light", "en", 1280), ("dark", "de", 390)],
)
def test_no_page_breaks_a_rule(chromium: Browser, place: Place, scheme: Any, language: str, width: int) -> None:
    """axe-core finds nothing, nothing has to be scrolled sideways, targets are large enough, and the browser's console
    has nothing to say."""
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, locale=language, reduced_motion="reduce"
    )
    page, wrong, seen = context.new_page(), list[str](), list[str]()

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of" not in message.text:
            wrong.append(message.text)

    page.on("console", heard)
    for name in stations(page, place):
        seen.append(name)
        wrong += [f"{name}: {each}" for each in violations(page)]
        wrong += [f"{name}: small {each}" for each in page.evaluate(SMALL)]
        wrong += [] if fits(page) else [f"{name}: is wider than the window"]
        wrong += [] if page.locator("html").get_attribute("lang") == language else [f"{name}: another language"]
    context.close()
    assert wrong == []
    assert len(seen) >= LEAST_STATIONS
    assert sorted(set(seen)) == sorted(seen)


@pytest.mark.long
def test_every_page_is_whole_from_390_to_1920_pixels_and_enlarged(chromium: Browser, place: Place) -> None:
    """320 pixels are 1280 at 400 per cent (WCAG 2.2, success criterion 1.4.10)."""
    context = chromium.new_context(viewport={"width": 1920, "height": 844})
    page, wrong = context.new_page(), list[str]()
    for name in stations(page, place):
        for width in (320, 390, 600, 768, 1024, 1920):
            page.set_viewport_size({"width": width, "height": 844})
            wrong += [] if fits(page) else [f"{name} at {width}"]
    context.close()
    assert wrong == []


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def context(chromium: Browser, place: Place, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that was never here."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=request.param)
    yield context
    context.close()


def test_the_keyboard_alone_signs_in_with_a_second_factor(context: BrowserContext, place: Place) -> None:
    """Name, password, another way, code: Tab, typing and Enter, and the focus can be seen wherever it is."""
    page = context.new_page()
    place.scorer.score = NEW
    page.goto(place.request())
    expect(page.locator("#username")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    other = page.get_by_role("button", name="Use your authenticator app")
    expect(other).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        expect(focused).to_have_css("outline-style", "solid")
        if focused.get_attribute("value") == "totp":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(place.code())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place.callback}?**")


def test_the_way_past_the_head_is_the_first_stop(context: BrowserContext, place: Place) -> None:
    """It shows itself when it is reached, and leads to the page's own part."""
    page = context.new_page()
    page.goto(f"{place.issuer}/sign-in/none")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_problem_leads_to_its_field(context: BrowserContext, place: Place) -> None:
    """The summary is announced, and its link puts the focus where the mistake is."""
    page = context.new_page()
    page.goto(place.request())
    enter_password(page, "wrong")
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("The user name or the password is wrong.")
    expect(page.locator("#password")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#password")).to_have_attribute("aria-describedby", "problem")
    alert.get_by_role("link").click()
    expect(page.locator("#password")).to_be_focused()
    expect(page).to_have_title("Problem: Sign in to Northwind Travel · riskgate")


def test_a_password_can_be_shown_and_is_sent_as_one(chromium: Browser, place: Place) -> None:
    """The button says what it will do; without scripts it is not there."""
    for has_scripts in (True, False):
        context = chromium.new_context(java_script_enabled=has_scripts)
        page = context.new_page()
        page.goto(place.request(login_hint="alice"))
        field, button = page.locator("#password"), page.get_by_role("button", name="Show password")
        expect(button).to_be_visible(visible=has_scripts)
        field.fill(PASSWORD)
        if has_scripts:
            button.click()
            expect(field).to_have_attribute("type", "text")
            expect(field).to_be_focused()
            expect(page.get_by_role("button", name="Hide password")).to_be_visible()
            page.evaluate("document.forms[0].addEventListener('submit', () => { window.name = password.type })")
        field.press("Enter")
        page.wait_for_url(f"{place.callback}?**")
        assert not has_scripts or page.evaluate("window.name") in {"password", ""}
        context.close()


def test_a_password_manager_fills_both_and_signs_in_at_once(context: BrowserContext, place: Place) -> None:
    """It finds a field for the password on the first page already; people and screen readers do not."""
    page = context.new_page()
    page.goto(place.request())
    hidden = page.locator("input[autocomplete=current-password]")
    assert hidden.get_attribute("tabindex") == "-1"
    assert hidden.get_attribute("aria-hidden") == "true"
    page.locator("#username").fill("alice")
    hidden.fill(PASSWORD)
    page.locator("#username").press("Enter")
    page.wait_for_url(f"{place.callback}?**")


def test_what_is_pasted_is_taken(chromium: Browser, place: Place) -> None:
    """Name, password and code, from wherever they were copied."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    place.scorer.score = NEW
    page.goto(place.request())

    def paste(text: str) -> None:
        page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        page.keyboard.press("Control+V")
        page.keyboard.press("Enter")

    expect(page.locator("#username")).to_be_focused()
    paste("alice")
    expect(page.locator("#password")).to_be_focused()
    paste(PASSWORD)
    page.locator("button[value=totp]").click()
    expect(page.locator("#code")).to_be_focused()
    paste(f" {place.code()[:3]} {place.code()[3:]} ")
    page.wait_for_url(f"{place.callback}?**")
    context.close()


def test_the_brand_keeps_its_place_from_card_to_card(chromium: Browser, place: Place, is_long: bool) -> None:
    """Nothing jumps, however high the next card is; in short, on the cards of signing in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 500})
    page, places = context.new_page(), set()
    for name in islice(stations(page, place), None if is_long else CARDS_IN_SHORT):
        if not name.startswith("account"):
            places.add(page.evaluate(WHERE))
    context.close()
    assert len(places) == 1
