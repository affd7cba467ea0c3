"""A device without a browser gets its tokens by a person's word at another one (RFC 8628)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from auth_gateway.core.provider.client import DEVICE_CODE
from tests.stories.gateway.relying_party import ISSUER, Browser, registered
from tests.stories.gateway.story import HOME, Story

AWAY = "203.0.113.77"
PAGE = f"{ISSUER}/device"


@dataclass
class Television:
    """A device at home that can poll."""

    story: Story
    client_id: str = "tv"
    peer: str = HOME

    def begin(self, **form: str) -> httpx2.Response:
        given = {"client_id": self.client_id, "scope": "openid profile", **form}
        headers = {"user-agent": "TV/1.0"}
        return self.story.ask("POST", f"{ISSUER}/device_authorization", data=given, headers=headers, peer=self.peer)

    def poll(self, device_code: str) -> httpx2.Response:
        form = {"grant_type": DEVICE_CODE, "device_code": device_code, "client_id": self.client_id}
        return self.story.ask("POST", f"{ISSUER}/token", data=form, headers={"user-agent": "TV/1.0"}, peer=self.peer)


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def tv(story: Story) -> Television:
    """A registered television."""
    registered(
        story,
        "tv",
        client_name="Example TV",
        application_type="native",
        token_endpoint_auth_method="none",
        grant_types=(DEVICE_CODE,),
        redirect_uris=(),
    )
    return Television(story)


def typed(browser: Browser, user_code: str, **options: Any) -> httpx2.Response:
    """The page opened, and the code sent."""
    browser.where = PAGE
    browser.page = browser.ask("GET", PAGE)
    return browser.post(user_code=user_code, **options)


def error_of(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def state_of(story: Story, user_code: str) -> str:
    grants = story.gateway.provider.device_grants
    found = story.gateway.database.read(lambda tx: grants.by_user_code(tx, user_code.replace("-", "")))
    assert found is not None
    return found.state


def test_a_device_gets_tokens_by_a_person_s_word(story: Story, tv: Television) -> None:
    """Code on the screen, code typed elsewhere, password, yes; then the next poll has the tokens, once."""
    begun = tv.begin().json()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", begun["user_code"])
    assert (begun["verification_uri"], begun["interval"], begun["expires_in"]) == (PAGE, 5, 600)
    assert begun["verification_uri_complete"] == f"{PAGE}?user_code={begun['user_code']}"
    assert error_of(tv.poll(begun["device_code"])) == (400, "authorization_pending")
    browser = Browser(story)
    assert "current-password" in typed(browser, begun["user_code"].lower().replace("-", " ")).text
    card = browser.password().text
    assert "Example TV" in card
    assert begun["user_code"] in card
    assert "in the network that you are in now" in card
    assert "<li>who you are</li>\n<li>your name</li>" in card
    assert "Connected" in browser.post(answer="yes").text
    story.clock.advance(5)
    tokens = tv.poll(begun["device_code"]).json()
    claims = story.claims(tokens["access_token"])
    assert (claims["sub"], claims["client_id"], tokens["scope"]) == ("id-alice", "tv", "openid profile")
    assert error_of(tv.poll(begun["device_code"])) == (400, "invalid_grant")
    assert ("device.approved", None) in story.audited()


def test_who_is_signed_in_is_asked_without_a_password(story: Story, tv: Television) -> None:
    """The card comes at once, and never a yes by itself."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    begun = tv.begin().json()
    assert "Connect it" in typed(browser, begun["user_code"]).text
    assert state_of(story, begun["user_code"]) == "pending"


def test_a_no_is_told_to_the_device(story: Story, tv: Television) -> None:
    """`access_denied`, and the code is worth nothing from then on."""
    begun, browser = tv.begin().json(), Browser(story)
    typed(browser, begun["user_code"])
    browser.password()
    assert "Not connected" in browser.post(answer="no").text
    assert error_of(tv.poll(begun["device_code"])) == (400, "access_denied")
    assert typed(Browser(story), begun["user_code"]).status_code == 400


def test_the_person_sees_that_a_device_is_elsewhere(story: Story, tv: Television) -> None:
    """The mark of a code that somebody else has sent."""
    tv.peer = AWAY
    begun, browser = tv.begin().json(), Browser(story)
    typed(browser, begun["user_code"])
    assert "unknown, and not in the network that you are in now" in browser.password().text
    story.scorer.country = "US"
    assert "US, and not in the network that you are in now" in browser.ask("GET", browser.where).text
    story.scorer.status = 500
    assert "unknown, and not in the network" in browser.ask("GET", browser.where).text


