"""The card that asks for a second factor, and the JSON login's: which kinds answer, how a code is mailed, and a browser
that its owner trusts.
"""

from collections.abc import Callable
from typing import Any

import pytest

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.core import recovery_code
from tests.stories.gateway.letters import letters, with_address
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story

MAIL = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@id.example"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that sends letters, and an application."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **MAIL)
    registered(story, token_endpoint_auth_method="none")
    return story


def give_mail(story: Story, username: str = "alice") -> None:
    with_address(story, f"id-{username}", f"{username}@example.com")


def give_recovery_code(story: Story, username: str = "alice") -> str:
    gateway, user_id = story.gateway, f"id-{username}"
    code = recovery_code.drawn_code(b"0123456789")
    kept = recovery_code.code_digest(gateway.vault.derive(recovery_code.KEY_PURPOSE), user_id, code)
    gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, user_id, [kept or b""], 0.0))
    return code


def mailed_codes(story: Story) -> list[str]:
    return [posted.letter.values["code"] for posted in letters(story, "email_code")]


def at_card(story: Story, username: str = "alice", *, score: float = 65.0, **wish: Any) -> Browser:
    """A browser that the gateway asks for a second factor."""
    story.scorer.score = score
    browser = Browser(story)
    browser.authorize(**wish)
    browser.password(username)
    return browser


def recognised(story: Story, response: Any) -> tuple[list[str], str]:
    """How the application is told that the person was recognised."""
    tokens = redeem(story, returned(response)["code"]).json()
    claims = story.claims(tokens["access_token"])
    return claims["amr"], claims["acr"]


def test_the_strongest_factor_is_asked_for_and_the_others_are_a_click_away(story: Story) -> None:
    """Each of them finishes the sign-in."""
    give_mail(story)
    code = give_recovery_code(story)
    browser = at_card(story)
    page = browser.page.text if browser.page else ""
    assert 'name="method" value="totp"' in page
    assert [f'name="choose" value="{kind}"' in page for kind in ("recovery_code", "email_code")] == [True, True]
    chosen = browser.post(choose="recovery_code")
    assert 'name="method" value="recovery_code"' in chosen.text
    assert recognised(story, browser.post(code=code.upper())) == (["pwd", "otp", "mfa"], "aal2")


def test_a_code_is_mailed_when_its_person_asks(story: Story) -> None:
    """Not before; of two letters the later one counts, and the application learns that it proves little."""
    give_mail(story, "bob")
    browser = at_card(story, "bob")
    assert letters(story) == []
    sent = browser.post(choose="email_code")
    assert 'name="method" value="email_code"' in sent.text
    story.clock.advance(1)
    browser.post(choose="email_code")
    first, second = mailed_codes(story)
    assert "wrong" in browser.post(method="email_code", code=first).text
    assert recognised(story, browser.post(method="email_code", code=second)) == (["pwd", "mca"], "aal1")
    assert story.audited().count(("mail.sent", "email_code")) == 2


