"""The card that waits for an MFA system, in a real browser: by itself and without a script it goes on after a yes, and
it breaks no rule of accessibility on a phone.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.place import Place, enter_password, fits, running_place
from tests.browser.test_pages import SMALL, violations
from tests.stories.gateway.mfa_system import GIVEN, SECRET
from webhooks.signing import parse_secret, standard_signer

pytestmark = pytest.mark.browser


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Alice has no factor but the MFA system's, and an application asks for her."""
    with running_place(tmp_path / "state", {"app": {"client_name": "Northwind Travel"}}, **GIVEN) as place:
        place.scorer.score = 65.0
        yield place


def approve(page: Page, place: Place) -> httpx2.Response:
    """The MFA system says yes, with the number that the page shows."""
    with place.gateway.database.engine.connect() as connection:
        told = connection.exec_driver_sql("SELECT body FROM outbox WHERE endpoint = 'mfa'").scalar_one()
    challenge_id = json.loads(told)["data"]["challenge_id"]
    said = {"challenge_id": challenge_id, "verdict": "approved", "number": page.locator(".shown-code").inner_text()}
    body = json.dumps(said).encode()
    headers = standard_signer([parse_secret(SECRET)])("msg_1", int(time.time()), body)
    return httpx2.post(f"{place.issuer}/mfa/challenges/{challenge_id}/verdict", content=body, headers=dict(headers))


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_card_goes_on_by_itself(chromium: Browser, place: Place, has_scripts: bool) -> None:
    """Nobody touches the page after the password."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto(place.request())
    enter_password(page)
    assert fits(page)
    assert approve(page, place).status_code == 200
    page.wait_for_url(re.compile(re.escape(place.callback)), timeout=15_000)
    context.close()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("de", "dark")])
def test_the_card_breaks_no_rule(chromium: Browser, place: Place, language: str, scheme: Any) -> None:
    """Also while it stands still, which whoever needs the time can have."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, locale=language)
    page = context.new_page()
    page.goto(place.request())
    enter_password(page)
    page.locator("a[href*='still=1']").click()
    page.wait_for_url("**still=1")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert fits(page), width
    assert violations(page) == []
    assert page.evaluate(SMALL) == []
    assert page.locator("html").get_attribute("lang") == language
    context.close()
