"""Which origins the pages of registered applications have."""

from typing import Any

import pytest

from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.page_origins import page_origins


def page(*redirect_uris: str, **registration: Any) -> RegisteredClient:
    given = {"token_endpoint_auth_method": "none", "application_type": "native", **registration}
    return RegisteredClient(client_id="page", grant_types=("authorization_code",), redirect_uris=redirect_uris, **given)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://app.example/callback?a=b", "https://app.example"),
        ("https://app.example:8443/callback", "https://app.example:8443"),
        ("https://app.example:443/callback", "https://app.example"),
        ("HTTPS://App.Example/Callback", "https://app.example"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1"),
        ("http://[::1]:3000/cb", "http://[::1]:3000"),
        ("https://[2001:DB8:0:0::1]/cb", "https://[2001:db8::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(uri: str, origin: str) -> None:
    """Lower case, no usual port, nothing of the path."""
    assert page_origins([page(uri)]) == {origin}


@pytest.mark.parametrize(
    "uri", ["com.example.app:/cb", "com.example.app://app.example/cb", "https://[::g]/", "https://a:x/"]
)
def test_what_is_no_address_of_a_page_has_none(uri: str) -> None:
    """A scheme of an application's own; an address that cannot be read, which spoils none of the others."""
    assert page_origins([page(uri, "https://app.example/cb")]) == {"https://app.example"}


def test_only_applications_that_prove_nothing_are_pages() -> None:
    """One with a secret or a key of its own has a server that calls for it."""
    secretive = page("https://shop.example/cb", token_endpoint_auth_method="client_secret_basic")
    keyed = page("https://bank.example/cb", token_endpoint_auth_method="private_key_jwt", jwks="{}")
    assert page_origins([secretive, keyed, page("https://app.example/cb", "https://www.app.example/cb")]) == {
        "https://app.example",
        "https://www.app.example",
    }