def test_the_fourth_letter_is_not_sent(story: Story) -> None:
    """The page says so, and takes the latest code all the same."""
    give_mail(story)
    browser = at_card(story)
    answers = []
    for _ in range(4):
        story.clock.advance(1)
        answers.append(browser.post(choose="email_code"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "No more codes" in answers[-1].text
    assert len(mailed_codes(story)) == 3
    assert "code" in returned(browser.post(method="email_code", code=mailed_codes(story)[-1]))


@pytest.mark.parametrize("settings", [{"login_policy_email_code": False, **MAIL}, {}], ids=["switched off", "no mail"])
def test_where_no_letter_helps_none_is_offered(story_with: Callable[..., Story], settings: dict[str, Any]) -> None:
    """By the operator's word, or because there is no mail server: asking for one all the same sends none."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **settings)
    registered(story, token_endpoint_auth_method="none")
    give_mail(story)
    browser = at_card(story)
    assert browser.page is not None
    assert "email_code" not in browser.page.text
    browser.post(choose="email_code")
    assert letters(story) == []
    give_mail(story, "bob")
    assert at_card(story, "bob").page.status_code == 403  # type: ignore[union-attr]


def test_near_high_only_a_passkey_answers(story: Story) -> None:
    """Whoever has none is refused with an incident id; whoever has one is not asked for less."""
    denied = at_card(story, score=76.0)
    assert denied.page is not None
    assert denied.page.status_code == 403
    assert ("login.denied", "no_phishing_resistant_factor") in story.audited()
    story.add_passkey("alice")
    browser = at_card(story, score=76.0)
    assert browser.page is not None
    assert 'value="totp"' not in browser.page.text
    assert browser.code().status_code == 401


def test_a_level_that_somebody_cannot_reach_is_an_answer_and_no_loop(story: Story) -> None:
    """`phr` without a passkey, signed in or not; a code by mail does not stand in for a factor at `aal2` either."""
    give_mail(story, "bob")
    for username, level in (("alice", "phr"), ("bob", "phr"), ("bob", "aal2")):
        story.scorer.score = 10.0
        browser = Browser(story)
        browser.authorize(acr_values=level)
        assert returned(browser.password(username))["error"] == "unmet_authentication_requirements"
        again = browser.authorize(acr_values=level)
        assert returned(again)["error"] == "unmet_authentication_requirements"
        assert "code" in returned(browser.authorize())


def test_a_passkey_is_asked_for_by_phr_and_nothing_less_is_taken(story: Story) -> None:
    """The authenticator's code does not answer, and the card stays."""
    story.add_passkey("alice")
    browser = at_card(story, score=10.0, acr_values="phr")
    assert browser.page is not None
    assert 'name="code"' not in browser.page.text
    assert "Ask whoever runs this service" in browser.page.text
    assert browser.code().status_code == 401
    assert 'name="code"' not in browser.page.text


def trusting(story: Story) -> Browser:
    """A browser whose owner has shown a code and ticked that it need not be asked again."""
    browser = at_card(story)
    assert "code" in returned(browser.post(code=story.code(), trust="yes"))
    story.clock.advance(60)
    browser.cookies = {name: value for name, value in browser.cookies.items() if "session" not in name}
    story.scorer.score = 10.0
    return browser


def test_a_trusted_browser_is_not_asked_again_while_the_risk_is_low(story: Story) -> None:
    """The password and the browser are two factors for an application that wants them, and say that no code was."""
    browser = trusting(story)
    browser.authorize(acr_values="aal2")
    assert recognised(story, browser.password()) == (["pwd", "mfa"], "aal2")
    assert ("device.trusted", None) in story.audited()


@pytest.mark.parametrize(
    ("score", "wish"), [(65.0, {}), (10.0, {"acr_values": "phr"}), (65.0, {"acr_values": "aal2"})], ids=str
)
def test_trust_answers_nothing_else(story: Story, score: float, wish: dict[str, Any]) -> None:
    """Medium risk asks, and so does the level that cannot be phished."""
    story.add_passkey("alice")
    browser = trusting(story)
    story.scorer.score = score
    browser.authorize(**wish)
    browser.password()
    assert browser.page is not None
    assert 'name="card" value="code"' in browser.page.text


@pytest.mark.parametrize("tampered", ["gone", "another token", "another mac"])
def test_without_the_cookie_as_we_made_it_nobody_is_trusted(story: Story, tampered: str) -> None:
    """It is bound to its MAC and to its row."""
    browser = trusting(story)
    token, _, mac = browser.cookies.pop("__Host-trusted").partition(".")
    if tampered == "another token":
        browser.cookies["__Host-trusted"] = f"{'x' * 43}.{mac}"
    elif tampered == "another mac":
        browser.cookies["__Host-trusted"] = f"{token}.{'x' * 43}"
    browser.authorize(acr_values="aal2")
    browser.password()
    assert browser.page is not None
    assert 'name="card" value="code"' in browser.page.text


def test_trust_is_not_begun_unasked_or_by_a_code_by_mail(story: Story) -> None:
    """The tick alone does it, and only beside a factor that reaches two."""
    give_mail(story)
    browser = at_card(story)
    assert "code" in returned(browser.code())
    assert "__Host-trusted" not in browser.cookies
    story.clock.advance(60)
    browser = at_card(story)
    browser.post(choose="email_code")
    code = mailed_codes(story)[-1]
    assert "code" in returned(browser.post(method="email_code", code=code, trust="yes"))
    assert "__Host-trusted" not in browser.cookies
    wrong = at_card(story).post(code="000000", trust="yes")
    assert "__Host-trusted" not in wrong.headers.get("set-cookie", "")


def test_a_json_login_is_finished_by_the_method_it_names(story: Story) -> None:
    """The answer names those that do, and each is taken for what it is said to be."""
    give_mail(story)
    code = give_recovery_code(story)
    story.scorer.score = 65.0
    awaited = story.login().json()
    assert awaited["methods"] == ["totp", "recovery_code", "email_code"]
    body = {"challenge_id": awaited["challenge_id"], "code": code}
    assert story.ask("POST", "/login/complete", json=body).status_code == 401
    done = story.ask("POST", "/login/complete", json={**body, "method": "recovery_code"})
    assert story.claims(done.json()["tokens"]["access_token"])["acr"] == "aal2"
    for method in ("passkey", "sms", "", 7):
        assert story.ask("POST", "/login/complete", json={**body, "method": method}).status_code == 422


def test_a_json_login_that_only_a_passkey_finishes_says_where_to_go(story: Story) -> None:
    """No code does, of whatever kind, and nothing says that a passkey could be sent here."""
    story.add_passkey("alice")
    give_recovery_code(story)
    story.scorer.score = 65.0
    assert "/authorize" not in story.login("alice").json()["message"]
    story.scorer.score = 76.0
    asked = story.login("alice").json()
    assert asked["methods"] == ["passkey"]
    assert "/authorize" in asked["message"]
    body = {"challenge_id": asked["challenge_id"], "code": story.code()}
    for method, status in (("totp", 401), ("recovery_code", 401), ("passkey", 422)):
        assert story.ask("POST", "/login/complete", json={**body, "method": method}).status_code == status


def test_a_json_login_may_have_its_code_mailed(story: Story) -> None:
    """Three times, to whoever holds the challenge; everybody else learns nothing."""
    give_mail(story)
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    answers = []
    for _ in range(4):
        story.clock.advance(1)
        answers.append(story.ask("POST", "/login/email-code", json={"challenge_id": challenge}))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].json() == {"sent": True, "expires_in": 600}
    assert answers[3].json()["error"] == "too_many_codes"
    unknown = story.ask("POST", "/login/email-code", json={"challenge_id": "x" * 43})
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_challenge")
    body = {"challenge_id": challenge, "method": "email_code", "code": mailed_codes(story)[-1]}
    assert story.ask("POST", "/login/complete", json=body).json()["allowed"] is True


def test_a_json_login_that_takes_no_mail_says_so(story: Story) -> None:
    """Alice's address is not verified."""
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    answer = story.ask("POST", "/login/email-code", json={"challenge_id": challenge})
    assert (answer.status_code, answer.json()["error"]) == (422, "method_not_available")


def test_who_is_asked_too_often_waits(story: Story) -> None:
    """429 with the time; the browser keeps its card and says so, and no further prompt is announced."""
    story.scorer.score = 65.0
    answers = [story.login() for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "600"
    browser = at_card(story)
    assert browser.page is not None
    assert browser.page.status_code == 429
    assert "current-password" in browser.page.text


def test_those_who_watch_are_told_of_prompts_without_end(story: Story) -> None:
    """Once a minute, however often somebody knocks who knows the password; the owner's prompts stay five."""
    story.scorer.score = 65.0
    for _ in range(8):
        story.login()
    story.clock.advance(59)
    assert story.login().status_code == 429
    assert story.audited().count(("login.failed", "prompted_too_often")) == 1
    story.clock.advance(1)
    assert story.login().status_code == 429
    assert story.audited().count(("login.failed", "prompted_too_often")) == 2
    assert story.audited().count(("login.challenged", "medium")) == 5
