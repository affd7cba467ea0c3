"""Passkeys in a real Chromium with an authenticator of its own protocol: made, shown as a second factor, and alone."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route, expect

from auth_gateway.core.factor import Passkey
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.wiring import passkeys
from tests.browser.place import Place, came_back, running_application, running_gateway
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway at localhost, where browsers have passkeys without https."""
    state = tmp_path_factory.mktemp("gateway") / "state"
    with running_application() as callback, running_gateway(state, "alice", "bob") as (gateway, scorer):
        client = RegisteredClient(
            client_id="app", client_name="The shop", grant_types=("authorization_code",), redirect_uris=(callback,)
        )
        gateway.database.write_sync(lambda tx: gateway.clients.add(tx, client, b"x" * 32, 0.0))
        yield Place(gateway.settings.jwt_issuer, callback, gateway, scorer)


@dataclass
class Authenticator:
    """The browser's own authenticator, as a test holds it."""

    session: CDPSession
    authenticator_id: str

    def set(self, **options: Any) -> None:
        for command, value in options.items():
            self.session.send(f"WebAuthn.set{command}", {"authenticatorId": self.authenticator_id, **value})

    def credentials(self) -> list[dict[str, Any]]:
        asked = {"authenticatorId": self.authenticator_id}
        found: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", asked)["credentials"]
        return found

    def absent(self) -> None:
        """Nobody touches it."""
        self.set(AutomaticPresenceSimulation={"enabled": False})

    def put(self, credential: dict[str, Any]) -> None:
        self.session.send(
            "WebAuthn.addCredential", {"authenticatorId": self.authenticator_id, "credential": credential}
        )


def authenticator_of(page: Page, **changed: Any) -> Authenticator:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options | changed})
    return Authenticator(session, added["authenticatorId"])


@pytest.fixture
def context(chromium: Browser, place: Place) -> Iterator[BrowserContext]:
    """A browser that was never here, and nobody with a passkey or another password."""
    place.scorer.score, place.scorer.status = 10.0, 200
    place.forgive()
    place.gateway.accounts.set_password("alice", PASSWORD)
    registration = passkeys.registration(place.gateway)
    assert registration is not None
    for name in ("alice", "bob"):
        for passkey in registration.of(f"id-{name}"):
            job = lambda tx, p=passkey: registration.ceremonies.passkeys.remove(tx, p.user_id, p.credential_id)  # noqa: E731
            place.gateway.database.write_sync(job)
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(5000)
    yield context
    context.close()


# The browser's authenticator answers the offer in the name's field at once, where a person would choose.
WITHOUT_AUTOFILL = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
FORM = """([action, options]) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = action; form.hidden = true;
  form.dataset.passkey = "create"; form.dataset.options = options;
  form.innerHTML = '<p data-said data-known="known" data-cancelled="cancelled" data-failed="failed" hidden></p>' +
    '<input type="hidden" name="credential"><button type="submit">Add it</button>';
  document.querySelector("main").append(form);
}"""


def keeping(place: Place) -> PasskeyRegistration:
    registration = passkeys.registration(place.gateway)
    assert registration is not None
    return registration


def make(page: Page, place: Place, name: str = "alice") -> str:
    """Has the browser make a passkey for that person; what the page would post, or what it says instead."""
    account = place.gateway.database.read(lambda tx: place.gateway.users.find(tx, name))
    assert account is not None
    page.goto(f"{place.issuer}/device")  # any page of ours that asks for no passkey itself
    posted: list[str] = []

    def caught(route: Route) -> None:
        posted.append(parse_qs(route.request.post_data or "")["credential"][0])
        route.fulfill(body="<h1>Posted</h1>", content_type="text/html")

    page.route("**/kept", caught)
    page.evaluate(FORM, [f"{place.issuer}/kept", keeping(place).options(account, "s1")])
    page.add_script_tag(url=f"{place.issuer}/assets/passkey.js")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Posted").or_(page.locator("[data-known=known]:not([hidden])"))).to_be_visible()
    return posted[0] if posted else page.locator("[data-known=known]").inner_text()


def registered(page: Page, place: Place, name: str = "alice") -> Passkey:
    text = make(page, place, name)
    finished = keeping(place).finish(text, user_id=f"id-{name}", session_id="s1", name="Phone")
    with ThreadPoolExecutor(1) as pool:  # the browser's driver occupies this thread's loop
        kept = pool.submit(asyncio.run, finished).result()
    assert isinstance(kept, Passkey)
    return kept


