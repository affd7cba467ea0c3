"""Somebody who opens the console for the first time comes to the riskiest login, and judges it, by what pages offer."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.console.conftest import Opened
from tests.console_place import Place

pytestmark = pytest.mark.browser
CLICKS = 4
"""Of which the third chooses one of the reasons that are offered; whoever types one needs none for it."""


def test_a_verdict_on_the_riskiest_login_is_four_clicks_away(opened: Opened, place: Place) -> None:
    """From the overview by the riskiest person, their worst login, what it is, and the button; the reason is typed."""
    page, clicks = opened("analyst"), list[str]()

    def click(where: Locator) -> None:
        clicks.append(where.inner_text())
        where.click()

    risky = page.locator(".panel", has=page.get_by_role("heading", name="Risky users now"))
    click(risky.get_by_role("link").filter(has_text="id-person").first)
    expect(page.locator("main .mark").first).to_contain_text("90.0 high")
    expect(page.locator("main header .chip").first).to_be_visible()
    expect(page.get_by_text("They add up to the score")).to_be_visible()
    verdict = page.get_by_label("It is")
    clicks.append("verdict")
    verdict.select_option("confirmed_compromised")
    offered = page.locator("#whys option").first.get_attribute("value") or ""
    clicks.append(offered)
    page.get_by_label("Why").fill(offered)
    click(page.get_by_role("button", name="Judge"))
    expect(page.locator(".flash")).to_contain_text("learn from it")
    expect(page.locator("main")).to_contain_text("confirmed compromised")
    assert len(clicks) <= CLICKS, clicks
