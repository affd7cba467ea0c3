"""The own account: who comes in, what is seen there, and what can be ended."""

import re
from collections.abc import Callable

import pytest

from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.core.factor import TrustedDevice
from auth_gateway.core.provider.authorization import Consent
from tests.stories.gateway.account_pages import CODE_CARD, AccountBrowser, lines
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered
from tests.stories.gateway.story import NOW, Story

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
NOWHERE = "There is nothing here"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def running(story: Story, username: str = "bob") -> list[str]:
    """The ids of a person's running sessions, the newest first."""
    sessions = story.gateway.database.read(lambda tx: story.gateway.sessions.of_user(tx, f"id-{username}"))
    return [each.session_id for each in sessions if each.revoked_at is None]


def trusted(story: Story, username: str = "bob") -> list[str]:
    devices = story.gateway.database.read(lambda tx: StoredTrustedDevices().of_user(tx, f"id-{username}"))
    return [each.device_id for each in devices]


def trust(story: Story, device_id: str, username: str = "bob") -> None:
    device = TrustedDevice(
        token_digest=device_id.encode(),
        device_id=device_id,
        user_id=f"id-{username}",
        user_agent=SAFARI,
        ip="203.0.113.7",
        place="Lyon, FR",
        created_at=NOW,
        expires_at=NOW + 86_400,
    )
    story.gateway.database.write_sync(lambda tx: StoredTrustedDevices().add(tx, device))


def test_whoever_is_not_signed_in_signs_in_and_comes_back(story: Story) -> None:
    """The page that was asked for follows the password; before it nothing is shown."""
    browser = AccountBrowser(story)
    first = browser.open()
    assert "/sign-in/" in browser.where
    assert "Sign in to your account" in first.text
    page = browser.password("bob")
    assert browser.where == f"{ISSUER}/account"
    assert "You are signed in as <strong>bob</strong>" in page.text


def test_the_bare_address_leads_to_the_own_account(story: Story) -> None:
    """It is what people type who want something of the gateway and come from no application."""
    answer = story.ask("GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ISSUER}/account")


def test_a_wrong_password_opens_nothing(story: Story) -> None:
    """The card stays, and no session begins."""
    browser = AccountBrowser(story)
    browser.open()
    assert browser.password("bob", "Wrong-password-1").status_code == 401
    assert running(story) == []


def test_nothing_of_an_account_may_be_kept_or_framed(story: Story) -> None:
    """No cache, no frame, no script but ours, and no address of it tells another site."""
    page = AccountBrowser(story).enter("bob")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert "<script>" not in page.text
    assert re.search(r"\son\w+=|style=", page.text) is None


def test_sessions_are_told_in_words(story: Story) -> None:
    """Browser, system, place as far as it is known, address, when; and which one is this."""
    phone, desk = AccountBrowser(story, agent=SAFARI, peer="203.0.113.7"), AccountBrowser(story, agent=FIREFOX)
    phone.enter("bob")
    story.clock.advance(3 * 3600)
    page = desk.enter("bob").text
    here, there = page.index("Firefox on Windows"), page.index("Safari on iOS")
    assert here < page.index("This browser") < there
    assert "Signed in 3 hours ago" in page[there:]
    assert "203.0.113.7" in page[there:]
    assert "Unknown place" in page


def test_one_browser_is_signed_out_and_its_applications_hear_of_it(story: Story) -> None:
    """The other one goes on; the application that was opened there gets its notice."""
    secret = registered(story, backchannel_logout_uri="https://app.example/logout")
    phone, desk = AccountBrowser(story, agent=SAFARI), AccountBrowser(story, agent=FIREFOX)
    tokens = redeem(story, phone.sign_in("bob")["code"], secret=secret).json()
    desk.enter("bob")
    here, there = running(story)
    page = desk.send("/sessions/end", session=there)
    assert "That browser is signed out" in page.text
    assert running(story) == [here]
    assert "https://app.example/logout" in str([message["endpoint"] for message in story.announced()])
    refreshed = story.ask(
        "POST",
        f"{ISSUER}/token",
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        auth=("app", secret),
    )
    assert refreshed.status_code == 400
    assert ("session.revoked", "owner", None) in lines(desk, "session.revoked")


