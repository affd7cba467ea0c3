"""What a registration must keep to, rule by rule."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.provider.client import DEVICE_CODE, RegisteredClient
from auth_gateway.core.provider.registration import check_registration
from plumbing.refusals import Refused

WEB = RegisteredClient(
    client_id="shop",
    client_name="The Shop – Læsø",
    grant_types=("authorization_code", "refresh_token"),
    redirect_uris=("https://shop.example/back",),
)
NATIVE = msgspec.structs.replace(WEB, application_type="native", token_endpoint_auth_method="none")
DEVICE = RegisteredClient(
    client_id="tv",
    grant_types=(DEVICE_CODE, "refresh_token"),
    token_endpoint_auth_method="none",
    application_type="native",
)
SERVICE = RegisteredClient(client_id="job", grant_types=("client_credentials",), scopes=("orders:read",))
JSON = RegisteredClient(client_id="app", may_log_in=True, may_vouch=True, may_see_scores=True)


def code_of(client: RegisteredClient, **changes: Any) -> str:
    """Why it is refused; nothing when it passes."""
    try:
        check_registration(msgspec.structs.replace(client, **changes))
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("client", [WEB, NATIVE, DEVICE, SERVICE, JSON])
def test_sound_registrations_pass(client: RegisteredClient) -> None:
    """A shop, a phone's application, a television, a nightly job, a first-party application."""
    assert code_of(client) == ""


ADDRESSES = [
    ("https://shop.example/back?x=1", True, True),
    ("https://shop.example:8443/back", True, True),
    ("https://shop.example/back?country=se&x=%C3%BC", True, True),
    ("https://[2001:db8::1]/back", True, True),
    ("http://localhost:3000/back", True, True),
    ("http://127.0.0.1/back", True, True),
    ("http://[::1]:9/back", True, True),
    ("com.example.shop:/back", False, True),
    ("com.example.shop://back", False, True),
    ("https://shop.example", True, True),
    ("https://shop.example/..back/a../.b/c.d/...?x=/../[y]", True, True),
    ("com.example.shop:/..back", False, True),
    ("https://shop.example/a/../back", False, False),
    ("https://shop.example/..", False, False),
    ("https://shop.example/./back", False, False),
    ("https://shop.example/a/%2e%2E/back", False, False),
    ("https://shop.example/a/.%2e?x", False, False),
    ("com.example.shop:/a/../back", False, False),
    ("com.example.shop://host/../back", False, False),
    ("https://shop.example/[back]", False, False),
    ("https://shop.example/a]", False, False),
    ("com.example.shop:/[a", False, False),
    ("https://shop..example/back", False, False),
    ("https://.shop.example/back", False, False),
    ("https://shop.example./back", False, False),
    ("https://shop-.example/back", False, False),
    ("http://shop.example/back", False, False),
    ("http://localhost.evil.example/", False, False),
    ("http://127.0.0.1@evil.example/", False, False),
    ("http://127.0.0.2/", False, False),
    ("https://user:pass@shop.example/", False, False),
    ("https://shop.example/back#", False, False),
    ("https://shop.example/#at", False, False),
    ("https://*.shop.example/", False, False),
    ("https://shop.example/*", False, False),
    ("https:///back", False, False),
    ("https:shop.example", False, False),
    ("//shop.example/back", False, False),
    ("/back", False, False),
    ("", False, False),
    ("https://shop.example/a b", False, False),
    ("https://shop.example/\n", False, False),
    ("https://shop.example\\@evil.example/", False, False),
    ("https://shop.example/%zz", False, False),
    ("https://shop.example/%", False, False),
    ("https://shop.example;default-src/", False, False),
    ("https://shop.example:port/", False, False),
    ("https://shop.example:99999/", False, False),
    ("https://[::1/", False, False),
    ("https://münchen.example/", False, False),
    ("https://shop.example/" + "a" * 2000, False, False),
    ("shop:/back", False, False),
    ("javascript:alert(1)", False, False),
    ("data:text/html,x", False, False),
    ("Com.Example:/back", False, False),
    ("com.example.shop", False, False),
    ("com.example.shop:back", False, False),
]


@pytest.mark.parametrize(("uri", "for_web", "for_native"), ADDRESSES)
def test_addresses_are_https_or_this_very_machine(uri: str, for_web: bool, for_native: bool) -> None:
    """A scheme of one's own has a dot and is native alone; nothing that a browser and we could read in two ways."""
    for client, passes in ((WEB, for_web), (NATIVE, for_native)):
        expected = "" if passes else "invalid_redirect_uri"
        assert code_of(client, redirect_uris=(uri,)) == expected
        assert code_of(client, post_logout_redirect_uris=(uri,)) == expected
        assert code_of(client, backchannel_logout_uri=uri) == ("" if for_web else "invalid_redirect_uri")