def registered_elsewhere(place: Place) -> None:
    """A passkey of Alice on a device that is not here."""
    elsewhere = Passkey(
        credential_id=b"elsewhere",
        user_id="id-alice",
        public_key=b"",
        sign_count=0,
        name="Phone",
        aaguid="",
        transports="internal",
        is_backup_eligible=False,
        is_backed_up=False,
        created_at=0.0,
    )
    store = keeping(place).ceremonies.passkeys
    assert place.gateway.database.write_sync(lambda tx: store.add(tx, elsewhere))


def begin(page: Page, place: Place) -> None:
    """The sign-in page, without whoever was signed in before."""
    page.context.clear_cookies()
    page.goto(place.request())


def enter_password(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def last_session(place: Place) -> tuple[str, str, str]:
    with place.gateway.database.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT user_id, amr, acr FROM sessions ORDER BY created_at DESC LIMIT 1")
        user_id, amr, acr = row.one()
        return user_id, amr, acr


def audited(place: Place) -> list[tuple[str, str | None]]:
    """The newest lines, without what follows from them for the person's risk."""
    lines = place.gateway.database.read(lambda tx: place.gateway.audit.recent(tx, 4))
    return [(line.kind, line.rule) for line in reversed(lines) if not line.kind.startswith("risk.")]


def test_a_passkey_is_made_once_on_a_device(page: Page, place: Place) -> None:
    """It verifies its user and can be found without a name; the same device makes no second one."""
    device = authenticator_of(page)
    kept = registered(page, place)
    (held,) = device.credentials()
    assert held["isResidentCredential"]
    assert held["rpId"] == "localhost"
    assert (kept.name, kept.transports, kept.sign_count > 0) == ("Phone", "internal", True)
    assert make(page, place) == "known"
    assert len(device.credentials()) == 1


def test_a_passkey_is_made_named_and_removed_on_the_account_page(
    page: Page, place: Place, complaints: list[str]
) -> None:
    """The whole way of its owner: in by password, out, in by the passkey alone."""
    page.add_init_script(WITHOUT_AUTOFILL)
    device = authenticator_of(page)
    password = "a heron reads the tide table"
    place.gateway.accounts.set_password("alice", password)
    page.goto(f"{place.issuer}/account/passkeys")
    enter_password(page, password)
    page.get_by_label("Name of the passkey").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/account?done=*")
    (kept,) = keeping(place).of("id-alice")
    assert kept.name == "My laptop"
    assert len(device.credentials()) == 1
    page.context.clear_cookies()
    page.goto(f"{place.issuer}/account/passkeys")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("My laptop", exact=True)).to_be_visible()
    page.get_by_label("Name of the passkey").fill("Another")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("[data-said]")).to_contain_text("has a passkey for your account already")
    page.get_by_role("textbox", name="My laptop").fill("Old laptop")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Old laptop", exact=True)).to_be_visible()
    page.get_by_label("Current password").fill(password)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Old laptop", exact=True)).to_be_hidden()
    assert keeping(place).of("id-alice") == []
    assert complaints == []


def test_a_passkey_alone_signs_in(page: Page, place: Place, complaints: list[str]) -> None:
    """No name, no password; it is scored like every other login and reaches the highest level."""
    page.add_init_script(WITHOUT_AUTOFILL)
    authenticator_of(page)
    registered(page, place)
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    assert "code" in came_back(page, place)
    assert last_session(place) == ("id-alice", "pop user mfa", "phr")
    asked = place.scorer.events[-1]
    assert (asked["user_id"], asked.get("kind", "login"), asked.get("success", True)) == ("id-alice", "login", True)
    assert audited(place)[-1] == ("login.allowed", "low")
    assert complaints == []


def test_a_passkey_is_offered_where_the_name_is_typed(page: Page, place: Place, complaints: list[str]) -> None:
    """Chosen there, it signs in without a click on our page. (This authenticator chooses by itself.)"""
    authenticator_of(page)
    registered(page, place)
    begin(page, place)
    assert "code" in came_back(page, place)
    assert last_session(place) == ("id-alice", "pop user mfa", "phr")
    assert complaints == []


def test_whoever_types_a_name_is_asked_for_the_password(page: Page, place: Place, complaints: list[str]) -> None:
    """The offer waits in the name's field and is in nobody's way; both steps offer a passkey."""
    device = authenticator_of(page)
    registered(page, place)
    device.absent()
    begin(page, place)
    name = page.get_by_label("User name")
    expect(name).to_have_attribute("autocomplete", "username webauthn")
    name.fill("alice")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert "code" in came_back(page, place)
    assert last_session(place) == ("id-alice", "pwd", "aal1")
    assert complaints == []


