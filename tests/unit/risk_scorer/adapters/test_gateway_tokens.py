"""Access tokens of the gateway: whose session they are of, and what happens while its keys are away, slow or wrong."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.gateway_tokens import GatewayTokens, NoTokens
from risk_scorer.adapters.issuer_keys import ASKED_AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS, IssuerKeys
from risk_scorer.flows.activity.ports import TokenSession
from webhooks.fetching import Unfetched, Wanted

pytestmark = pytest.mark.anyio
NOW, ISSUER = 1_760_000_000.0, "https://login.example.com"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"iss": ISSUER, "sub": "alice", "sid": "ses-1", "iat": NOW - 10, "exp": NOW + 900, "aud": "shop"}
ALICE = TokenSession(session_id="ses-1", user_id="alice")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def jwk(key: ec.EllipticCurvePrivateKey, kid: str = "k1", **changes: Any) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": "ES256", **changes}


def token(key: Any = KEY, *, kid: str = "k1", algorithm: str = "ES256", **changes: Any) -> str:
    headers = {"kid": kid, "typ": changes.pop("typ", "at+jwt")}
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


class Gateway:
    """Publishes keys, or fails as told."""

    def __init__(self) -> None:
        self.answer: bytes | Unfetched = json.dumps({"keys": [jwk(KEY)]}).encode()
        self.asked: list[str] = []

    async def __call__(self, wanted: Wanted) -> bytes:
        self.asked.append(wanted.url)
        if isinstance(self.answer, Unfetched):
            raise self.answer
        return self.answer


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def tokens(gateway: Gateway, clock: FixedClock) -> GatewayTokens:
    return GatewayTokens(IssuerKeys(gateway, clock=clock, issuer=ISSUER), clock=clock, issuer=ISSUER)


async def refusal(tokens: GatewayTokens, text: str) -> tuple[str, int]:
    with pytest.raises(Refused) as caught:
        await tokens.session_of(text)
    return caught.value.code, caught.value.status


async def test_a_token_in_force_names_its_session(tokens: GatewayTokens, gateway: Gateway, clock: FixedClock) -> None:
    """The keys are fetched once, where the issuer publishes them, and an expired token is none."""
    assert await tokens.session_of(token()) == await tokens.session_of(token()) == ALICE
    assert gateway.asked == [f"{ISSUER}/.well-known/jwks.json"]
    clock.advance(901)
    assert await refusal(tokens, token()) == ("invalid_token", 401)


FORGED = [
    token(OTHER),
    token(iss="https://evil.example.com"),
    token(exp=NOW - 1),
    token(iat=NOW + 120),
    token(sid=None),
    token(sid=7),
    token(sub=""),
    token(typ="JWT"),
    token(kid="unknown"),
    token("x" * 32, algorithm="HS256", typ="JWT"),
    token("x" * 64, algorithm="HS512"),
    jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "k1", "typ": "at+jwt"}),
    token()[:-4] + "AAAA",
    "a.b.c",
    "",
    "x" * 8192,
    base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.AA",
]


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
async def test_what_is_no_token_of_the_gateway_is_refused(tokens: GatewayTokens, text: str) -> None:
    """Another key, issuer, time, type or algorithm: one code for all of them."""
    assert await refusal(tokens, text) == ("invalid_token", 401)


async def test_a_token_of_a_shared_secret_says_what_to_send_instead(tokens: GatewayTokens, gateway: Gateway) -> None:
    """Right or forged, nobody looks: the scorer has no such secret, with an issuer or without, and asks for no key."""
    for checks in (tokens, NoTokens()):
        with pytest.raises(Refused) as caught:
            await checks.session_of(token("x" * 32, algorithm="HS256"))
        assert (caught.value.code, caught.value.status) == ("shared_secret_token", 422)
        assert "session by its id" in caught.value.message
    assert gateway.asked == []


async def test_without_an_issuer_no_token_is_taken() -> None:
    """Whatever it is."""
    for text in (token(), "", "a.b.c"):
        with pytest.raises(Refused) as caught:
            await NoTokens().session_of(text)
        assert (caught.value.code, caught.value.status) == ("tokens_not_taken", 422)


LIES = [
    Unfetched("timeout"),
    Unfetched("status_500"),
    b"<html>",
    b"[]",
    b'{"keys": 7}',
    b"\xff",
    b"[" * 60_000,
]


@pytest.mark.parametrize("answer", LIES, ids=range(len(LIES)))
async def test_without_keys_nothing_is_believed(tokens: GatewayTokens, gateway: Gateway, answer: Any) -> None:
    """503 with when to come again; a stranger's tokens do not make us ask more often."""
    gateway.answer = answer
    for _ in range(3):
        assert await refusal(tokens, token()) == ("keys_unavailable", 503)
    assert (len(gateway.asked), tokens.problem) == (1, "keys_unavailable")


async def test_keys_that_were_fetched_count_on_while_the_gateway_is_away(
    tokens: GatewayTokens, gateway: Gateway, clock: FixedClock
) -> None:
    """For an hour, and a new token each time; then they are too old."""
    assert tokens.keys_of is None
    await tokens.session_of(token())
    gateway.answer = Unfetched("connect_failed")
    clock.advance(FRESH_SECONDS + 1)
    assert await tokens.session_of(token(exp=NOW + 9000)) == ALICE
    assert (tokens.keys_of, tokens.failures) == (NOW, {"connect_failed": 1})
    clock.advance(STALE_SECONDS)
    assert await refusal(tokens, token(exp=NOW + 9001)) == ("keys_unavailable", 503)


async def test_keys_that_grew_old_while_nobody_needed_them_are_no_problem(
    tokens: GatewayTokens, gateway: Gateway, clock: FixedClock
) -> None:
    """A quiet night wakes nobody; a token in the morning finds out."""
    await tokens.session_of(token())
    clock.advance(STALE_SECONDS + 1)
    assert tokens.problem is None
    gateway.answer = Unfetched("connect_failed")
    assert await refusal(tokens, token(exp=NOW + 9000)) == ("keys_unavailable", 503)
    assert tokens.problem == "keys_unavailable"


async def test_a_new_key_is_found_and_private_ones_and_others_are_passed_over(
    tokens: GatewayTokens, gateway: Gateway, clock: FixedClock
) -> None:
    """Keys rotate: one that is not known yet is looked for, at most once in ten seconds."""
    await tokens.session_of(token())
    keys = [{"kty": "RSA"}, 7, jwk(OTHER, "k3", d="x"), jwk(OTHER, "k4", x="?"), jwk(OTHER, "k2")]
    gateway.answer = json.dumps({"keys": keys}).encode()
    clock.advance(ASKED_AGAIN_SECONDS + 1)
    assert await tokens.session_of(token(OTHER, kid="k2")) == ALICE
    assert await refusal(tokens, token(OTHER, kid="k3")) == ("invalid_token", 401)


async def test_an_invented_key_is_nobodys_while_keys_are_known(
    tokens: GatewayTokens, gateway: Gateway, clock: FixedClock
) -> None:
    """A stranger who names ever new keys neither has the gateway asked nor holds up what else an application sends."""
    await tokens.session_of(token())
    clock.advance(ASKED_AGAIN_SECONDS - 1)
    assert await refusal(tokens, token(OTHER, kid="k9")) == ("invalid_token", 401)
    assert len(gateway.asked) == 1
    gateway.answer = Unfetched("connect_failed")
    clock.advance(2)
    for _ in range(2):
        assert await refusal(tokens, token(OTHER, kid="k9")) == ("keys_unavailable", 503)
