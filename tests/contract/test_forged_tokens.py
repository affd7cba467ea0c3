"""Every forged token at every door that takes one, over HTTP: refused with a stable code, nothing echoed, nothing done.

What reads them is tested without HTTP beside it; here it is whether each door asks, and what it answers.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
import pytest
from joserfc.jwk import ECKey

from tests.contract.forged_tokens import Forgery, Mint, forgeries
from tests.contract.mints import access_mint, assertion_mint, hint_mint, proof_mint
from tests.stories.gateway.story import Story, running_story
from tests.stories.gateway.visits import ISSUER, Application, Visit, registered, signed_in

FORM = "application/x-www-form-urlencoded"
CALLBACK = "https://shop.example/callback"
ASKED = {
    "client_id": "shop", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "prompt": "none",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
}  # fmt: skip
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_KEY = ECKey.generate_key("P-256")
# What is empty or no UTF-8 is no request, and what is longer than any token of ours is not read.
MALFORMED = ((400, "invalid_request"), (413, "body_too_large"))
GRANTS = ("authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code")


@dataclass
class Shop:
    """A provider with an application that has every grant, and Alice, who is signed in there."""

    story: Story
    app: Application
    visit: Visit

    @property
    def now(self) -> float:
        return self.story.clock.now()

    def own_key(self) -> tuple[ECKey, str]:
        key = self.story.gateway.ring.current()
        return ECKey.import_key(key.private), key.kid

    def access_mint(self, **claims: Any) -> Mint:
        """Alice's own access token, as the gateway would sign it."""
        key, kid = self.own_key()
        said = jwt.decode(self.visit.access_token, options={"verify_signature": False})
        return access_mint(key, kid=kid, issuer=ISSUER, now=self.now, **{**said, **claims})

    def hint_mint(self) -> Mint:
        key, kid = self.own_key()
        return hint_mint(key, kid=kid, issuer=ISSUER, now=self.now, sub=self.visit.user_id, sid=self.visit.session_id)

    def post(self, path: str, *, headers: Any = (), auth: Any = None, **fields: str) -> httpx2.Response:
        body = urlencode(fields, errors="surrogatepass").encode()
        return self.story.ask("POST", path, content=body, headers=[("content-type", FORM), *headers], auth=auth)

    def userinfo(self, scheme: str, token: str, proof: str | None = None) -> httpx2.Response:
        headers = [(b"authorization", f"{scheme} {token}".encode("utf-8", "surrogatepass"))]
        if proof is not None:
            headers.append((b"dpop", proof.encode("utf-8", "surrogatepass")))
        return self.story.ask("GET", "/userinfo", headers=headers)

    def is_signed_in(self) -> bool:
        return self.userinfo("Bearer", self.visit.access_token).status_code == 200


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with running_story(tmp_path / "state", jwt_issuer=ISSUER, risk_api_credential="rgs_test") as story:
        app = registered(story, "shop", grant_types=GRANTS, redirect_uris=(CALLBACK,))
        yield Shop(story, app, signed_in(story, app))


def assert_refused(
    mint: Mint,
    send: Callable[[str], httpx2.Response],
    is_refusal: Callable[[httpx2.Response], bool],
    *,
    in_a_header: bool = False,
) -> None:
    """Every forgery is refused, and no answer repeats it."""
    wrong = []
    for forgery in _sendable(mint, in_a_header=in_a_header):
        answer = send(forgery.token)
        if not is_refusal(answer):
            wrong.append(f"{forgery.name}: {answer.status_code} {answer.text[:200]}")
        if len(forgery.token) > 8 and forgery.token.strip() in answer.text:
            wrong.append(f"{forgery.name}: echoed")
    assert wrong == []


