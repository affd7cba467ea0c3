"""Whatever strangers type runs in no browser and forges no line of a log, at either service."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request

from tests.browser.console.conftest import Opened
from tests.canaries import CANARIES
from tests.console_place import Place

pytestmark = pytest.mark.browser
SHOWN = [canary for canary in CANARIES if "\0" not in canary.text]
RAN = "Object.keys(window).filter((name) => name.startsWith('cnry'))"
THEIRS = "[...document.querySelectorAll('*')].filter((each) => /cnry/.test(each.tagName + each.id)).length"


@pytest.fixture(scope="module")
def told(place: Place) -> Place:
    """Each canary is in every field of a login, in names and headers at the gateway, and in addresses of both."""
    with place.scorer.client(place.scorer.credential(name="canaries")) as client:
        names = ("user_id", "event_id", "user_agent", "device_id", "ja4", "country", "region", "city")
        more = {"ip": "203.0.113.9", "ip_rep": 100.0}
        logins = [{**dict.fromkeys(names, canary.text[:120]), **more} for canary in SHOWN]
        client.post("/bulk_score", json={"events": logins}).raise_for_status()
    with place.provider.http() as http:
        for canary in CANARIES[::20]:
            header = canary.text.encode("latin-1", "replace").translate(None, bytes({*range(32), 127}))
            body = {"username": canary.text, "password": canary.text}
            http.post("/login", json=body, headers={"user-agent": header.strip() or b"x"})
            http.get(f"/authorize?client_id={quote(canary.text)}&state={quote(canary.text)}")
            http.get(f"/{quote(canary.text, safe='')}")
    return place


def test_no_canary_runs_in_a_browser(opened: Opened, told: Place, pages: list[str], complaints: list[str]) -> None:
    """In no page of the table, nor further down the sign-ins: no script, no element, no dialog, no other origin."""
    page, foreign, dialogs = opened("admin"), list[str](), list[str]()

    def gone(request: Request) -> None:
        foreign.extend([request.url] if not request.url.startswith((told.url, "data:")) else [])

    page.on("request", gone)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in (*pages, *further(page, told)):
        page.goto(told.url + path)
        page.keyboard.press("j")
        assert page.evaluate(RAN) == [], path
        assert page.evaluate(THEIRS) == 0, path
    assert (foreign, dialogs, complaints) == ([], [], [])


def further(page: Page, told: Place) -> Iterator[str]:
    """The rest of the table, page after page, and some logins by themselves."""
    path: str | None = "/dashboard/sign-ins?limit=100"
    while path:
        yield path
        path = (
            page.locator("a[href*='before=']").first.get_attribute("href")
            if page.locator("a[href*='before=']").count()
            else None
        )
    for canary in islice(SHOWN, 0, None, 20):
        yield f"/dashboard/sign-ins/{quote(canary.text[:120], safe='')}"
        yield f"/dashboard/sign-ins?user={quote(canary.text[:120], safe='')}"


def test_each_line_of_either_log_is_one_object(told: Place) -> None:
    """None is cut in two or added by what somebody typed, and no sign in it moves a terminal."""
    for log in (told.provider.log, Path(told.scorer.place) / "scorer.log"):
        lines = re.sub("^auth-gateway: ready on .*\n", "", log.read_text(), flags=re.M).split("\n")
        assert lines.pop() == ""
        assert len(lines) > 3, log.name
        for line in lines:
            assert set(json.loads(line)) >= {"event", "level", "timestamp"}, line
            assert not any(0x7F <= ord(sign) <= 0x9F or ord(sign) < 0x20 for sign in line), line
            assert '"event": "forged"' not in line
            assert not any(sign in line for sign in "\u2028\u2029\u202e\u2066"), line
