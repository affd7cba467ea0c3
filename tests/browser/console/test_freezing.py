"""An analyst signs in at the gateway, freezes somebody from the page about them, and lets them in again."""

import time
from contextlib import closing

import httpx2
import pytest
from playwright.sync_api import Page, expect

from risk_scorer.adapters.activity.campaign_rows import WRITE_MEMBER
from risk_scorer.adapters.storage import FILE_NAME, open_database
from tests.browser.console.conftest import Opened
from tests.browser.place import enter_password, follow
from tests.console_place import Place
from tests.integration.risk_scorer.console.crowded import CAMPAIGN
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


def test_accounts_of_a_campaign_are_frozen_one_after_the_other(
    opened: Opened, place: Place, complaints: list[str]
) -> None:
    """Each is told as it went: one that the gateway knows is out, one that it does not know is named."""
    person = place.provider.person()
    member = {"campaign_id": CAMPAIGN, "user_id": f"id-{person.username}", "marks": "", "told": 0}
    with closing(open_database(f"sqlite:///{place.scorer.place / 'scorer' / FILE_NAME}")) as database:
        database.write_sync(lambda tx: tx.run(WRITE_MEMBER, **member, first_seen=time.time(), last_seen=time.time()))
    page = opened("analyst")
    page.goto(f"{place.url}/dashboard/campaigns/{CAMPAIGN}")
    form = page.locator("form[action$='/members']")
    for name in (f"id-{person.username}", "bot-1"):
        form.get_by_label(name, exact=True).check()
    form.get_by_label("The chosen ones are").select_option("freeze")
    form.get_by_label("Why").fill("bots")
    with page.expect_navigation():
        form.get_by_role("button", name="Have it done").click()
    expect(page.locator(".flash")).to_have_text("Frozen: 1 of 2. Refused: bot-1 (unknown_user).")
    with place.provider.http() as http:
        body = {"username": person.username, "password": person.password}
        assert http.post("/login", json=body).status_code == 401
    assert complaints == []