@pytest.mark.parametrize("query", ["code=1", "x=1&st%61te=", "iss=https://id.example", "error=no"])
def test_an_address_says_nothing_that_our_answer_says(query: str) -> None:
    """The application would find it twice and might believe the wrong one; a back channel gets no such answer."""
    for uri in (f"https://shop.example/back?{query}", f"com.example.shop:/back?{query}"):
        assert code_of(NATIVE, redirect_uris=(uri,)) == "invalid_redirect_uri"
        assert code_of(NATIVE, post_logout_redirect_uris=(uri,)) == "invalid_redirect_uri"
    assert code_of(WEB, backchannel_logout_uri=f"https://shop.example/back?{query}") == ""


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        (WEB, {"redirect_uris": ()}),
        (SERVICE, {"redirect_uris": ("https://shop.example/",)}),
        (WEB, {"redirect_uris": ("https://shop.example/",) * 2}),
        (WEB, {"redirect_uris": tuple(f"https://shop.example/{n}" for n in range(21))}),
        (DEVICE, {"post_logout_redirect_uris": ("https://shop.example/",)}),
    ],
)
def test_addresses_fit_the_grants(client: RegisteredClient, changes: dict[str, Any]) -> None:
    """The code grant needs them, nothing else does; few, and each once."""
    assert code_of(client, **changes) == "invalid_redirect_uri"


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        (WEB, {"client_id": "public"}),
        (WEB, {"client_id": "a:b"}),
        (WEB, {"client_id": ""}),
        (WEB, {"client_id": "x" * 65}),
        (WEB, {"client_name": "x" * 101}),
        (WEB, {"client_name": "evil\u202eshop"}),
        (WEB, {"client_name": "a\nb"}),
        (WEB, {"scopes": ()}),
        (WEB, {"scopes": ("open id",)}),
        (WEB, {"scopes": ('"',)}),
        (WEB, {"scopes": ("x" * 65,)}),
        (WEB, {"audience": "two words"}),
        (WEB, {"audience": "x" * 256}),
        (WEB, {"access_ttl_seconds": 59}),
        (WEB, {"access_ttl_seconds": 86_401}),
        (WEB, {"refresh_ttl_seconds": 0}),
        (WEB, {"refresh_ttl_seconds": 365 * 86_400 + 1}),
        (WEB, {"token_endpoint_auth_method": "private_key_jwt"}),
        (WEB, {"jwks": '{"keys":[]}'}),
        (NATIVE, {"may_vouch": True}),
        (NATIVE, {"may_see_scores": True}),
        (NATIVE, {"may_introspect": True}),
        (NATIVE, {"may_log_in": True}),
        (SERVICE, {"token_endpoint_auth_method": "none", "application_type": "native"}),
        (WEB, {"token_endpoint_auth_method": "none"}),
        (JSON, {"token_endpoint_auth_method": "private_key_jwt", "jwks": "{}"}),
        (SERVICE, {"grant_types": ()}),
        (SERVICE, {"grant_types": ("client_credentials", "refresh_token")}),
        (SERVICE, {"requires_consent": True}),
        (SERVICE, {"require_pushed_authorization_requests": True}),
        (DEVICE, {"require_pushed_authorization_requests": True}),
    ],
)
def test_what_does_not_fit_is_refused(client: RegisteredClient, changes: dict[str, Any]) -> None:
    """Ids, names, scopes, lifetimes, rights without proof, grants without a beginning."""
    assert code_of(client, **changes) == "invalid_client_metadata"


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        (WEB, {"client_id": "x" * 64, "client_name": "x" * 100}),
        (WEB, {"access_ttl_seconds": 60, "refresh_ttl_seconds": 60}),
        (WEB, {"access_ttl_seconds": 86_400, "refresh_ttl_seconds": 365 * 86_400}),
        (WEB, {"token_endpoint_auth_method": "private_key_jwt", "jwks": '{"keys":[]}'}),
        (JSON, {"grant_types": ("refresh_token",)}),
        (SERVICE, {"grant_types": (), "may_introspect": True}),
        (DEVICE, {"requires_consent": True}),
    ],
)
def test_the_other_side_of_each_boundary_passes(client: RegisteredClient, changes: dict[str, Any]) -> None:
    """The longest, the shortest, and what fits after all."""
    assert code_of(client, **changes) == ""
