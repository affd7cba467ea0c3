"""What the certification plans of the OpenID Foundation ask of a provider, and no other story does.

`docs/conformance.md` says which of their modules is covered where.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.stories.gateway.applications import read
from tests.stories.gateway.relying_party import ISSUER, Browser, asked, redeem, registered, returned
from tests.stories.gateway.story import NOW, Story

BACK = "https://app.example/bye"
UNSIGNED = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + ".e30."


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def secret(story: Story) -> str:
    """The application's."""
    return registered(story, post_logout_redirect_uris=(BACK,))


def tokens_of(story: Story, answer: dict[str, str], secret: str) -> dict[str, Any]:
    tokens: dict[str, Any] = redeem(story, answer["code"], secret=secret).json()
    return tokens


def identity(story: Story, tokens: dict[str, Any]) -> dict[str, Any]:
    return read(story, tokens["id_token"], "app")


def told(story: Story, tokens: dict[str, Any]) -> Any:
    return story.ask("GET", "/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})


@pytest.mark.parametrize(
    "more",
    [
        {"display": "page"},
        {"display": "popup"},
        {"ui_locales": "se en"},
        {"claims_locales": "se"},
        {"extra": "foobar"},
        {"acr_values": "1 2"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_wishes_that_nobody_knows_change_nothing(story: Story, secret: str, more: dict[str, str]) -> None:
    """The person signs in as ever, and the ID token says how they did."""
    claims = identity(story, tokens_of(story, Browser(story).sign_in(**more), secret))
    assert (claims["sub"], claims["acr"], claims["nonce"]) == ("id-alice", "aal1", "no")


def test_without_a_nonce_there_is_none(story: Story, secret: str) -> None:
    """The code flow needs none, and nothing is made up."""
    assert "nonce" not in identity(story, tokens_of(story, Browser(story).sign_in(nonce=None), secret))


def test_the_order_of_scopes_and_parameters_does_not_count(story: Story, secret: str) -> None:
    """RFC 6749, section 3.3."""
    browser = Browser(story)
    parameters = list(asked(scope="email profile openid").items())[::-1]
    browser.follow(browser.ask("GET", f"{ISSUER}/authorize?{urlencode(parameters)}"))
    tokens = tokens_of(story, returned(browser.password()), secret)
    assert set(tokens["scope"].split()) == {"openid", "profile", "email"}
    assert told(story, tokens).json()["preferred_username"] == "alice"


def test_scopes_that_are_not_offered_are_dropped(story: Story, secret: str) -> None:
    """`address` and `phone`: no error and no claim, and the answer says what was granted."""
    scope = "openid profile email address phone offline_access"
    tokens = tokens_of(story, Browser(story).sign_in(scope=scope), secret)
    assert tokens["scope"] == "openid profile email offline_access"
    assert not {"address", "phone_number"} & set(told(story, tokens).json())


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": 1}], ids=["prompt-login", "max-age-1"])
def test_who_signs_in_again_has_a_new_auth_time(story: Story, secret: str, wish: dict[str, Any]) -> None:
    """The second ID token tells the second login, of the same person."""
    browser = Browser(story)
    first = identity(story, tokens_of(story, browser.sign_in(), secret))
    story.clock.advance(2)
    assert "current-password" in browser.authorize(**wish).text
    second = identity(story, tokens_of(story, returned(browser.password()), secret))
    assert (first["auth_time"], second["auth_time"]) == (int(NOW), int(NOW) + 2)
    assert first["sub"] == second["sub"]


@pytest.mark.parametrize("wish", [{"prompt": "none"}, {"max_age": 10_000}, {"prompt": "none", "hint": "its own"}])
def test_who_is_not_asked_again_has_the_old_auth_time(story: Story, secret: str, wish: dict[str, Any]) -> None:
    """Silently, within `max_age`, and by a hint that names who is signed in."""
    browser = Browser(story)
    tokens = tokens_of(story, browser.sign_in(), secret)
    story.clock.advance(60)
    hint = {"id_token_hint": tokens["id_token"]} if "hint" in wish else {}
    given = {name: value for name, value in wish.items() if name != "hint"}
    again = identity(story, tokens_of(story, returned(browser.authorize(**given, **hint)), secret))
    assert [again[name] for name in ("sub", "auth_time")] == ["id-alice", int(NOW)]


def test_a_suggested_name_is_filled_in(story: Story, secret: str) -> None:
    """`login_hint` is where the person begins, and no more."""
    browser = Browser(story)
    assert 'value="alice"' in browser.authorize(login_hint="alice").text
    assert "code" in returned(browser.password())


def test_a_code_used_twice_after_half_a_minute_ends_its_tokens(story: Story, secret: str) -> None:
    """RFC 6749, section 4.1.2."""
    answer = Browser(story).sign_in()
    tokens = tokens_of(story, answer, secret)
    assert told(story, tokens).status_code == 200
    story.clock.advance(30)
    again = redeem(story, answer["code"], secret=secret)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert told(story, tokens).status_code == 401


def test_a_posted_request_leads_to_the_page(story: Story, secret: str) -> None:
    """OpenID Connect Core, section 3.1.2.1: GET and POST."""
    browser = Browser(story)
    assert "current-password" in browser.follow(browser.ask("POST", f"{ISSUER}/authorize", data=asked())).text
    assert "code" in returned(browser.password())


def test_an_essential_claim_is_told_without_its_scope(story: Story, secret: str) -> None:
    """At userinfo, since it was asked for there."""
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = tokens_of(story, Browser(story).sign_in(scope="openid", claims=claims), secret)
    assert told(story, tokens).json() == {"sub": "id-alice", "name": "alice"}
    assert "name" not in identity(story, tokens)


def test_a_request_object_is_refused_where_the_request_leads(story: Story, secret: str) -> None:
    """To the application at its registered address; at a wrong one beside it the person sees a page."""
    assert returned(Browser(story).authorize(request=UNSIGNED))["error"] == "request_not_supported"
    page = Browser(story).authorize(request=UNSIGNED, redirect_uri="https://app.example/invalid")
    assert (page.status_code, "location" in page.headers) == (400, False)


def test_a_refresh_tells_the_same_person_and_is_its_own_client_s(story: Story, secret: str) -> None:
    """OpenID Connect Core, section 12.2; another application gets nothing for it."""
    others = registered(story, "other")
    tokens = tokens_of(story, Browser(story).sign_in(scope="openid offline_access"), secret)
    story.clock.advance(5)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    stolen = story.ask("POST", "/token", data=form, auth=("other", others))
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    fresh = story.ask("POST", "/token", data=form, auth=("app", secret)).json()
    before, after = identity(story, tokens), identity(story, fresh)
    assert [before[name] for name in ("iss", "sub", "aud", "auth_time")] == [
        after[name] for name in ("iss", "sub", "aud", "auth_time")
    ]
    assert after["iat"] == before["iat"] + 5


def test_the_discovery_document_has_what_the_plans_look_for(story: Story) -> None:
    """Config OP, and the two modules of the logout plans."""
    answer = story.ask("GET", "/.well-known/openid-configuration")
    known = answer.json()
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert known["issuer"] == ISSUER
    assert "code" in known["response_types_supported"]
    assert known["subject_types_supported"] == ["public"]
    algorithms = known["id_token_signing_alg_values_supported"]
    assert ("RS256" in algorithms, "none" in algorithms) == (True, False)
    assert "openid" in known["scopes_supported"]
    assert {"sub", "iss", "name", "email"} <= set(known["claims_supported"])
    assert "authorization_code" in known["grant_types_supported"]
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert known["request_parameter_supported"] is known["request_uri_parameter_supported"] is False
    assert "client_secret_post" not in known["token_endpoint_auth_methods_supported"]
    assert known["end_session_endpoint"] == f"{ISSUER}/logout"
    assert known["backchannel_logout_supported"] is known["backchannel_logout_session_supported"] is True
    addresses = [value for name, value in known.items() if name.endswith(("_endpoint", "_uri"))]
    assert all(address.startswith("https://") for address in addresses)


def test_the_published_keys_are_public_and_named(story: Story) -> None:
    """No private and no symmetric key, and each with its use and its name."""
    for key in story.ask("GET", "/.well-known/jwks.json").json()["keys"]:
        assert key["kty"] in {"EC", "RSA"}
        assert key["use"] == "sig"
        assert key["kid"]
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()


@pytest.mark.parametrize("state", ["st", None])
def test_after_signing_out_the_application_must_ask_again(story: Story, secret: str, state: str | None) -> None:
    """Back at the registered address, with the state if there was one, and `prompt=none` finds nobody."""
    browser = Browser(story)
    tokens = tokens_of(story, browser.sign_in(), secret)
    given = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BACK, "state": state}
    params = {name: value for name, value in given.items() if value is not None}
    away = browser.ask("GET", f"{ISSUER}/logout", params=params)
    assert away.headers["location"] == (BACK if state is None else f"{BACK}?state=st")
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("params", [{}, {"state": "st"}], ids=["no-params", "only-state"])
def test_a_sign_out_that_names_nothing_asks_and_stays_with_us(
    story: Story, secret: str, params: dict[str, str]
) -> None:
    """The person presses the button, is told that they are signed out, and is."""
    browser = Browser(story)
    browser.sign_in()
    browser.where = f"{ISSUER}/logout"
    browser.page = browser.ask("GET", browser.where, params=params)
    answer = browser.post(answer="out")
    assert (answer.status_code, "You are signed out" in answer.text) == (200, True)
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"


def test_a_sign_out_without_an_address_stays_with_us(story: Story, secret: str) -> None:
    """The hint is enough to sign out, and a page says that it is done."""
    browser = Browser(story)
    hint = tokens_of(story, browser.sign_in(), secret)["id_token"]
    page = browser.ask("GET", f"{ISSUER}/logout", params={"id_token_hint": hint})
    assert (page.status_code, "You are signed out" in page.text) == (200, True)
    assert returned(browser.authorize(prompt="none"))["error"] == "login_required"