def test_this_browser_is_signed_out_with_every_session_of_it(story: Story) -> None:
    """A step-up leaves the session before it running; both end, and the cookie with them."""
    browser = AccountBrowser(story)
    browser.strong("/password")
    newest = running(story, "alice")[0]
    browser.open()
    page = browser.send("/sessions/end", session=newest)
    assert "You are signed out" in page.text
    assert running(story, "alice") == []
    assert not [name for name in browser.cookies if "session" in name]
    assert "/sign-in/" in (browser.open(), browser.where)[1]


def test_everywhere_else_and_everywhere(story: Story) -> None:
    """The first leaves this browser in, the second nobody."""
    browsers = [AccountBrowser(story, agent=agent) for agent in (SAFARI, FIREFOX, "Third")]
    for browser in browsers:
        browser.enter("bob")
    here = running(story)[0]
    browsers[2].send("/sessions/end-all", which="others")
    assert running(story) == [here]
    assert "Your account" in browsers[2].open().text
    assert "You are signed out" in browsers[2].send("/sessions/end-all", which="all").text
    assert running(story) == []
    assert [line[1] for line in lines(browsers[2], "session.revoked")] == ["owner"] * 3


def test_what_is_somebody_elses_looks_like_what_is_nobodys(story: Story) -> None:
    """Ids of another person are refused in the same bytes as invented ones, and nothing changes."""
    registered(story)
    AccountBrowser(story).strong()
    alices = running(story, "alice")[0]
    trust(story, "device-of-alice", "alice")
    agree(story, "alice")
    browser = AccountBrowser(story)
    browser.enter("bob")
    for address, field, theirs in (
        ("/sessions/end", "session", alices),
        ("/devices/distrust", "device", "device-of-alice"),
        ("/applications/end", "application", "app"),
        ("/sessions/end", "session", ""),
    ):
        browser.open()
        refused = browser.send(address, **{field: theirs})
        browser.open()
        invented = browser.send(address, **{field: "invented"})
        assert refused.status_code == invented.status_code == 404
        assert NOWHERE in refused.text
        assert refused.text == invented.text
    assert alices in running(story, "alice")
    assert trusted(story, "alice") == ["device-of-alice"]


def test_a_session_that_is_over_is_nothing_to_end(story: Story) -> None:
    """The second of two clicks, or the other tab's."""
    phone, desk = AccountBrowser(story, agent=SAFARI), AccountBrowser(story)
    phone.enter("bob")
    desk.enter("bob")
    there = running(story)[1]
    assert desk.send("/sessions/end", session=there).status_code == 200
    assert desk.send("/sessions/end", session=there).status_code == 404


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"csrf": ""}, {}),
        ({"csrf": "A" * 43}, {}),
        ({"csrf": "é"}, {}),
        ({}, {"origin": "https://evil.example"}),
        ({}, {"origin": "null"}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"sec-fetch-site": "same-site"}),
    ],
)
def test_only_our_own_forms_count(story: Story, fields: dict[str, str], headers: dict[str, str]) -> None:
    """Without the mark of this very login, or from another site: refused before anything is looked up."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    trust(story, "device-1")
    given = {"which": "all", "session": running(story)[0], "device": "device-1", **fields}
    for address in ("/sessions/end-all", "/sessions/end", "/devices/distrust", "/applications/end", "/password"):
        browser.open()
        assert browser.send(address, headers, **given).status_code == 403
    assert len(running(story)) == 1
    assert trusted(story) == ["device-1"]


def test_a_form_of_an_earlier_login_counts_no_more(story: Story) -> None:
    """The mark belongs to one session cookie."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    mark = browser.csrf()
    browser.send("/sessions/end-all", which="all")
    browser.enter("bob")
    assert browser.send("/sessions/end-all", csrf=mark, which="all").status_code == 403


def test_a_form_of_somebody_who_was_signed_out_in_another_tab_changes_nothing(story: Story) -> None:
    """They sign in first; what the form asked for is not done behind their back."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    mark, other = browser.csrf(), AccountBrowser(story, agent=SAFARI)
    other.enter("bob")
    other.send("/sessions/end-all", which="others")
    page = browser.send("/sessions/end-all", csrf=mark, which="all")
    assert "/sign-in/" in browser.where
    assert "Sign in" in page.text
    assert len(running(story)) == 1


@pytest.mark.parametrize("body", ["csrf=a&csrf=b", "csrf=%FF", "csrf=%00", "a" * 40_000])
def test_a_form_that_is_none_is_a_page_and_no_crash(story: Story, body: str) -> None:
    """Doubled fields, bytes that are no text, too much of it: a 4xx for people, with nothing of it repeated."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = browser.ask("POST", f"{ISSUER}/account/sessions/end", content=body, headers=headers)
    assert response.status_code in (400, 413)
    assert response.headers["content-type"].startswith("text/html")
    assert browser.ask("POST", f"{ISSUER}/account/sessions/end", json={}).status_code == 415


