"""An application signs a person in: the authorization code flow from the first request to the tokens."""

from collections.abc import Callable

import jwt
import pytest

from tests.stories.gateway.relying_party import (
    CALLBACK,
    FOREIGN_SCRIPT,
    ISSUER,
    Browser,
    asked,
    redeem,
    registered,
    returned,
    without_chance,
)
from tests.stories.gateway.story import NOW, Story

AWAY = "203.0.113.77"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def secret(story: Story) -> str:
    """The application's."""
    return registered(story)


def id_token(story: Story, token: str) -> dict[str, object]:
    kid = jwt.get_unverified_header(token)["kid"]
    keys = jwt.PyJWKSet.from_dict(story.ask("GET", f"{ISSUER}/.well-known/jwks.json").json())
    options = {"verify_exp": False, "verify_iat": False}
    claims: dict[str, object] = jwt.decode(token, keys[kid].key, algorithms=["ES256"], audience="app", options=options)
    return claims


def test_a_person_signs_in_and_the_application_gets_tokens(story: Story, secret: str) -> None:
    """Request, password, code, tokens; the ID token names the person, the session and the nonce."""
    browser = Browser(story)
    page = browser.authorize()
    assert page.status_code == 200
    assert 'autocomplete="current-password"' in page.text
    answer = returned(browser.password())
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == "st"
    tokens = redeem(story, answer["code"], secret=secret).json()
    claims = id_token(story, tokens["id_token"])
    assert (claims["sub"], claims["nonce"], claims["acr"]) == ("id-alice", "no", "aal1")
    assert claims["auth_time"] == int(NOW)
    assert story.claims(tokens["access_token"])["sid"] == claims["sid"]


def test_the_cookies_are_of_this_host_alone_and_unreadable(story: Story, secret: str) -> None:
    """Neither a subdomain nor a script can plant or read them; they go with the browser."""
    browser = Browser(story)
    first = browser.ask("GET", f"{ISSUER}/authorize", params=asked())
    browser.follow(first)
    last = browser.ask(
        "POST", browser.where, data={**browser.fields(), "username": "alice", "password": "Password123!"}
    )
    cookies = first.headers.get_list("set-cookie") + last.headers.get_list("set-cookie")
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names == ["__Host-sign-in", "__Host-device", "__Host-session"]
    for cookie in (cookies[0], cookies[2]):
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
        assert "Max-Age" not in cookie


def test_a_second_application_needs_no_password(story: Story, secret: str) -> None:
    """The browser is signed in; the code comes at once, and both applications are in one session."""
    others_secret = registered(story, "other", client_name="Other")
    browser = Browser(story)
    first = redeem(story, browser.sign_in()["code"], secret=secret).json()
    other = returned(browser.authorize("other"))["code"]
    second = redeem(story, other, client_id="other", secret=others_secret).json()
    assert story.claims(first["access_token"])["sid"] == story.claims(second["access_token"])["sid"]
    assert story.claims(second["access_token"])["client_id"] == "other"


def test_silence_without_a_session_is_login_required(story: Story, secret: str) -> None:
    """`prompt=none` never shows a page."""
    assert returned(Browser(story).authorize(prompt="none"))["error"] == "login_required"


def test_silence_with_a_session_is_a_code(story: Story, secret: str) -> None:
    """An application may ask without bothering anybody."""
    browser = Browser(story)
    browser.sign_in()
    assert "code" in returned(browser.authorize(prompt="none"))


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": 60}, {"max_age": 0}])
def test_some_requests_want_the_password_again(story: Story, secret: str, wish: dict[str, object]) -> None:
    """A login inside this request answers the wish."""
    browser = Browser(story)
    browser.sign_in()
    story.clock.advance(120)
    assert "current-password" in browser.authorize(**wish).text
    assert "code" in returned(browser.password())


def test_a_level_that_was_not_reached_is_reached_by_a_code(story: Story, secret: str) -> None:
    """A step-up keeps the time of the password and makes another session."""
    browser = Browser(story)
    low = redeem(story, browser.sign_in()["code"], secret=secret).json()
    before = browser.cookies["__Host-session"]
    story.clock.advance(100)
    page = browser.authorize(acr_values="aal2")
    assert 'autocomplete="one-time-code"' in page.text
    high = redeem(story, returned(browser.code())["code"], secret=secret).json()
    was, claims = id_token(story, low["id_token"]), id_token(story, high["id_token"])
    assert (was["acr"], claims["acr"], claims["amr"]) == ("aal1", "aal2", ["pwd", "otp", "mfa"])
    assert claims["auth_time"] == was["auth_time"] == int(NOW)
    assert claims["sid"] != was["sid"]
    assert browser.cookies["__Host-session"] != before


