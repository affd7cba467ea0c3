"""Signing in at the gateway in a real browser, which keeps our strict cookie back when another site sends it here."""

import pytest
from playwright.sync_api import expect

from tests.browser.console.conftest import Opened
from tests.browser.place import enter_password
from tests.console_place import Place

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
def test_in_and_out_at_the_gateway(opened: Opened, place: Place, complaints: list[str], scripts: bool) -> None:
    """From a deep link by the gateway to that very page, and out at both."""
    person = place.people["analyst"]
    page = opened(None, java_script_enabled=scripts)
    page.goto(f"{place.url}/dashboard/drift?x=1")
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{place.provider.issuer}/**")
    enter_password(page, person.password, username=person.username)
    page.wait_for_url(f"{place.url}/dashboard/drift?x=1")
    expect(page.locator("details.person summary")).to_contain_text(person.username)
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{place.url}/operator/signed-out**")
    page.goto(f"{place.url}/dashboard")
    expect(page.get_by_text("Please sign in")).to_be_visible()
    assert complaints == []


def test_a_link_from_another_site_opens_its_page(opened: Opened, place: Place) -> None:
    """A message elsewhere links to a view: whoever is signed in sees it, and is not asked to sign in again."""
    page = opened("reader")
    page.goto(place.provider.issuer)
    page.evaluate(f"location.href = '{place.url}/dashboard/drift'")
    expect(page.get_by_role("heading", name="Does the model still fit?")).to_be_visible()
