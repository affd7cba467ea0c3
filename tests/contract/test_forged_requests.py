"""Forged hints, proofs and pushed requests at the doors that people's browsers come to: no code, nobody signed out."""

from urllib.parse import urlencode

import httpx2

from tests.contract.mints import proof_mint
from tests.contract.provider import ASKED, CALLBACK, CLIENT_KEY, Shop, assert_refused, is_error
from tests.stories.gateway.visits import ISSUER, registered


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
