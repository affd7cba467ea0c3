"""The gateway as the console's identity provider: codes in, proofs out. Believes nothing that it did not sign for us.

Fails closed, within one deadline: no proof, nobody is signed in. No proxy, no redirect, 64 KiB of an answer at most.
Source: OpenID Connect Core 1.0, section 3.1; RFC 7636; Back-Channel Logout 1.0.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlencode

import httpx2
import jwt
import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.adapters.issuer_keys import ALGORITHM, IssuerKeys, kid_of
from risk_scorer.core.console.sign_in_request import SignInRequest
from risk_scorer.flows.console.ports import Ended, Proof

DEADLINE_SECONDS: Final = 5.0
MOST_ANSWER_BYTES: Final = 64 * 1024
CLOCK_SECONDS: Final = 60
LONGEST: Final = 256
ID_TOKEN_TYPES: Final = frozenset({"JWT"})
LOGOUT_TOKEN_TYPES: Final = frozenset({"logout+jwt"})  # Back-Channel Logout 1.0, section 2.4
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

log = structlog.get_logger(__name__)


class _Tokens(msgspec.Struct):
    id_token: str


_tokens = msgspec.json.Decoder(_Tokens)


class GatewayIdentity:
    """One client of one issuer. Lives on the event loop."""

    def __init__(
        self, *, keys: IssuerKeys, clock: Clock, issuer: str, client_id: str, client_secret: str, redirect_uri: str
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        self._client = httpx2.AsyncClient(
            auth=httpx2.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe="")),
            headers={"accept-encoding": "identity", "accept": "application/json"},
            limits=httpx2.Limits(max_connections=4, max_keepalive_connections=0),
            timeout=None,  # one deadline around everything, so that a drip of bytes cannot stretch it
            trust_env=False,
            follow_redirects=False,
        )

    @property
    def issuer(self) -> str:
        """Who vouches."""
        return self._issuer

    def address(self, asked: SignInRequest) -> str:
        """Where the person goes to be vouched for."""
        more = {"acr_values": "aal2", "max_age": str(asked.max_age)} if asked.max_age is not None else {}
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid profile",
            "claims": '{"id_token":{"preferred_username":null}}',
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self._issuer}/authorize?{urlencode(parameters)}"

    def end_address(self, id_token: str, after: str) -> str:
        """Where the person goes so that their session there ends too."""
        asked = {"id_token_hint": id_token, "client_id": self._client_id, "post_logout_redirect_uri": after}
        return f"{self._issuer}/logout?{urlencode(asked)}"

    async def proof(self, code: str, asked: SignInRequest) -> Proof:
        """Who it is whom that code was given for.

        Raises: Refused `gateway_unavailable`, `keys_unavailable` (503), `code_refused` (400), `gateway_answer_invalid`
            (502).
        """
        token = await self._redeemed(code, asked.verifier)
        claims = await self._verified(token, ID_TOKEN_TYPES, ("nonce", "auth_time", "acr", "sid"))
        if claims["nonce"] != asked.nonce or claims.get("azp", self._client_id) != self._client_id:
            _disbelieve("another_request")
        texts = (claims["sub"], claims["acr"], claims["sid"], claims.get("preferred_username", claims["sub"]))
        if not all(map(_is_text, texts)) or not _is_number(claims["auth_time"]):
            _disbelieve("claims")
        if claims["auth_time"] > self._clock.now() + CLOCK_SECONDS:
            _disbelieve("auth_time")
        subject, level, session_id, name = texts
        return Proof(
            subject=subject,
            name=name,
            proved_at=float(claims["auth_time"]),
            level=level,
            session_id=session_id,
            id_token=token,
        )

    async def ended(self, logout_token: str) -> Ended:
        """Whose session is over. Raises: Refused `invalid_logout_token` (400), `keys_unavailable` (503)."""
        try:
            claims = await self._verified(logout_token, LOGOUT_TOKEN_TYPES, ("jti", "events"))
            session_id = claims.get("sid", "")
            is_right = isinstance(claims["events"], dict) and LOGOUT_EVENT in claims["events"]
            if not is_right or "nonce" in claims or not isinstance(session_id, str) or not _is_text(claims["sub"]):
                _disbelieve("no_logout")
        except Refused as refused:
            if refused.status == 503:
                raise
            raise Refused("invalid_logout_token", "This is no logout token for this console.", status=400) from None
        return Ended(subject=claims["sub"], session_id=session_id)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _redeemed(self, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                status, body = await self._post(form)
        except (TimeoutError, httpx2.HTTPError, OSError) as error:
            log.warning("console_gateway_unavailable", problem=type(error).__name__)
            raise unavailable() from None
        if status in (429, 503) or status >= 500:
            raise unavailable()
        if 400 <= status < 500:
            raise Refused("code_refused", "The gateway does not take this sign-in (any more): begin again.", status=400)
        try:
            return _tokens.decode(body).id_token
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            _disbelieve("no_tokens")

    async def _post(self, form: dict[str, str]) -> tuple[int, bytes]:
        async with self._client.stream("POST", f"{self._issuer}/token", data=form) as response:
            body = bytearray()
            if response.status_code == 200:
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > MOST_ANSWER_BYTES:
                        _disbelieve("too_large")
            return response.status_code, bytes(body)

    async def _verified(self, token: str, types: frozenset[str], needed: tuple[str, ...]) -> dict[str, Any]:
        """Claims that the issuer signed for us and that hold now. Raises: Refused."""
        kid = kid_of(token, types)
        key = None if kid is None else await self._keys.key(kid)
        if key is None:
            _disbelieve("key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._client_id,
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", *needed],
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as error:
            _disbelieve(type(error).__name__)
        now, times = self._clock.now(), (claims["exp"], claims["iat"])
        if not all(map(_is_number, times)) or now >= claims["exp"] or claims["iat"] > now + CLOCK_SECONDS:
            _disbelieve("times")
        return claims


def unavailable() -> Refused:
    """The gateway does not answer now."""
    return Refused(
        "gateway_unavailable", "The gateway does not answer now. Nothing was done.", status=503, retry_after_seconds=10
    )


def _disbelieve(problem: str) -> NoReturn:
    log.warning("console_gateway_disbelieved", problem=problem)
    raise Refused("gateway_answer_invalid", "What the gateway answered is not to be believed.", status=502)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
