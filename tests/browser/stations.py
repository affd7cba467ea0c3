"""Every page, one after the other, as people come to it: what the accessibility rules and the pictures look at."""

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import msgspec
from playwright.sync_api import Page

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.assembly import Gateway
from auth_gateway.core.letter import LETTER_PURPOSE, Posted
from auth_gateway.core.provider.client import DEVICE_CODE
from tests.browser.place import Place, enter_password, follow

CLIENTS = {
    "app": {"client_name": "Northwind Travel"},
    "careful": {"client_name": "Northwind Travel", "requires_consent": True},
    "tv": {
        "client_name": "Northwind on your television",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": (DEVICE_CODE,),
        "redirect_uris": (),
    },
}
MAIL = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@northwind.example", "sign_up": True}
QUIET, NEW, ALARMING = 10.0, 65.0, 95.0
GOOD, LISTED = "a heron reads the tide table", "password1"


def furnish(place: Place) -> None:
    """Alice has a verified address, a passkey that no authenticator of this machine has, an authenticator app and
    recovery codes; Carol has a password that everybody guesses."""
    place.gateway.accounts.add("carol", GOOD, user_id="id-carol")
    values = (b"alice", "id-alice", b"key", 0, "Laptop", "", "internal", True, True, time.time(), None)
    with place.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = username || '@northwind.example', email_verified = 1")
        connection.exec_driver_sql("UPDATE users SET display_name = 'Alice Lindgren' WHERE username = 'alice'")
        connection.exec_driver_sql(f"INSERT INTO passkeys VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    digests = [bytes([number]) * 32 for number in range(10)]
    place.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, "id-alice", digests, 0.0))
    place.new_authenticator("alice")


def stations(page: Page, place: Place) -> Iterator[str]:
    """The name of each page while `page` shows it."""
    walks = (
        _signing_in,
        _second_factor,
        _listed_password,
        _consent,
        _denial,
        _device,
        _ends,
        _letters,
        _asked,
        _account,
        _last_factor,
    )
    for walk in walks:
        page.context.clear_cookies()
        place.scorer.score, place.scorer.new = QUIET, ()
        yield from walk(page, place)