def test_a_device_of_high_risk_is_refused_whatever_the_person_says(story: Story, tv: Television) -> None:
    """A code that was sent from afar brings a person who is really themselves: it is the device that is judged."""
    tv.peer = AWAY
    story.scorer.judge = lambda event: 95.0 if event["ip"] == AWAY else 10.0
    begun, browser = tv.begin().json(), Browser(story)
    typed(browser, begun["user_code"])
    browser.password()
    denied = browser.post(answer="yes")
    assert denied.status_code == 403
    assert "inc_" in denied.text
    assert error_of(tv.poll(begun["device_code"])) == (400, "access_denied")
    assert story.audited()[-1] == ("device.denied", "high")
    assert ("session.revoked", "high_risk") not in story.audited()


def test_a_device_of_medium_risk_takes_a_second_factor(story: Story, tv: Television) -> None:
    """The yes is asked for again after the code, and counts then."""
    tv.peer = AWAY
    story.scorer.judge = lambda event: 70.0 if event["ip"] == AWAY else 10.0
    begun, browser = tv.begin().json(), Browser(story)
    typed(browser, begun["user_code"])
    browser.password()
    assert "one-time-code" in browser.post(answer="yes").text
    assert "Connect it" in browser.code().text
    assert state_of(story, begun["user_code"]) == "pending"
    assert "Connected" in browser.post(answer="yes").text
    assert tv.poll(begun["device_code"]).status_code == 200


def test_at_medium_risk_who_has_no_factor_connects_no_device(story: Story, tv: Television) -> None:
    """From their own network they do."""
    story.scorer.judge = lambda event: 70.0 if event["ip"] == AWAY else 10.0
    for peer, status in ((AWAY, 403), (HOME, 200)):
        tv.peer = peer
        browser = Browser(story)
        typed(browser, tv.begin().json()["user_code"])
        browser.password("bob")
        assert browser.post(answer="yes").status_code == status


def test_without_a_score_a_device_elsewhere_waits_or_takes_a_factor(story: Story, tv: Television) -> None:
    """Fails closed: nothing is connected unchecked, and nothing is refused for good."""
    tv.peer = AWAY
    alice, bob = Browser(story), Browser(story)
    first, second = tv.begin().json(), tv.begin().json()
    typed(alice, first["user_code"])
    alice.password()
    typed(bob, second["user_code"])
    bob.password("bob")
    story.scorer.status = 500
    assert "one-time-code" in alice.post(answer="yes").text
    answer = bob.post(answer="yes")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert state_of(story, second["user_code"]) == "pending"


def test_of_two_answers_the_first_counts(story: Story, tv: Television) -> None:
    """A no after a yes changes nothing, wherever it comes from."""
    begun, first, second = tv.begin().json(), Browser(story), Browser(story)
    for browser in (first, second):
        typed(browser, begun["user_code"])
        browser.password()
    assert "Connected" in first.post(answer="yes").text
    assert second.post(answer="no").status_code == 410
    assert state_of(story, begun["user_code"]) == "approved"


def test_a_level_that_the_device_asks_for_is_reached_by_a_code(story: Story, tv: Television) -> None:
    """And the tokens say so; unknown levels are passed over."""
    begun, browser = tv.begin(acr_values="gold aal2").json(), Browser(story)
    typed(browser, begun["user_code"])
    assert "one-time-code" in browser.password().text
    browser.code()
    browser.post(answer="yes")
    tokens = tv.poll(begun["device_code"]).json()
    assert story.claims(tokens["access_token"])["acr"] == "aal2"


def test_a_level_out_of_reach_is_refused(story: Story, tv: Television) -> None:
    """Bob has no authenticator, so his word is not enough."""
    begun, browser = tv.begin(acr_values="aal2").json(), Browser(story)
    typed(browser, begun["user_code"])
    assert browser.password("bob").status_code == 403
    assert state_of(story, begun["user_code"]) == "pending"


def test_a_risky_return_does_not_speak_for_the_person(story: Story, tv: Television) -> None:
    """A signed-in browser that turns up where it is denied loses its session; the device goes on waiting."""
    registered(story)
    browser = Browser(story)
    browser.sign_in()
    browser.peer, story.scorer.score = AWAY, 95.0
    begun = tv.begin().json()
    assert typed(browser, begun["user_code"]).status_code == 403
    assert ("session.revoked", "high_risk") in story.audited()
    assert state_of(story, begun["user_code"]) == "pending"