def _sendable(mint: Mint, *, in_a_header: bool) -> Iterator[Forgery]:
    """White space around a header's value belongs to HTTP, so what it surrounds is no forgery there."""
    genuine = mint.genuine().split(".")[0]
    for forgery in forgeries(mint):
        is_stripped = forgery.token != forgery.token.strip() and forgery.token.strip().startswith(genuine)
        if not (in_a_header and is_stripped):
            yield forgery


def is_error(*expected: tuple[int, str]) -> Callable[[httpx2.Response], bool]:
    def check(answer: httpx2.Response) -> bool:
        return answer.status_code < 500 and (answer.status_code, answer.json().get("error")) in expected

    return check


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


def test_a_proof_with_a_pushed_request(shop: Shop) -> None:
    """400 `invalid_dpop_proof`, and nothing is kept."""
    mint = proof_mint(CLIENT_KEY, method="POST", url=f"{ISSUER}/par", now=shop.now)

    def send(text: str) -> httpx2.Response:
        headers = [(b"dpop", text.encode("utf-8", "surrogatepass"))]
        return shop.post("/par", headers=headers, auth=shop.app.auth, **ASKED)

    assert_refused(mint, send, is_error((400, "invalid_dpop_proof")), in_a_header=True)
    assert send(mint.genuine()).status_code == 201


def asked_at(shop: Shop, **fields: str) -> httpx2.Response:
    """A request at the sign-in page's door, from the browser at which Alice is signed in."""
    query = urlencode({name: value for name, value in fields.items() if value}, errors="surrogatepass")
    return shop.story.ask("GET", f"/authorize?{query}", headers={"cookie": f"session={shop.visit.cookie}"})


def gives_no_code(answer: httpx2.Response) -> bool:
    return answer.status_code in {303, 400} and "code=" not in answer.headers.get("location", "")


def test_a_hint_at_sign_in(shop: Shop) -> None:
    """No code, although somebody is signed in: whoever names a person names the right one."""
    mint = shop.hint_mint()

    def send(text: str) -> httpx2.Response:
        return asked_at(shop, **ASKED, id_token_hint=text or "-")

    assert_refused(mint, send, gives_no_code)
    assert "code=" in send(mint.genuine()).headers["location"]


def test_a_request_uri(shop: Shop) -> None:
    """Only what was pushed, by the client that pushed it, once: addresses, tokens and near misses lead nowhere."""
    prefix = "urn:ietf:params:oauth:request_uri:"

    def pushed() -> str:
        return str(shop.post("/par", auth=shop.app.auth, **ASKED).json()["request_uri"])

    def send(text: str, client_id: str = "shop") -> httpx2.Response:
        return asked_at(shop, client_id=client_id, request_uri=text)

    registered(shop.story, "other", redirect_uris=(CALLBACK,))
    assert_refused(shop.access_mint(), lambda text: send(prefix + text), gives_no_code)
    right = pushed()
    tail = right.removeprefix(prefix)
    near = [tail, right.upper(), f"{right}x", right[:-1], f"{right}\x00", f"https://shop.example/{tail}", f" {right}"]
    for text in (*near, "https://169.254.169.254/", "file:///etc/passwd", "data:,{}", prefix, prefix * 90):
        assert gives_no_code(send(text)), text
    assert gives_no_code(send(pushed(), "other"))
    assert "code=" in send(right).headers["location"]
    assert gives_no_code(send(right)), "a pushed request counts once"


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


def test_a_hint_at_sign_out(shop: Shop) -> None:
    """A page that says no (400); without a hint the person is asked. Nobody is signed out by it."""
    mint = shop.hint_mint()

    def send(text: str) -> httpx2.Response:
        query = urlencode({"id_token_hint": text}, errors="surrogatepass")
        return shop.story.ask("GET", f"/logout?{query}", headers={"cookie": f"session={shop.visit.cookie}"})

    assert_refused(mint, send, lambda answer: answer.status_code in {200, 400})
    assert shop.is_signed_in()
    assert send(mint.genuine()).status_code == 200
    assert not shop.is_signed_in()


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/par"])
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
