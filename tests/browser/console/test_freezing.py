"""An analyst signs in at the gateway, freezes somebody from the page about them, and lets them in again."""

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import Opened
from tests.browser.place import enter_password, follow
from tests.console_place import Place
from tests.running_provider import Person

pytestmark = pytest.mark.browser


def signed_in(http: httpx2.Client, person: Person) -> str:
    """A refresh token of theirs, from an application's own login."""
    answer = http.post("/login", json={"username": person.username, "password": person.password})
    token: str = answer.json()["tokens"]["refresh_token"]
    return token


def refreshed(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.post("/token", json={"grant_type": "refresh_token", "refresh_token": token})


def act(page: Page, words: str, reason: str) -> None:
    """By the form of that name, which asks why first."""
    form = page.locator("details.act", has=page.locator("summary", has_text=words)).first
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    form.get_by_label("Why").fill(reason)
    with page.expect_navigation():
        form.get_by_role("button", name=words).click()


def test_whom_an_analyst_freezes_is_out_until_they_open_the_account(
    opened: Opened, place: Place, complaints: list[str]
) -> None:
    """The second factor is asked for once; refresh and password are refused at once, and the audit says who and why."""
    analyst, person = place.people["analyst"], place.provider.person()
    address = f"{place.url}/dashboard/users/id-{person.username}"
    with place.provider.http() as http:
        token = str(refreshed(http, signed_in(http, person)).json()["refresh_token"])
        page = opened(None)
        page.goto(address)
        page.get_by_role("link", name="Sign in").click()
        page.wait_for_url(f"{place.provider.issuer}/**")
        enter_password(page, analyst.password, username=analyst.username)
        page.wait_for_url(address)
        act(page, "Freeze", "the phone was stolen")
        page.wait_for_url(f"{place.provider.issuer}/**")
        page.locator("#code").fill(place.code(analyst))
        follow(page, "form:has(#code) button[type=submit]")
        page.wait_for_url(address)
        act(page, "Freeze", "the phone was stolen")
        expect(page.locator(".flash")).to_contain_text("The account is frozen")
        expect(page.locator("header .mark.high")).to_have_text("frozen")
        assert refreshed(http, token).status_code == 400
        body = {"username": person.username, "password": person.password}
        assert http.post("/login", json=body).status_code == 401

        act(page, "Unfreeze", "spoke to her")
        expect(page.locator(".flash")).to_contain_text("The account is open again")
        again = refreshed(http, signed_in(http, person))
        assert again.status_code == 200
    page.goto(f"{place.url}/dashboard/audit?subject=id-{person.username}")
    for part in ("account.freeze", "account.unfreeze", "the phone was stolen", "spoke to her", analyst.username):
        expect(page.locator("main table")).to_contain_text(part)
    assert complaints == []
