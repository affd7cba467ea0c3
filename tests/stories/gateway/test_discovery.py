"""The discovery document says what is: each of its words is asked for at the endpoint that it is about."""

from collections.abc import Callable
from typing import Any

import pytest
from authlib.oauth2 import rfc9207
from authlib.oidc.discovery import OpenIDProviderMetadata

from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def document(story: Story) -> dict[str, Any]:
    known: dict[str, Any] = story.ask("GET", f"{ISSUER}/.well-known/openid-configuration").json()
    return known


def test_both_addresses_hold_the_same_well_formed_document(story: Story) -> None:
    """OpenID Connect Discovery 1.0 and RFC 8414, as another library reads them."""
    known = document(story)
    assert known == story.ask("GET", f"{ISSUER}/.well-known/oauth-authorization-server").json()
    metadata = OpenIDProviderMetadata(known)
    metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    assert known["issuer"] == ISSUER


def test_every_address_is_served(story: Story) -> None:
    """Whatever it answers to an empty request, it is there."""
    addresses = {name: value for name, value in document(story).items() if name.endswith(("_endpoint", "_uri"))}
    assert len(addresses) >= 9
    missing = [
        name
        for name, address in addresses.items()
        if {story.ask(method, address).status_code for method in ("GET", "POST")} <= {404, 405}
    ]
    assert missing == []


def test_every_prompt_and_level_is_understood_and_others_are_not_promised(story: Story) -> None:
    """None of them is an error of form."""
    registered(story)
    known = document(story)
    for prompt in known["prompt_values_supported"]:
        page = Browser(story).authorize(prompt=prompt)
        assert page.status_code == 200 or returned(page)["error"] == "login_required"
    browser = Browser(story)
    assert browser.sign_in("bob", acr_values=known["acr_values_supported"][-1])["error"].startswith("unmet")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "login Consent"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
    ],
)
def test_what_is_not_in_the_document_is_refused(story: Story, changed: dict[str, str], error: str) -> None:
    """And what is there is taken, as every other story shows."""
    registered(story)
    assert returned(Browser(story).authorize(**changed))["error"] == error


def test_every_grant_is_known_at_the_token_endpoint(story: Story) -> None:
    """An unknown one is unsupported; these are wrong for other reasons."""
    secret = registered(
        story, grant_types=("authorization_code", "refresh_token", "client_credentials",
                            "urn:ietf:params:oauth:grant-type:device_code"),
    )  # fmt: skip
    for grant in document(story)["grant_types_supported"]:
        answer = story.ask("POST", f"{ISSUER}/token", data={"grant_type": grant}, auth=("app", secret))
        assert answer.json().get("error") != "unsupported_grant_type", grant


def test_the_keys_sign_by_the_algorithms_that_are_named(story: Story) -> None:
    """One key for each way to sign ID tokens."""
    keys = story.ask("GET", document(story)["jwks_uri"]).json()["keys"]
    assert set(document(story)["id_token_signing_alg_values_supported"]) <= {key["alg"] for key in keys}


def test_an_issuer_that_is_no_address_has_no_document(story_with: Callable[..., Story]) -> None:
    """JWT_ISSUER is a name then, and the gateway the login service that it was."""
    plain = story_with()
    for path in ("/.well-known/openid-configuration", "/authorize", "/par", "/assets/pages.css"):
        assert plain.ask("GET", path).status_code == 404
