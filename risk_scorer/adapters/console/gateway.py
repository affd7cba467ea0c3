"""The gateway's admin API, asked with the console's own client credentials.

Fails closed, and says which way: within one deadline there is an answer of the expected shape, a refusal of the
gateway's own, or `gateway_unavailable`; after the last nobody knows whether an act was done, and the page says that. No
proxy, no redirect, a bounded answer. An act is never sent twice by us.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote

import httpx2
import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.adapters.console.breaker import Breaker
from risk_scorer.core.console.accounts import (
    AccountChange,
    AccountList,
    AccountSummary,
    LiveSessions,
    PersonRisk,
    ResetForced,
    SessionsEnded,
)
from risk_scorer.core.console.policy import Problem
from risk_scorer.core.console.visible import visible
from risk_scorer.flows.console.ports import Method, RiskVerdict

DEADLINE_SECONDS: Final = 2.0
MOST_ANSWER_BYTES: Final = 4 * 1024 * 1024
TOKEN_EARLY_SECONDS: Final = 30.0
"""A token is not used any more shortly before it runs out: it has a way to go."""
MOST_CONNECTIONS: Final = 16
LONGEST_MESSAGE: Final = 300
NOBODY_KNOWS: Final = "The gateway does not answer now. If this was an act, look again whether it was done."
NOT_ASKED: Final = "The gateway does not answer now, several times in a row: it was not asked, and did nothing."
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

T = TypeVar("T")
log = structlog.get_logger(__name__)


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int


class _Refusal(msgspec.Struct):
    error: str
    error_description: str = ""
    problems: list[Problem] = []


class _Held(NamedTuple):
    token: str
    until: float


class GatewayClient:
    """One gateway. Lives on the event loop."""

    def __init__(self, *, issuer: str, client_id: str, client_secret: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._breaker = Breaker()
        self._turn = asyncio.Lock()
        self._held: _Held | None = None
        # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        self._auth = httpx2.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
        self._client = httpx2.AsyncClient(
            headers={"accept-encoding": "identity", "accept": "application/json"},
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=4),
            timeout=None,  # one deadline around everything, so that a drip of bytes cannot stretch it
            trust_env=False,
            follow_redirects=False,
        )

    @property
    def is_on(self) -> bool:
        return True

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was asked last, several times in a row."""
        return self._breaker.is_open

    async def ask(
        self,
        method: Method,
        path: str,
        shape: type[T],
        *,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> T:
        """The answer, in this shape, within the usual deadline or another one. Raises: Refused."""
        if not self._breaker.admits(self._clock.monotonic()):
            raise unavailable(NOT_ASKED)
        content = b"" if body is None else msgspec.json.encode(body)
        given = {**(headers or {}), **({} if body is None else {"content-type": "application/json"})}
        address = self._issuer + path + (f"?{httpx2.QueryParams(dict(query))}" if query else "")
        try:
            async with asyncio.timeout(DEADLINE_SECONDS if seconds is None else seconds):
                status, raw = await self._answered(method, address, content, given)
        except (TimeoutError, httpx2.HTTPError, OSError) as error:
            self._breaker.record(succeeded=False)
            log.warning("console_gateway_unavailable", problem=type(error).__name__)
            raise unavailable() from None
        except Refused as refused:
            self._breaker.record(succeeded=refused.code != "gateway_unavailable")
            raise
        self._breaker.record(succeeded=status < 500)
        return _read(status, raw, shape)

    async def summary(self, user_id: str) -> AccountSummary:
        """The account, its sessions, what is held against the person. Raises: Refused."""
        return await self.ask("GET", _account(user_id, "summary"), AccountSummary)

    async def freeze(self, user_id: str, *, by: str, why: str) -> AccountChange:
        """Nobody gets in any more, and every session ends. Raises: Refused."""
        return await self.ask("POST", _account(user_id, "freeze"), AccountChange, body={"by": by, "why": why})

    async def unfreeze(self, user_id: str, *, by: str, why: str, version: int | None = None) -> AccountChange:
        """The person may log in again; with `version`, unless something happened since. Raises: Refused."""
        said = {"by": by, "why": why, **({} if version is None else {"version": version})}
        return await self.ask("POST", _account(user_id, "unfreeze"), AccountChange, body=said)

    async def reset_sessions(self, user_id: str, *, by: str, why: str) -> SessionsEnded:
        """Every session ends, and the trust in every browser. Raises: Refused."""
        return await self.ask("POST", _account(user_id, "reset-sessions"), SessionsEnded, body={"by": by, "why": why})

    async def end_session(self, user_id: str, session_id: str, *, by: str, why: str) -> SessionsEnded:
        """One session of theirs ends; the others go on. Raises: Refused."""
        act = f"sessions/{quote(session_id, safe='')}/end"
        return await self.ask("POST", _account(user_id, act), SessionsEnded, body={"by": by, "why": why})

    async def force_reset(self, user_id: str, *, by: str, why: str, version: int | None = None) -> ResetForced:
        """Every session ends, and nobody gets in until the owner has set another password. Raises: Refused."""
        said = {"by": by, "why": why, **({} if version is None else {"version": version})}
        return await self.ask("POST", _account(user_id, "force-reset"), ResetForced, body=said)

    async def live_sessions(self, user_id: str) -> LiveSessions:
        """Where somebody is signed in. Raises: Refused."""
        return await self.ask("GET", _account(user_id, "sessions"), LiveSessions)

    async def accounts(self, query: str, *, cursor: str = "", limit: int = 25) -> AccountList:
        """Those whose id, name or mail address begins so. Raises: Refused."""
        asked: dict[str, str | int] = {"query": query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        return await self.ask("GET", "/accounts", AccountList, query=asked)

    async def accounts_of(self, user_ids: Sequence[str]) -> AccountList:
        """Those of these people who have an account there. Raises: Refused."""
        ids = msgspec.json.encode(list(user_ids)).decode()
        return await self.ask("GET", "/accounts", AccountList, query={"ids": ids})

    async def risk(self, user_id: str, *, before: int | None = None, limit: int = 50) -> PersonRisk:
        """What is held against the person, and why. Raises: Refused."""
        page: dict[str, str | int] = {"limit": limit, **({} if before is None else {"before": before})}
        return await self.ask("GET", f"/users/{quote(user_id, safe='')}/risk", PersonRisk, query=page)

    async def verdict(self, user_id: str, verdict: RiskVerdict, *, by: str, why: str) -> PersonRisk:
        """An analyst's word about the person. Raises: Refused."""
        said = {"verdict": verdict, "by": by, "why": why}
        return await self.ask("POST", f"/users/{quote(user_id, safe='')}/risk/verdict", PersonRisk, body=said)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _answered(
        self, method: str, address: str, content: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Status and body; a token that is not taken is thrown away, and asked for anew once: nothing was done then."""
        for is_last in (False, True):
            token = await self._token()
            bearer = {**headers, "authorization": f"Bearer {token}"}
            status, raw = await self._sent(method, address, content, bearer, auth=None)
            if status != 401 or is_last:
                return status, raw
            self._held = None
        raise AssertionError  # the loop has returned

    async def _token(self) -> str:
        async with self._turn:
            now = self._clock.now()
            if self._held is None or now >= self._held.until:
                form = b"grant_type=client_credentials"
                kind = {"content-type": "application/x-www-form-urlencoded"}
                status, raw = await self._sent("POST", f"{self._issuer}/token", form, kind, auth=self._auth)
                given = _read(status, raw, _Token, is_token=True)
                self._held = _Held(given.access_token, now + given.expires_in - TOKEN_EARLY_SECONDS)
            return self._held.token

    async def _sent(
        self, method: str, address: str, content: bytes, headers: Mapping[str, str], *, auth: httpx2.BasicAuth | None
    ) -> tuple[int, bytes]:
        request = self._client.build_request(method, address, content=content or None, headers=dict(headers))
        response = await self._client.send(request, stream=True, auth=auth)
        try:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_ANSWER_BYTES:
                    raise _invalid("too_large")
            return response.status_code, bytes(body)
        finally:
            await response.aclose()


class NoGateway:
    """Where the console is no client of a gateway's: everything is refused, with what to set."""

    is_on: Final = False

    async def ask(self, *_args: object, **_more: object) -> NoReturn:
        """Raises: Refused."""
        text = "The console is no client of a gateway: set CONSOLE_CLIENT_ID and CONSOLE_CLIENT_SECRET."
        raise Refused("gateway_not_configured", text, status=503)

    summary = freeze = unfreeze = reset_sessions = end_session = force_reset = risk = verdict = ask
    live_sessions = accounts = accounts_of = ask

    async def close(self) -> None:
        """Nothing is open."""


def unavailable(text: str = NOBODY_KNOWS) -> Refused:
    """The gateway is away; the text says whether it may have done something all the same."""
    return Refused("gateway_unavailable", text, status=503, retry_after_seconds=5)


def _read(status: int, raw: bytes, shape: type[T], *, is_token: bool = False) -> T:
    if 200 <= status < 300:
        try:
            return msgspec.json.decode(raw or b"null", type=shape)  # 204 has nothing to say
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise _invalid("shape") from None
    if status >= 500 or status == 429:
        raise unavailable()
    if is_token or status in (401, 403):
        log.warning("console_gateway_refuses", status=status, is_token=is_token)
        text = "The gateway does not take the console's credentials for this: its client lacks a scope, or is another."
        raise Refused("gateway_refuses_console", text, status=502)
    if not 400 <= status < 500:
        raise _invalid("status")
    raise _refusal(status, raw)


def _refusal(status: int, raw: bytes) -> Refused:
    """What the gateway itself refuses, in its own words."""
    try:
        said = msgspec.json.decode(raw, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _invalid("refusal")
    code = said.error if _CODE.fullmatch(said.error) else "gateway_refused"
    message = visible(said.error_description, LONGEST_MESSAGE) or "The gateway refuses."
    return Refused(code, message, status=status, evidence={"problems": said.problems} if said.problems else {})


def _invalid(problem: str) -> Refused:
    log.warning("console_gateway_disbelieved", problem=problem)
    return Refused("gateway_answer_invalid", "What the gateway answered cannot be read.", status=502)


def _account(user_id: str, act: str) -> str:
    return f"/accounts/{quote(user_id, safe='')}/{act}"