@pytest.mark.parametrize("score", [65.0, 78.0])
def test_a_passkey_is_a_second_factor(page: Page, place: Place, score: float, complaints: list[str]) -> None:
    """After the password, at medium risk and near the deny mark."""
    page.add_init_script(WITHOUT_AUTOFILL)
    authenticator_of(page)
    registered(page, place)
    place.scorer.score = score
    begin(page, place)
    enter_password(page)
    page.get_by_role("button", name="Use your passkey").click()
    assert "code" in came_back(page, place)
    assert last_session(place) == ("id-alice", "pwd pop user mfa", "phr")
    assert complaints == []


@pytest.mark.parametrize(("score", "rule"), [(65.0, "medium_passkey"), (95.0, "high")])
def test_risk_decides_about_a_passkey_alone(page: Page, place: Place, score: float, rule: str) -> None:
    """At medium it is what would be asked for; at high nobody gets in."""
    page.add_init_script(WITHOUT_AUTOFILL)
    authenticator_of(page)
    registered(page, place)
    place.scorer.score = score
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    if rule == "high":
        expect(page.get_by_text("inc_")).to_be_visible()
    else:
        assert "code" in came_back(page, place)
    assert audited(place)[-1][1] == rule


def test_a_passkey_that_verifies_nobody_is_none_alone(page: Page, place: Place) -> None:
    """The browser does not even try; the page says so, and the password still does."""
    page.add_init_script(WITHOUT_AUTOFILL)
    device = authenticator_of(page)
    registered(page, place)
    device.set(UserVerified={"isUserVerified": False})
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled or took too long")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_focused()
    enter_password(page)
    assert "code" in came_back(page, place)


def test_a_copy_of_a_passkey_is_refused_and_written_down(page: Page, place: Place) -> None:
    """The owner's key was used since it was copied: its counter went on, the copy's did not."""
    page.add_init_script(WITHOUT_AUTOFILL)
    device = authenticator_of(page)
    registered(page, place)
    (copied,) = device.credentials()
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    came_back(page, place)
    device.session.send("WebAuthn.clearCredentials", {"authenticatorId": device.authenticator_id})
    device.put(copied | {"signCount": 0})
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("That passkey did not work here")
    assert ("passkey.refused", "counter") in audited(place)


def test_a_passkey_that_was_removed_here_signs_nobody_in(page: Page, place: Place) -> None:
    """The device does not know that; its answer is refused like any wrong one."""
    page.add_init_script(WITHOUT_AUTOFILL)
    authenticator_of(page)
    kept = registered(page, place)
    store = keeping(place).ceremonies.passkeys
    place.gateway.database.write_sync(lambda tx: store.remove(tx, "id-alice", kept.credential_id))
    begin(page, place)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("That passkey did not work here")
    assert audited(place)[-1] == ("login.failed", "passkey_unknown_credential")


def test_who_has_no_passkey_is_not_asked_for_one_after_the_password(page: Page, place: Place) -> None:
    """Only the code's field."""
    place.gateway.enrol_totp("alice", replace=True)
    place.scorer.score = 65.0
    begin(page, place)
    enter_password(page)
    expect(page.get_by_label("Code")).to_be_visible()
    expect(page.locator("[data-passkey]")).to_have_count(0)


def test_a_browser_without_passkeys_is_shown_none(page: Page, place: Place, complaints: list[str]) -> None:
    """Not the button, nor anything that says what is missing."""
    page.add_init_script("delete window.PublicKeyCredential")
    begin(page, place)
    expect(page.get_by_role("button")).to_have_count(1)
    expect(page.get_by_text("passkey", exact=False)).to_be_hidden()
    assert complaints == []


def test_who_is_asked_for_a_passkey_and_has_none_here_is_told(page: Page, place: Place) -> None:
    """The owner of a passkey at a browser without them, near the deny mark: no dead end without a word."""
    place.scorer.score = 78.0
    registered_elsewhere(place)
    page.add_init_script("delete window.PublicKeyCredential")
    begin(page, place)
    enter_password(page)
    expect(page.get_by_text("This browser has no passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Use your passkey")).to_be_hidden()


def test_without_scripts_nothing_speaks_of_passkeys(chromium: Browser, place: Place) -> None:
    """The page is whole without them."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(place.request())
    expect(page.get_by_role("button")).to_have_count(1)
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    context.close()