def send(page: Page, selector: str = "main form button[type=submit]") -> None:
    """Send a form unchecked by the browser, as one without these checks would."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    follow(page, selector)


def _signing_in(page: Page, place: Place) -> Iterator[str]:
    page.goto(place.request())
    yield "sign-in-name"
    send(page)
    yield "sign-in-name-missing"
    page.locator("#username").fill("alice")
    send(page)
    yield "sign-in-password"
    page.locator("#password").fill("wrong")
    send(page)
    yield "sign-in-password-wrong"


def _second_factor(page: Page, place: Place) -> Iterator[str]:
    place.scorer.score = NEW
    page.goto(place.request())
    enter_password(page)
    yield "second-factor-passkey"
    follow(page, "button[value=totp]")
    yield "second-factor-authenticator"
    page.locator("#code").fill("000000")
    send(page)
    yield "second-factor-wrong"
    follow(page, "button[value=recovery_code]")
    yield "second-factor-recovery-code"
    follow(page, "button[value=email_code]")
    yield "second-factor-e-mail"


def _listed_password(page: Page, place: Place) -> Iterator[str]:
    _give_carol(place, LISTED)
    page.goto(place.request())
    enter_password(page, LISTED, username="carol")
    yield "new-password"
    page.locator("#new_password").fill("carol")
    send(page)
    yield "new-password-refused"


def _consent(page: Page, place: Place) -> Iterator[str]:
    page.goto(place.request("careful", prompt="consent", scope="openid profile email offline_access"))
    enter_password(page)
    yield "consent"


def _denial(page: Page, place: Place) -> Iterator[str]:
    place.scorer.score = ALARMING
    page.goto(place.request())
    enter_password(page)
    yield "denied"


def _device(page: Page, place: Place) -> Iterator[str]:
    begun = httpx2.post(
        f"{place.issuer}/device_authorization", data={"client_id": "tv", "scope": "openid profile"}
    ).json()
    page.goto(begun["verification_uri"])
    yield "device-code"
    page.locator("#user_code").fill("BCDF-GHJK")
    send(page)
    yield "device-code-wrong"
    page.goto(begun["verification_uri_complete"])
    send(page)
    enter_password(page)
    yield "device-connect"
    follow(page, "button[value=yes]")
    yield "device-connected"


def _ends(page: Page, place: Place) -> Iterator[str]:
    page.goto(place.request())
    enter_password(page)
    page.wait_for_url(f"{place.callback}?**")
    page.goto(f"{place.issuer}/logout")
    yield "sign-out"
    follow(page, "button[value=out]")
    yield "signed-out"
    page.goto(f"{place.issuer}/sign-in/none")
    yield "start-again"
    page.goto(f"{place.issuer}/authorize?client_id=nobody")
    yield "refused"
    page.goto(f"{place.issuer}/authorize?client_id=app&redirect_uri=https://elsewhere.example")
    yield "refused-with-detail"


def _letters(page: Page, place: Place) -> Iterator[str]:
    page.goto(f"{place.issuer}/recover")
    yield "recover"
    page.locator("#named").fill("alice")
    send(page)
    yield "recover-sent"
    page.goto(_link(place, "recover"))
    yield "recover-factor"
    place.new_authenticator("alice")
    page.locator("form:has([value=totp]) input[name=code]").fill(place.code())
    follow(page, "form:has([value=totp]) button")
    yield "recover-password"
    page.goto(f"{place.issuer}/sign-up")
    yield "sign-up"
    page.locator("#named").fill("bob@northwind.example")
    send(page)
    yield "sign-up-sent"


def _asked(page: Page, place: Place) -> Iterator[str]:
    _give_carol(place, GOOD)
    with place.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM mail_links")  # a person is asked only so often a day
    place.scorer.new = ("device",)
    page.goto(place.request())
    enter_password(page, GOOD, username="carol")
    page.wait_for_url(f"{place.callback}?**")
    address = _link(place, "new_sign_in")
    page.goto(address)
    yield "was-this-you"
    follow(page, "button[value=no]")
    yield "was-not-you"
    page.goto(address)
    yield "link-over"


def _account(page: Page, place: Place) -> Iterator[str]:
    place.new_authenticator("alice")
    page.goto(f"{place.issuer}/account")
    enter_password(page)
    page.wait_for_url(f"{place.issuer}/account**")
    yield "account"
    follow(page, "a[href*='/account/report/']")
    yield "account-report"
    page.goto(f"{place.issuer}/account/passkeys")
    follow(page, "button[value=totp]")
    page.locator("#code").fill(place.code())
    send(page)
    page.wait_for_url(f"{place.issuer}/account/passkeys**")
    yield "account-passkeys"
    for name in ("authenticator", "password", "recovery-codes"):
        page.goto(f"{place.issuer}/account/{name}")
        yield f"account-{name}"
    send(page)
    yield "account-recovery-codes-made"


def _last_factor(page: Page, place: Place) -> Iterator[str]:
    """It goes for the password, typed once more; with Alice's authenticator gone, her passkey is the last."""
    place.new_authenticator("alice")
    page.goto(f"{place.issuer}/account/authenticator")
    enter_password(page)
    follow(page, "button[value=totp]")
    page.locator("#code").fill(place.code())
    send(page)
    page.wait_for_url(f"{place.issuer}/account/authenticator**")
    follow(page, "form[action$='/authenticator/remove'] button")
    page.goto(f"{place.issuer}/account/passkeys")
    yield "account-last-passkey"
    page.locator("#current").fill("wrong")
    follow(page, "form:has(#current) .bad")
    yield "account-last-passkey-wrong"


def _give_carol(place: Place, password: str) -> None:
    """An earlier walk locked her account."""
    place.gateway.accounts.set_password("carol", password)
    place.gateway.accounts.unfreeze("carol")


def _link(place: Place, kind: str) -> str:
    return link_in_letter(place.gateway, place.issuer, kind)


def link_in_letter(gateway: Gateway, issuer: str, kind: str) -> str:
    """Where the newest letter of a kind leads; it waits in the outbox, for nothing listens."""
    with gateway.database.engine.connect() as connection:
        sql = "SELECT body FROM outbox WHERE endpoint = 'mail' ORDER BY created_at DESC, message_id"
        rows = connection.exec_driver_sql(sql).fetchall()
    unseal: Callable[[bytes, str], bytes] = gateway.vault.open
    posted = [msgspec.json.decode(unseal(bytes(body), LETTER_PURPOSE), type=Posted) for (body,) in rows]
    letter = next(each.letter for each in posted if each.letter.kind == kind)
    return f"{issuer}{urlsplit(letter.values['link']).path}"
