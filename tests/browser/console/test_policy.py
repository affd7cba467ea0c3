"""A rule switched to report-only in a browser without scripts: whom it denied gets in from then on, and is counted."""

import time

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import Opened
from tests.console_place import Place
from tests.saved_policy import save_policy
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser
PATIENCE_SECONDS = 20.0
RULES = '[groups]\naway = ["{name}"]\n\n[[rule]]\nname = "away"\nwhen = {{ group = "away" }}\nthen = "deny"\n'


def may_come_in(place: Place, username: str) -> bool:
    with place.provider.http() as http:
        answer: httpx2.Response = http.post("/login", json={"username": username, "password": PASSWORD})
    return bool(answer.json()["allowed"])


def until_may(place: Place, username: str, wanted: bool) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while may_come_in(place, username) is not wanted:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_rule_is_tried_switched_and_counted(opened: Opened, place: Place, complaints: list[str]) -> None:
    """Tried on the past first, which shows who would get in; saved with a reason; the next does, and is counted."""
    person = place.provider.person()
    before = save_policy(place.provider.gateway, RULES.format(name=person.username))
    until_may(place, person.username, wanted=False)
    page = opened("admin", java_script_enabled=False)
    page.goto(f"{place.url}/dashboard/policy")
    page.get_by_label("away only reports").check()
    page.get_by_role("button", name="Try on the past").click()
    trial = page.get_by_role("region", name="Examples")
    expect(trial.get_by_text(person.username).first).to_be_visible()
    expect(page.get_by_role("region", name="Lines that differ")).to_contain_text("+ report_only = true")
    page.get_by_label("Why").fill("Counted for a week first")
    page.get_by_role("button", name=f"Save as version {before + 1}").click()
    expect(page.get_by_role("status")).to_contain_text(f"Version {before + 1} is in force")
    until_may(place, person.username, wanted=True)
    expect_would_have(page, place)
    page.get_by_role("link", name=str(before + 1), exact=True).click()
    expect(page.get_by_text("Counted for a week first")).to_be_visible()
    assert complaints == []


def expect_would_have(page: Page, place: Place) -> None:
    """Counts are kept for a moment, so the page is asked until it has the newest."""
    row = page.get_by_role("region", name="Rules", exact=True).locator("tbody tr").first
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        page.goto(f"{place.url}/dashboard/policy")
        if "would have: 1 denied" in row.inner_text():
            return
        assert time.monotonic() < deadline, row.inner_text()
        time.sleep(1.0)
