"""mod_auth_openidc, which has never seen our code, protects a page of an Apache with our provider."""

import time
from urllib.parse import quote

import httpx2
import pytest

from tests.apache.browser import Browser
from tests.apache.conftest import Application
from tests.running_provider import RunningProvider

pytestmark = pytest.mark.apache
TOLD_WITHIN_SECONDS = 5.0


def shown(browser: Browser, url: str) -> httpx2.Response:
    """The page without anybody filling in a form; a redirect means that Apache does not know who this is."""
    return browser.http.get(url, follow_redirects=False)


def test_a_person_gets_to_the_page_by_signing_in(apache: Application, browser: Browser) -> None:
    """Discovery, PKCE, code, ID token and userinfo satisfy the module, and the page sees the person's claims."""
    answer, cards = browser.visit(f"{apache.url}/private")
    assert cards == ["password"]
    assert answer.status_code == 200, apache.errors()
    assert f"user: {browser.person.username}" in answer.text
    assert f"email: {browser.person.email}" in answer.text
    assert "acr: aal1" in answer.text
    assert shown(browser, f"{apache.url}/private").status_code == 200


def test_a_stronger_page_asks_for_the_second_factor_alone(apache: Application, browser: Browser) -> None:
    """Who is signed in is asked for a code, and then the module's demand for aal2 is met."""
    browser.visit(f"{apache.url}/private")
    answer, cards = browser.visit(f"{apache.url}/strong")
    assert cards == ["code"]
    assert answer.status_code == 200, apache.errors()
    assert "acr: aal2" in answer.text


def test_signing_out_at_the_application_signs_out_at_the_provider(apache: Application, browser: Browser) -> None:
    """Logout goes by way of the provider and comes back; the next visit asks for the password."""
    browser.visit(f"{apache.url}/private")
    answer, _ = browser.visit(f"{apache.callback}?logout={quote(f'{apache.url}/goodbye', safe='')}")
    assert str(answer.url).startswith(f"{apache.url}/goodbye"), answer.text
    assert "Signed out." in answer.text
    _, cards = browser.visit(f"{apache.url}/private")
    assert cards == ["password"]


def test_the_application_is_told_of_the_end_of_a_session(
    apache: Application, browser: Browser, provider: RunningProvider
) -> None:
    """An operator freezes the account; the module takes our logout token, and its own session is gone in seconds."""
    browser.visit(f"{apache.url}/private")
    assert shown(browser, f"{apache.url}/private").status_code == 200
    provider.gateway.accounts.freeze(browser.person.username)
    deadline = time.monotonic() + TOLD_WITHIN_SECONDS
    while shown(browser, f"{apache.url}/private").status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shown(browser, f"{apache.url}/private").status_code == 302, apache.errors()
