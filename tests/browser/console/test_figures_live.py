"""The overview's figures while its page stays open: looked at again while somebody can see them."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.console.conftest import Opened
from tests.console_place import Place

pytestmark = pytest.mark.browser
HIDE = "Object.defineProperty(document, 'hidden', { get: () => window.away === true })"
EVERY_MS = 10_000


def test_figures_are_put_anew_and_stand_still_when_nobody_looks(
    opened: Opened, place: Place, complaints: list[str]
) -> None:
    """Every ten seconds, each part by its name and the ground of the map as it was; not while the page is paused or out
    of sight."""
    page, asked = opened("reader"), list[str]()

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        body = route.fetch().text().replace("What needs attention", f"Looked at {len(asked)}")
        route.fulfill(body=body, content_type="text/html")

    page.route("**/dashboard/figures?fragment=1", answer)
    page.add_init_script(HIDE)
    page.clock.install()
    page.goto(place.url + "/dashboard")
    expect(page.get_by_role("heading", name="What needs attention")).to_be_visible()
    ground = page.locator(".ground path").get_attribute("d")
    page.clock.fast_forward(EVERY_MS)
    expect(page.get_by_role("heading", name="Looked at 1")).to_be_visible()
    assert page.locator(".ground path").get_attribute("d") == ground
    page.get_by_role("button", name="Pause").click()
    page.clock.fast_forward(3 * EVERY_MS)
    page.get_by_role("button", name="Resume").click()
    page.evaluate("window.away = true")
    page.clock.fast_forward(3 * EVERY_MS)
    assert len(asked) == 1
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("heading", name="Looked at 2")).to_be_visible()
    assert complaints == []