def test_what_was_done_is_said_only_by_us(story: Story) -> None:
    """A link that somebody sends makes the page say nothing."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    for done in ("session_ended", "session_ended.AAAA", "session_ended." + "A" * 22, "x.é", "."):
        page = browser.ask("GET", f"{ISSUER}/account", params={"done": done})
        assert page.status_code == 200
        assert 'role="status"' not in page.text


def test_another_address_under_the_account_is_a_page_that_says_so(story: Story) -> None:
    """For people, whoever they are."""
    browser = AccountBrowser(story)
    for _ in range(2):
        answer = browser.ask("GET", f"{ISSUER}/account/nowhere/at/all")
        assert answer.status_code == 404
        assert NOWHERE in answer.text
        browser.enter("bob")


def test_a_browser_is_trusted_no_more(story: Story) -> None:
    """It stands in the list with its place until its owner takes the trust back."""
    trust(story, "device-1")
    browser = AccountBrowser(story)
    page = browser.enter("bob")
    assert "Safari on iOS" in page.text
    assert "Lyon, FR" in page.text
    assert "is asked again" in browser.send("/devices/distrust", device="device-1").text
    assert trusted(story) == []
    assert lines(browser, "device.distrusted") == [("device.distrusted", "owner", None)]


def agree(story: Story, username: str) -> None:
    consent = Consent(user_id=f"id-{username}", client_id="app", scope="openid email", granted_at=NOW)
    story.gateway.database.write_sync(lambda tx: story.gateway.provider.consents.put(tx, consent))


def test_an_application_is_disconnected_and_the_session_stays(story: Story) -> None:
    """Its refresh tokens are dead, what was agreed to is forgotten, and the person is in."""
    secret = registered(story)
    browser = AccountBrowser(story)
    tokens = redeem(story, browser.sign_in("bob")["code"], secret=secret).json()
    agree(story, "bob")
    page = browser.open()
    assert "Example App" in page.text
    assert "your e-mail address" in page.text
    assert "The application is disconnected" in browser.send("/applications/end", application="app").text
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert story.ask("POST", f"{ISSUER}/token", data=form, auth=("app", secret)).status_code == 400
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert story.ask("GET", f"{ISSUER}/userinfo", headers=bearer).status_code == 401
    assert len(running(story)) == 1
    assert lines(browser, "consent.withdrawn") == [("consent.withdrawn", None, "app")]
    assert browser.send("/applications/end", application="app").status_code == 404


def test_at_high_risk_the_session_ends_at_the_account_page_too(story: Story) -> None:
    """A stolen cookie far away: an incident id, nothing of the account, and the session is over."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    story.scorer.score = 95
    browser.peer = "192.0.2.200"
    page = browser.open()
    assert page.status_code == 403
    assert "inc_" in page.text
    assert "bob" not in page.text
    assert running(story) == []


def test_at_medium_risk_from_elsewhere_a_factor_is_asked_for_first(story: Story) -> None:
    """Alice has one; Bob has none and signs in again, which is refused at this risk."""
    for name, expected in (("alice", CODE_CARD), ("bob", "Sign in")):
        story.scorer.score = 10
        browser = AccountBrowser(story)
        browser.enter(name)
        story.scorer.score = 65
        browser.peer, browser.agent = "192.0.2.200", "Another"
        assert expected in browser.open().text
        assert "Where you are signed in" not in browser.page.text if browser.page else False


def test_a_person_who_is_frozen_meanwhile_sees_nothing(story: Story) -> None:
    """The cookie is there still and leads nowhere."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    story.gateway.accounts.freeze("bob")
    assert "Sign in" in browser.open().text


def test_no_application_may_be_called_account(story: Story) -> None:
    """It would stand in sessions and audit lines for our own pages."""
    from auth_gateway.core.provider.client import RegisteredClient
    from auth_gateway.core.provider.registration import check_registration
    from plumbing.refusals import Refused

    client = RegisteredClient(
        client_id="account", grant_types=("authorization_code",), redirect_uris=("https://a.b/c",)
    )
    with pytest.raises(Refused, match="account"):
        check_registration(client)
    answer = Browser(story).authorize("account")
    assert answer.status_code == 400
