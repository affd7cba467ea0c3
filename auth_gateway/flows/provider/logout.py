"""Signing out at a browser: at once when the application can show that it is about this browser's session, otherwise
when the person says so. Every session that began at the browser ends.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.provider.authorization import BrowserSession
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.end_session import EndSessionRequest, Hint, asking_client_id, destination, hinted
from auth_gateway.flows.ending import LOGOUT, Ending
from auth_gateway.flows.ports import Clients, Clock, Randomness, Users
from auth_gateway.flows.provider.ports import BrowserSessions, TokenVerifier
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is signed in at this browser any more; it goes to `goes_to`, or stays with us."""

    goes_to: str | None


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """The person is asked first; `client` is the application that asked, if the request names one."""

    client: RegisteredClient | None
    goes_to: str | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be followed, with what it is about."""

    hint: Hint | None
    client: RegisteredClient | None
    goes_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """Signs people out. `cookie_digest` is the SHA-256 of the browser's cookie, None when it sent none."""

    database: Database
    clock: Clock
    randomness: Randomness
    verifier: TokenVerifier
    clients: Clients
    users: Users
    browser_sessions: BrowserSessions
    ending: Ending

    async def ask(self, request: EndSessionRequest, cookie_digest: bytes | None) -> SignedOut | Confirm:
        """What an application's request, or a person's own, leads to.

        Anybody can make a browser come here, so without a hint of this browser's own session nothing ends unasked
        (section 6). Where nobody is signed in, there is nothing to ask about.

        Raises: Refused `invalid_id_token_hint` or `invalid_request` (400); nothing has ended then.
        """
        hint = hinted(self.verifier.id_token_hint(request.id_token_hint)) if request.id_token_hint else None
        asked = self.database.read(lambda tx: self._asked(tx, request, hint))
        browser = self._browser(cookie_digest)
        running = [] if browser is None else self.database.read(lambda tx: self._running(tx, browser))
        if browser is None or not running:
            return SignedOut(goes_to=asked.goes_to)
        if hint is None or hint.session_id not in running:
            return Confirm(client=asked.client, goes_to=asked.goes_to)
        await self._end(browser)
        return SignedOut(goes_to=asked.goes_to)

    async def confirmed(self, request: EndSessionRequest, cookie_digest: bytes | None) -> SignedOut:
        """The person has said yes; the caller has made sure that it was this browser's own page they said it on.

        Raises: as `ask`.
        """
        asked = self.database.read(lambda tx: self._asked(tx, request, None))
        browser = self._browser(cookie_digest)
        if browser is not None:
            await self._end(browser)
        return SignedOut(goes_to=asked.goes_to)

    def _asked(self, tx: Transaction, request: EndSessionRequest, hint: Hint | None) -> Asked:
        client_id = asking_client_id(request, hint)
        client = self.clients.find(tx, client_id) if client_id else None
        if client_id and client is None:
            raise Refused("invalid_request", "There is no application of this client_id.", status=400)
        return Asked(hint=hint, client=client, goes_to=destination(request, client))

    def _browser(self, cookie_digest: bytes | None) -> BrowserSession | None:
        """Whose browser it is. Looked up before anything is written: who adds a second factor at this moment gives the
        browser another cookie, and it is still this browser that signs out."""
        if cookie_digest is None:
            return None
        return self.database.read(lambda tx: self.browser_sessions.find(tx, cookie_digest))

    def _running(self, tx: Transaction, browser: BrowserSession) -> list[str]:
        """Every session that runs at the browser; a step-up leaves the one before it running. A cookie that signs
        nobody in any more still says whose they are: applications refresh in them for much longer."""
        return self.browser_sessions.sessions_of(tx, browser.browser_id)

    async def _end(self, browser: BrowserSession) -> None:
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")

        def job(tx: Transaction) -> None:
            self.users.hold(tx, browser.user_id)
            self.ending.end_all(tx, self._running(tx, browser), reason=LOGOUT, event_id=event_id, now=now)
            self.browser_sessions.forget(tx, browser.token_digest)

        await self.database.write(job)