@pytest.mark.parametrize("code", ["BCDFGHJK", "", "AEIOU-YYYY", "BCDF", "<script>", "B" * 5000])
def test_wrong_codes_look_alike(story: Story, tv: Television, code: str) -> None:
    """Unknown, unreadable, too long: one sentence, and nothing of it is repeated."""
    tv.begin()
    answer = typed(Browser(story), code)
    assert answer.status_code == 400
    assert "This code is wrong or too old." in answer.text
    assert not code or code not in answer.text


def test_a_code_is_too_old_after_ten_minutes(story: Story, tv: Television) -> None:
    """For the person and for the device."""
    begun = tv.begin().json()
    story.clock.advance(599)
    assert "current-password" in typed(Browser(story), begun["user_code"]).text
    story.clock.advance(1)
    assert typed(Browser(story), begun["user_code"]).status_code == 400
    assert error_of(tv.poll(begun["device_code"])) == (400, "expired_token")


def test_guessing_is_slowed_down(story: Story, tv: Television) -> None:
    """By network, whatever the browser; right codes cost nothing, and other networks are not held up."""
    begun = tv.begin().json()
    for _ in range(3):
        assert typed(Browser(story), begun["user_code"]).status_code == 200
    answers = [typed(Browser(story), "BCDFGHJK") for _ in range(12)]
    assert [answer.status_code for answer in answers[-2:]] == [429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert typed(Browser(story), begun["user_code"]).status_code == 429
    assert typed(Browser(story, peer=AWAY), begun["user_code"]).status_code == 200


def test_one_browser_is_slowed_down_in_any_network(story: Story, tv: Television) -> None:
    """Changing the network does not make guesses free for a browser that keeps its cookie."""
    browser = Browser(story)
    for number in range(10):
        browser.peer = f"203.0.{number}.1"
        assert typed(browser, "BCDFGHJK").status_code == 400
    browser.peer = "203.0.99.1"
    assert typed(browser, "BCDFGHJK").status_code == 429


def test_a_filled_in_code_is_still_sent_by_the_person(story: Story, tv: Television) -> None:
    """`verification_uri_complete` opens the page with the code in it; a text that is no code is not shown."""
    begun = tv.begin().json()
    page = Browser(story).ask("GET", begun["verification_uri_complete"])
    assert f'value="{begun["user_code"]}"' in page.text
    assert "evil" not in Browser(story).ask("GET", f"{PAGE}?user_code=evil%22%3E").text
    assert "form-action 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_another_site_cannot_type_the_code(story: Story, tv: Television, headers: dict[str, str]) -> None:
    """A page that sends the victim here with the attacker's code gets nowhere."""
    begun = tv.begin().json()
    assert typed(Browser(story), begun["user_code"], headers=headers).status_code == 400


def test_a_form_without_its_secret_or_cookie_is_refused(story: Story, tv: Television) -> None:
    """Both are of this browser alone."""
    begun, browser = tv.begin().json(), Browser(story)
    assert typed(browser, begun["user_code"], csrf="x").status_code == 400
    browser.page = browser.ask("GET", PAGE)
    browser.cookies.clear()
    assert browser.post(user_code=begun["user_code"]).status_code == 400


def test_a_client_without_the_grant_gets_no_code(story: Story, tv: Television) -> None:
    """Nor one that nobody knows, nor one that does not prove itself, nor one that asks for nothing it may have."""
    secret = registered(story)
    assert error_of(tv.begin(client_id="nobody")) == (401, "invalid_client")
    assert error_of(tv.begin(client_id="app")) == (401, "invalid_client")
    assert error_of(tv.begin(client_id="")) == (401, "invalid_client")
    assert error_of(tv.begin(scope="orders")) == (400, "invalid_scope")
    assert error_of(tv.begin(scope="o" * 1025)) == (400, "invalid_request")
    answer = story.ask("POST", f"{ISSUER}/device_authorization", data={"scope": "openid"}, auth=("app", secret))
    assert error_of(answer) == (400, "unauthorized_client")
    answer = story.ask("POST", f"{ISSUER}/device_authorization", json={"client_id": "tv"})
    assert answer.status_code == 415


def test_a_crowd_of_devices_in_one_network_is_slowed_down(story: Story, tv: Television) -> None:
    """Nothing proves who asks, and each request is kept for a while."""
    statuses = [tv.begin().status_code for _ in range(102)]
    assert statuses[:100] == [200] * 100
    assert statuses[-1] == 429
    assert Television(story, peer=AWAY).begin().status_code == 200


def test_a_removed_client_s_device_waits_for_nothing(story: Story, tv: Television) -> None:
    """Its code leads nowhere."""
    begun = tv.begin().json()
    story.gateway.registrations.remove("tv")
    assert typed(Browser(story), begun["user_code"]).status_code == 400