def test_a_level_out_of_reach_is_told(story: Story, secret: str) -> None:
    """Bob has no authenticator."""
    browser = Browser(story)
    assert browser.sign_in("bob", acr_values="aal2")["error"] == "unmet_authentication_requirements"


def test_medium_risk_at_the_page_asks_for_a_code(story: Story, secret: str) -> None:
    """The same policy as everywhere."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize()
    assert "one-time-code" in browser.password().text
    tokens = redeem(story, returned(browser.code())["code"], secret=secret).json()
    assert id_token(story, tokens["id_token"])["acr"] == "aal2"
    kinds = [kind for kind, _ in story.audited()]
    assert kinds.count("login.challenged") == kinds.count("challenge.passed") == 1


def test_high_risk_at_the_page_ends_with_an_incident_and_the_application_learns_nothing(
    story: Story, secret: str
) -> None:
    """The person gets the incident id; going back is access_denied."""
    story.scorer.score = 95.0
    browser = Browser(story)
    browser.authorize()
    page = browser.password()
    assert page.status_code == 403
    assert "inc_" in page.text
    answer = returned(browser.post())
    assert answer.keys() == {"error", "error_description", "state"}
    assert answer["error"] == "access_denied"
    assert browser.follow(browser.ask("GET", browser.where)).status_code == 410


def test_a_wrong_password_shows_the_card_again_and_repeats_the_name_alone(story: Story, secret: str) -> None:
    """The same bytes for a wrong password, an unknown name and a frozen account, but for the name that was typed."""
    browser = Browser(story)
    browser.authorize()
    texts = set()
    for name, password in (("alice", "bad-guess"), ("nobody-here", "bad-guess"), ("frozen", "Password123!")):
        page = browser.password(name, password)
        assert page.status_code == 401
        assert password not in page.text.replace(f'value="{name}"', "")
        texts.add(without_chance(page.text).replace(f'value="{name}"', ""))
    assert len(texts) == 1
    assert "code" in returned(browser.password())


def test_a_guesser_is_made_to_wait(story: Story, secret: str) -> None:
    """Throttled as everywhere, and told when to come back."""
    browser = Browser(story)
    browser.authorize()
    pages = [browser.password("alice", "wrong") for _ in range(7)]
    assert pages[-1].status_code == 429
    assert int(pages[-1].headers["retry-after"]) >= 1


def test_a_wrong_code_can_be_tried_again_and_not_for_ever(story: Story, secret: str) -> None:
    """Five tries; then the password again."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize()
    browser.password()
    pages = [browser.code("000000") for _ in range(5)]
    assert all(page.status_code in {401, 429} for page in pages)
    story.clock.advance(1000)
    assert "current-password" in browser.code().text


def test_another_browser_cannot_go_on_with_an_interaction(story: Story, secret: str) -> None:
    """A link that is sent to somebody else opens nothing."""
    mine, theirs = Browser(story), Browser(story)
    mine.authorize()
    theirs.authorize()
    theirs.where, theirs.page = mine.where, mine.page
    assert theirs.password().status_code == 410
    assert theirs.follow(theirs.ask("GET", mine.where)).status_code == 410


