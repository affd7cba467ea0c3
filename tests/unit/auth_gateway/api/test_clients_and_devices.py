"""Who is calling, from which browser."""

import base64

import pytest
from starlette.requests import Request

from auth_gateway.api.clients import PUBLIC, calling_client
from auth_gateway.api.devices import DeviceCookie, device_id_of
from auth_gateway.core.context import Client
from plumbing.credentials import digest
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused

APP = Client(client_id="app:1".replace(":", "."), may_vouch=True)
SECRET = "s3cret with space+%"


def registered(client_id: str, secret_digest: bytes) -> Client | None:
    return APP if (client_id, secret_digest) == (APP.client_id, digest(SECRET)) else None


def request(**headers: bytes) -> Request:
    return Request({"type": "http", "headers": [(name.encode(), value) for name, value in headers.items()]})


def basic(pair: bytes) -> bytes:
    return b"Basic " + base64.b64encode(pair)


def test_nobody_is_the_public_client() -> None:
    """It may do nothing special."""
    assert calling_client(request(), registered) == PUBLIC == Client(client_id="public")


@pytest.mark.parametrize("scheme", [b"Basic", b"basic", b"BASIC"])
def test_a_client_proves_itself_by_basic(scheme: bytes) -> None:
    """Id and secret are form-encoded inside (RFC 6749, section 2.3.1)."""
    pair = base64.b64encode(b"app.1:s3cret+with+space%2B%25")
    assert calling_client(request(authorization=scheme + b" " + pair), registered) == APP


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Basic",
        b"Basic ",
        b"Basic !!!!",
        b"Basic YQ==",
        b"Basic \xff\xfe",
        b"Bearer rgc_token",
        basic(b"app.1"),
        basic(b"app.1:wrong"),
        basic(b"other:s3cret+with+space%2B%25"),
        basic(b":"),
        basic(b"\xff:\xfe"),
        basic(b"app.1:%ff%fe"),
        basic(b"app.1:" + b"A" * 7000),
        basic(b"app.1:s3cret\x00"),
    ],
)
def test_what_is_no_proof_is_refused_and_never_anonymous(header: bytes) -> None:
    """401 with the scheme that we take."""
    with pytest.raises(Refused) as refused:
        calling_client(request(authorization=header), registered)
    assert (refused.value.code, refused.value.status) == ("invalid_client", 401)
    assert refused.value.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(("is_https", "name"), [(True, "__Host-device"), (False, "device")])
def test_the_cookie_that_we_set_is_the_one_that_we_read(is_https: bool, name: str) -> None:
    """And the same value again, not a new one."""
    cookie = DeviceCookie(is_https=is_https, randomness=SeededRandomness(1))
    value = cookie.value(request())
    header = cookie.header(value)
    assert header.startswith(f"{name}={value}; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert ("Secure" in header.split("; ")) is is_https
    assert cookie.value(request(cookie=f"a=b; {name}={value}".encode())) == value


@pytest.mark.parametrize("value", [b"", b"short", b"A" * 44, b"A" * 42 + b"!", b"\xff" * 43, b"A" * 5000])
def test_a_value_that_we_never_made_is_replaced(value: bytes) -> None:
    """Nobody chooses their own device id."""
    cookie = DeviceCookie(is_https=False, randomness=SeededRandomness(1))
    assert cookie.value(request(cookie=b"device=" + value)) == SeededRandomness(1).token()


def test_the_plain_cookie_is_not_read_over_https() -> None:
    """A neighbouring host could have planted it."""
    cookie = DeviceCookie(is_https=True, randomness=SeededRandomness(1))
    assert cookie.value(request(cookie=b"device=" + b"A" * 43)) != "A" * 43


def test_the_device_id_does_not_give_the_cookie_away() -> None:
    """The same for the same cookie, and without its text."""
    assert device_id_of("A" * 43) == device_id_of("A" * 43) != device_id_of("B" * 43)
    assert "A" * 8 not in device_id_of("A" * 43)
