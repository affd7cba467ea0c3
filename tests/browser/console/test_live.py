"""Live tables in a real browser: rows come by themselves, and never move under a hand."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import Opened
from tests.console_place import Place

pytestmark = pytest.mark.browser
HAND = "[document.activeElement.tagName, document.activeElement.href, String(getSelection())].join()"
HELD: list[Callable[[Page], object]] = [
    lambda page: page.locator("#rows a").first.focus(),
    lambda page: page.locator("#rows input[type=checkbox]").first.check(),
    lambda page: page.evaluate("getSelection().selectAllChildren(document.querySelector('#rows td:nth-child(3)'))"),
    lambda page: page.keyboard.press("j"),
]
"""What a hand does: by the keyboard, by a tick, by selecting text, by stepping to a row."""


@pytest.fixture(scope="module")
def client(place: Place) -> Iterator[Any]:
    """A service that scores, made before any page is opened."""
    with place.scorer.client(place.scorer.credential(name="live")) as found:
        yield found


def score(client: Any, *users: str, **fields: object) -> None:
    for user in users:
        event = {"user_id": user, "ip": "198.51.100.7", "user_agent": "Mozilla/5.0", **fields}
        client.post("/score", json=event).raise_for_status()


def first(page: Page) -> str:
    return page.locator("#rows tr").first.inner_text()


def test_rows_come_by_themselves_as_far_as_the_filter_asks(
    client: Any, opened: Opened, place: Place, complaints: list[str]
) -> None:
    """The first page and the sign-ins, with a filter and without; as text, and no more rows than a page keeps. What
    came to an empty page is judged there."""
    pages = {path: opened("analyst") for path in ("", "/sign-ins", "/sign-ins?level=high", "/sign-ins?text=live-")}
    for path, page in pages.items():
        page.goto(f"{place.url}/dashboard{path}")
        expect(page.locator("#status")).to_have_text("Live")
    score(client, "live-<b>low", "other")
    score(client, "live-high", ip_rep=100.0)
    for path, user in (("", "live-<b>low"), ("/sign-ins", "live-high"), ("/sign-ins?text=live-", "live-<b>low")):
        expect(pages[path].locator("#rows").get_by_text(user, exact=True)).to_be_visible()
    began_empty = pages["/sign-ins?text=live-"]
    began_empty.locator("#rows input[type=checkbox]").last.check()
    began_empty.get_by_label("The chosen ones are").select_option("confirmed_safe")
    began_empty.get_by_label("Why").fill("it was a test")
    began_empty.get_by_role("button", name="Judge").click()
    expect(began_empty.get_by_text("1 sign-in: confirmed safe.")).to_be_visible()
    high = pages["/sign-ins?level=high"].locator("#rows")
    expect(high.get_by_text("live-high", exact=True)).to_be_visible()
    expect(high.get_by_text("live-<b>low", exact=True)).to_have_count(0)
    expect(pages["/sign-ins?text=live-"].get_by_text("other", exact=True)).to_have_count(0)
    assert complaints == []


@pytest.mark.parametrize("hand", HELD, ids=["focus", "tick", "selection", "step"])
def test_no_row_moves_under_a_hand(client: Any, opened: Opened, place: Place, hand: Callable[[Page], object]) -> None:
    """New ones are counted until somebody asks for them; then they are there, and the keyboard is in the table."""
    page = opened("analyst")
    page.goto(f"{place.url}/dashboard/sign-ins")
    expect(page.locator("#status")).to_have_text("Live")
    before = first(page)
    hand(page)
    focused = page.evaluate(HAND)
    score(client, "held-1", "held-2")
    expect(page.get_by_role("button", name="2 newer")).to_be_visible()
    assert first(page) == before
    assert page.evaluate(HAND) == focused
    page.get_by_role("button", name="2 newer").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rows tr").first).to_contain_text("held-2")
    assert page.evaluate("document.activeElement.id") == "scored"


def test_a_pause_holds_everything_until_it_ends(client: Any, opened: Opened) -> None:
    """By the key as well."""
    page = opened("reader")
    expect(page.locator("#status")).to_have_text("Live")
    page.keyboard.press("p")
    expect(page.locator("#status")).to_have_text("Paused")
    score(client, "paused-1")
    expect(page.get_by_role("button", name="1 newer")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#rows").get_by_text("paused-1", exact=True)).to_be_visible()


def test_more_than_anybody_can_read_is_folded_and_kept_small(client: Any, opened: Opened) -> None:
    """Hundreds at once: a count, then the newest of them, and never more rows than the page keeps."""
    page = opened("reader")
    expect(page.locator("#status")).to_have_text("Live")
    for start in range(0, 300, 100):
        events = [{"user_id": f"crowd-{start + n}", "ip": "198.51.100.7"} for n in range(100)]
        client.post("/bulk_score", content=json.dumps({"events": events, "announce": True})).raise_for_status()
    expect(page.locator("#status")).to_have_text("Live, folded: too many to read")
    expect(page.get_by_role("button", name="Follow all")).to_be_visible()
    newer = page.get_by_role("button", name="300 newer")
    expect(newer).to_be_visible()
    newer.click()
    expect(page.locator("#rows tr").first).to_contain_text("crowd-299")
    assert page.locator("#rows tr").count() == 100


TUCKED = """() => {
  const rows = document.getElementById("rows");
  window.laidOut = [];
  new MutationObserver(() => {
    window.laidOut.push(rows.querySelectorAll("tr:not([hidden])").length);
  }).observe(rows, { attributes: true, childList: true, subtree: true, attributeFilter: ["hidden"] });
}"""


def test_a_crowd_that_is_followed_is_laid_out_as_far_as_it_is_seen(client: Any, opened: Opened) -> None:
    """Thirty rows of the hundred in the table, so that a browser keeps up; all of them once it is calm again."""
    page = opened("reader")
    expect(page.locator("#status")).to_have_text("Live")
    page.evaluate(TUCKED)

    def crowd(name: str) -> None:
        events = [{"user_id": f"{name}-{number}", "ip": "198.51.100.7"} for number in range(100)]
        client.post("/bulk_score", content=json.dumps({"events": events, "announce": True})).raise_for_status()

    crowd("before")
    page.get_by_role("button", name="Follow all").click()
    crowd("followed")
    expect(page.locator("#rows tr").first).to_contain_text("followed-99")
    expect(page.locator("#rows tr:not([hidden])")).to_have_count(100)
    assert 30 in page.evaluate("window.laidOut")