@pytest.mark.parametrize(
    "forged",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_signs_nobody_in(story: Story, secret: str, forged: dict[str, str]) -> None:
    """Login CSRF would sign a person in as the attacker."""
    browser = Browser(story)
    browser.authorize()
    page = browser.post(forged, username="alice", password="Password123!")
    assert page.status_code == 400
    assert "__Host-session" not in browser.cookies


@pytest.mark.parametrize("csrf", ["", "x", "é"])
def test_a_form_without_our_proof_signs_nobody_in(story: Story, secret: str, csrf: str) -> None:
    """The hidden field is the browser's and the interaction's own."""
    browser = Browser(story)
    browser.authorize()
    assert browser.post(csrf=csrf, username="alice", password="Password123!").status_code == 400


def test_an_answer_to_an_old_card_does_nothing(story: Story, secret: str) -> None:
    """The back button brings an old form; the current card is shown."""
    story.scorer.score = 65.0
    browser = Browser(story)
    browser.authorize()
    old = browser.page
    browser.password()
    browser.page = old
    assert "one-time-code" in browser.password().text


def test_an_interaction_ends_in_half_an_hour(story: Story, secret: str) -> None:
    """Then the page says to start again."""
    browser = Browser(story)
    browser.authorize()
    story.clock.advance(1800)
    assert browser.password().status_code == 410


def test_consent_is_asked_once_for_what_is_new(story: Story) -> None:
    """An application that needs it; what was agreed to is not asked again."""
    registered(story, requires_consent=True)
    browser = Browser(story)
    browser.authorize()
    page = browser.password()
    assert "your name" in page.text
    assert returned(browser.post(answer="no"))["error"] == "access_denied"
    browser.authorize()
    assert "code" in returned(browser.post(answer="yes"))
    assert "code" in returned(browser.authorize())
    assert "your e-mail address" in browser.authorize(scope="openid profile email").text
    assert [kind for kind, _ in story.audited() if kind.startswith("consent")] == ["consent.refused", "consent.given"]


def test_another_person_at_the_same_browser_ends_what_was_there(story: Story, secret: str) -> None:
    """Alice's sessions of this browser end when Bob signs in at it."""
    browser = Browser(story)
    first = redeem(story, browser.sign_in()["code"], secret=secret).json()
    story.clock.advance(1)
    browser.authorize(prompt="login")
    assert "code" in returned(browser.password("bob"))
    assert ("session.revoked", "another_person") in story.audited()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    again = story.ask("POST", f"{ISSUER}/token", data=form, auth=("app", secret))
    assert again.json()["error"] == "invalid_grant"


def test_who_was_named_and_who_signed_in_must_be_the_same(story: Story, secret: str) -> None:
    """An application that names Alice by her ID token gets nobody else."""
    hint = redeem(story, Browser(story).sign_in()["code"], secret=secret).json()["id_token"]
    browser = Browser(story)
    browser.authorize(id_token_hint=hint)
    assert returned(browser.password("bob"))["error"] == "login_required"


def test_a_session_cookie_from_far_away_is_not_enough(story: Story, secret: str) -> None:
    """A stolen cookie at medium risk asks for a code, at high risk it ends the session."""
    browser = Browser(story)
    browser.sign_in()
    thief = Browser(story, peer=AWAY, agent="curl", cookies={"__Host-session": browser.cookies["__Host-session"]})
    story.scorer.judge = lambda event: 70.0 if event["ip"] == AWAY else 10.0
    assert returned(thief.authorize(prompt="none"))["error"] == "interaction_required"
    assert "one-time-code" in thief.authorize().text
    story.scorer.judge = lambda event: 95.0 if event["ip"] == AWAY else 10.0
    thief.agent = "curl/2"
    page = thief.authorize()
    assert page.status_code == 403
    assert ("session.revoked", "high_risk") in story.audited()
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


def test_without_a_scorer_a_changed_place_asks_for_the_password(story: Story, secret: str) -> None:
    """And an unchanged one goes on."""
    browser = Browser(story)
    browser.sign_in()
    story.scorer.status = 500
    assert "code" in returned(browser.authorize())
    browser.peer = AWAY
    assert "current-password" in browser.authorize().text


def test_a_frozen_account_is_signed_out(story: Story, secret: str) -> None:
    """The browser's session is nobody's any more."""
    browser = Browser(story)
    browser.sign_in()
    story.gateway.accounts.freeze("alice")
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


def test_a_browser_session_ends_in_its_hours(story: Story, secret: str) -> None:
    """BROWSER_SESSION_HOURS, 12 unless set."""
    browser = Browser(story)
    browser.sign_in()
    story.clock.advance(12 * 3600 - 1)
    assert "code" in returned(browser.authorize(prompt="none"))
    story.clock.advance(1)
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


def test_a_code_alone_makes_nobody_stay_longer(story: Story, secret: str) -> None:
    """The hours count from the password, however often a second factor was shown since."""
    browser = Browser(story)
    browser.sign_in()
    story.clock.advance(11 * 3600)
    browser.authorize(acr_values="aal2")
    assert "code" in returned(browser.code())
    story.clock.advance(3600)
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize(
    "changed", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/cb"}, {"redirect_uri": None}]
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    story: Story, secret: str, changed: dict[str, str]
) -> None:
    """A page, and nothing of the request on it."""
    page = Browser(story).follow(story.ask("GET", f"{ISSUER}/authorize", params={**asked(**changed)}))
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "evil" not in page.text


def test_a_request_can_be_posted(story: Story, secret: str) -> None:
    """From another site it comes without cookies and is sent round by GET, where the session is seen."""
    browser = Browser(story)
    browser.sign_in()
    sent = story.ask("POST", f"{ISSUER}/authorize", data=asked(prompt="none"))
    assert sent.status_code == 303
    assert "code" in returned(browser.follow(browser.ask("GET", sent.headers["location"])))


def test_the_page_lets_nothing_run_and_leads_only_to_us_and_the_application(story: Story, secret: str) -> None:
    """Chromium holds the redirect after a form to the same policy."""
    page = Browser(story).authorize()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert policy.endswith("form-action 'self' https://app.example")
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert FOREIGN_SCRIPT.findall(page.text) == []
    assert CALLBACK not in page.text


def test_what_an_application_suggests_is_shown_as_text(story: Story, secret: str) -> None:
    """`login_hint` is typed by a stranger."""
    page = Browser(story).authorize(login_hint='"><script>alert(1)</script>')
    assert FOREIGN_SCRIPT.findall(page.text) == []
    assert "&lt;script&gt;" in page.text
