"""The dashboard as a person meets it: signed in by a one-time link, live, and deaf to what strangers type."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.house import RunningHouse

pytestmark = pytest.mark.browser
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=1</script>'


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said: errors and violations of the content security policy."""
    return []


@pytest.fixture(params=[1280, 390])
def page(
    chromium: Browser, house: RunningHouse, complaints: list[str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A page of each width, signed in as an operator."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    page = context.new_page()

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(house.operator_link())
    page.get_by_role("button").first.click()
    page.wait_for_url("**/dashboard")
    yield page
    context.close()


def test_a_score_appears_live_and_as_text(page: Page, house: RunningHouse, complaints: list[str]) -> None:
    """A login scored now is on the screen without a reload, its markup shown as text and never run."""
    with house.scorer() as scorer:
        user = f"live-{page.viewport_size['width'] if page.viewport_size else 0}"
        scorer.post(
            "/score", json={"user_id": user, "ip": "198.51.100.7", "user_agent": MARKUP, "city": MARKUP}
        ).raise_for_status()
    expect(page.get_by_text(user).first).to_be_visible()
    assert page.title() != "1"
    assert page.locator("img[src=x]").count() == 0
    assert complaints == []


def test_the_page_fits_its_width(page: Page) -> None:
    """Nothing makes the page itself scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_rows_from_before_are_escaped_too(page: Page, house: RunningHouse, complaints: list[str]) -> None:
    """What was scored earlier comes with the page itself, escaped."""
    with house.scorer() as scorer:
        scorer.post(
            "/score", json={"user_id": "earlier", "ip": "198.51.100.7", "user_agent": MARKUP}
        ).raise_for_status()
    page.reload()
    expect(page.get_by_text("earlier").first).to_be_visible()
    assert page.title() != "1"
    assert complaints == []


def test_a_link_opens_once(chromium: Browser, house: RunningHouse) -> None:
    """A second browser with the same link is not let in."""
    link = house.house.operator_link()
    for expected in (True, False):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(link)
        button = page.get_by_role("button")
        if button.count():
            button.first.click()
        page.goto(f"{house.house.scorer_url}/dashboard")
        assert (page.locator("table").count() > 0) is expected
        context.close()
