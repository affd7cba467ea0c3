"""Every forged token at every door that takes one, over HTTP: refused with a stable code, nothing echoed, nothing done.

What reads them is tested without HTTP beside it; here it is whether each door asks, and what it answers. The doors that
people's browsers come to are `test_forged_requests`.
"""

import json

import httpx2
import pytest

from tests.contract.mints import assertion_mint, proof_mint
from tests.contract.provider import (
    ASKED,
    ASSERTION_TYPE,
    CALLBACK,
    CLIENT_KEY,
    GRANTS,
    MALFORMED,
    Shop,
    assert_refused,
    is_error,
)
from tests.stories.gateway.visits import ISSUER, registered


def test_userinfo_as_a_bearer(shop: Shop) -> None:
    """401 `invalid_token`."""
    mint = shop.access_mint()
    assert shop.userinfo("Bearer", mint.genuine()).json()["sub"] == shop.visit.user_id
    assert_refused(mint, lambda text: shop.userinfo("Bearer", text), is_error((401, "invalid_token")), in_a_header=True)


def test_userinfo_with_a_proof(shop: Shop) -> None:
    """401 even when the proof is right for the forged token."""
    mint = shop.access_mint(cnf={"jkt": CLIENT_KEY.thumbprint()})
    numbers = iter(range(10_000))

    def send(text: str) -> httpx2.Response:
        printable = text.encode("utf-8", "surrogatepass").decode("latin-1")
        proof = proof_mint(CLIENT_KEY, method="GET", url=f"{ISSUER}/userinfo", now=shop.now, access_token=printable)
        return shop.userinfo("DPoP", text, proof.genuine(jti=f"jti-{next(numbers)}"))

    assert send(mint.genuine()).status_code == 200
    refusals = is_error((401, "invalid_token"), (401, "invalid_dpop_proof"))
    assert_refused(mint, send, refusals, in_a_header=True)


def test_a_proof_at_userinfo(shop: Shop) -> None:
    """401 `invalid_dpop_proof` for a token that is bound and right."""
    token = shop.access_mint(cnf={"jkt": CLIENT_KEY.thumbprint()}).genuine()
    mint = proof_mint(CLIENT_KEY, method="GET", url=f"{ISSUER}/userinfo", now=shop.now, access_token=token)

    def send(text: str) -> httpx2.Response:
        return shop.userinfo("DPoP", token, text)

    refusals = is_error((401, "invalid_dpop_proof"), (401, "invalid_token"))
    assert_refused(mint, send, refusals, in_a_header=True)
    assert send(mint.genuine()).status_code == 200


def test_a_proof_at_the_token_endpoint(shop: Shop) -> None:
    """400 `invalid_dpop_proof`, and no token, bound or not."""
    mint = proof_mint(CLIENT_KEY, method="POST", url=f"{ISSUER}/token", now=shop.now)

    def send(text: str) -> httpx2.Response:
        headers = [(b"dpop", text.encode("utf-8", "surrogatepass"))]
        return shop.post("/token", headers=headers, auth=shop.app.auth, grant_type="client_credentials")

    assert_refused(mint, send, is_error((400, "invalid_dpop_proof")), in_a_header=True)
    assert send(mint.genuine()).json()["token_type"] == "DPoP"


def test_introspection(shop: Shop) -> None:
    """`{"active": false}`, and not a word more."""
    mint = shop.access_mint()

    def send(text: str) -> httpx2.Response:
        return shop.post("/introspect", auth=shop.app.auth, token=text)

    def is_refusal(answer: httpx2.Response) -> bool:
        return answer.json() == {"active": False} or is_error((400, "invalid_request"))(answer)

    assert_refused(mint, send, is_refusal)
    assert_refused(shop.hint_mint(), send, is_refusal)
    assert send(mint.genuine()).json()["active"] is True


def test_revocation(shop: Shop) -> None:
    """200 as for any token, and nobody is signed out by it."""
    mint = shop.access_mint()

    def send(text: str) -> httpx2.Response:
        return shop.post("/revoke", auth=shop.app.auth, token=text)

    def is_refusal(answer: httpx2.Response) -> bool:
        return (answer.status_code, answer.content) == (200, b"") or is_error((400, "invalid_request"))(answer)

    assert_refused(mint, send, is_refusal)
    assert shop.is_signed_in()
    send(mint.genuine())
    assert not shop.is_signed_in()


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/par", "/device_authorization"])
def test_an_assertion(shop: Shop, path: str) -> None:
    """401 `invalid_client` wherever applications prove themselves."""
    jwks = json.dumps({"keys": [{**CLIENT_KEY.as_dict(private=False), "kid": "k1"}]})
    registered(
        shop.story,
        "robot",
        grant_types=GRANTS,
        redirect_uris=(CALLBACK,),
        token_endpoint_auth_method="private_key_jwt",
        jwks=jwks,
    )
    mint = assertion_mint(CLIENT_KEY, kid="k1", client_id="robot", issuer=ISSUER, now=shop.now)

    def send(text: str) -> httpx2.Response:
        # An empty parameter counts as left out (RFC 6749, section 3.2), and then nobody tried to prove anything.
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text or "-"}
        more = {**ASKED, "client_id": "robot"} if path == "/par" else {"token": "x", "grant_type": "client_credentials"}
        if path == "/device_authorization":
            more = {"client_id": "robot"}
        return shop.post(path, **more, **proof)

    assert_refused(mint, send, is_error((401, "invalid_client"), *MALFORMED))
    assert send(mint.genuine()).status_code in {200, 201}
    assert is_error((401, "invalid_client"))(send(mint.genuine())), "an assertion counts once"


@pytest.mark.parametrize(
    ("grant_type", "field"),
    [
        ("refresh_token", "refresh_token"),
        ("authorization_code", "code"),
        ("urn:ietf:params:oauth:grant-type:device_code", "device_code"),
    ],
)
def test_what_is_no_jwt_of_ours_is_none_in_disguise(shop: Shop, grant_type: str, field: str) -> None:
    """Refresh tokens, codes and device codes are looked up, never read: 400, also for genuine tokens of other kinds."""

    def send(text: str) -> httpx2.Response:
        more = {"redirect_uri": "https://shop.example/", "code_verifier": "v" * 43, field: text}
        return shop.post("/token", auth=shop.app.auth, grant_type=grant_type, **more)

    refusal = is_error((400, "invalid_grant"), *MALFORMED)
    assert_refused(shop.access_mint(), send, refusal)
    for text in (shop.visit.access_token, shop.visit.id_token, shop.visit.cookie, shop.visit.refresh_token[:-1]):
        assert refusal(send(text))
    assert shop.is_signed_in()
