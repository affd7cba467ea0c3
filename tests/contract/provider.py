"""A provider over HTTP with one application and one person who is signed in, for forgeries to be tried at its doors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
from joserfc.jwk import ECKey

from tests.contract.forged_tokens import Forgery, Mint, forgeries
from tests.contract.mints import access_mint, hint_mint
from tests.stories.gateway.story import Story
from tests.stories.gateway.visits import ISSUER, Application, Visit

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


def assert_refused(
    mint: Mint,
    send: Callable[[str], httpx2.Response],
    is_refusal: Callable[[httpx2.Response], bool],
    *,
    in_a_header: bool = False,
) -> None:
    """Every forgery is refused, and no answer repeats it."""
    wrong = []
    for forgery in sendable(mint, in_a_header=in_a_header):
        answer = send(forgery.token)
        if not is_refusal(answer):
            wrong.append(f"{forgery.name}: {answer.status_code} {answer.text[:200]}")
        if len(forgery.token) > 8 and forgery.token.strip() in answer.text:
            wrong.append(f"{forgery.name}: echoed")
    assert wrong == []


def sendable(mint: Mint, *, in_a_header: bool) -> Iterator[Forgery]:
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
