"""`/operator/begin`, `/operator/callback`, `/operator/backchannel-logout`: in and out at the gateway.

Pages of ours that go on by themselves stand where a redirect would: the browser counts what follows a redirect from
another site as that site's, and would keep our strict cookie back.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.bodies import parse_form, read_body, require_form
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.api.access import OPERATOR_COOKIE, SESSION_COOKIE_SECONDS
from risk_scorer.api.console.away import shown_away
from risk_scorer.api.console.flash import leave
from risk_scorer.api.pages import notice
from risk_scorer.core.console.operator import FRESH_SECONDS
from risk_scorer.core.console.sign_in_request import SignInRequest
from risk_scorer.core.console.way_back import HOME, way_back
from risk_scorer.flows.console.sign_in import NoRoleHere, SignIn

BEGIN: Final = "/operator/begin"
CALLBACK: Final = "/operator/callback"
SIGNED_OUT: Final = "/operator/signed-out"
BACKCHANNEL: Final = "/operator/backchannel-logout"
COOKIE: Final = "riskgate_sign_in"
SECONDS: Final = 600
MOST_FORM_BYTES: Final = 16 * 1024
STEPPED_UP: Final = "Your second factor is fresh for 15 minutes. Nothing was done yet: do it once more."
ANSWERED: Final = ("state", "iss", "code", "error")


class SingleSignOn:
    """The way by the gateway."""

    def __init__(
        self,
        *,
        sign_in: SignIn,
        randomness: Randomness,
        cookie_scope: dict[str, Any],
        contact: str,
        public_url: str,
    ) -> None:
        self._sign_in = sign_in
        self._randomness = randomness
        # It must come back with the gateway's redirect, which is another site's; it opens nothing by itself.
        self._scope = {**cookie_scope, "samesite": "lax", "path": "/operator"}
        self._cookie_scope = cookie_scope
        self._contact = contact
        self._public_url = public_url

    async def begin(self, request: Request) -> Response:
        """On to the gateway, with what only this browser can answer."""
        back, is_fresh = way_back(request.query_params.get("to")), request.query_params.get("fresh") == "1"
        asked = SignInRequest(self._randomness.token(), int(FRESH_SECONDS) if is_fresh else None)
        text = "Going on to the gateway, which asks who you are."
        answer = notice("Signing in", text, onward=self._sign_in.address(asked))
        kept = ".".join((asked.secret, "1" if is_fresh else "0", quote(back, safe="")))
        answer.set_cookie(COOKIE, kept, max_age=SECONDS, **self._scope)
        return answer

    async def callback(self, request: Request) -> Response:
        """In, or a page that says why not. What was begun is over either way."""
        answer = await self._finished(request)
        answer.delete_cookie(COOKIE, **self._scope)
        return answer

    async def backchannel_logout(self, request: Request) -> Response:
        """The gateway says that a session is over. Raises: Refused (400, 503), for a program."""
        require_form(request)
        form = parse_form(await read_body(request, max_bytes=MOST_FORM_BYTES))
        await self._sign_in.farewell(form.get("logout_token", ""))
        return Response(status_code=200)

    async def signed_out(self, _request: Request) -> Response:
        """Back from the gateway."""
        return notice("You are signed out", "Here and at the gateway.", link=(HOME, "Sign in again"))

    async def _finished(self, request: Request) -> Response:
        secret, _, rest = request.cookies.get(COOKIE, "").partition(".")
        fresh, _, back = rest.partition(".")
        to = way_back(unquote(back))
        asked = SignInRequest(secret or self._randomness.token(), int(FRESH_SECONDS) if fresh == "1" else None)
        try:
            session = await self._sign_in.finish(asked, _said(request))
        except NoRoleHere as error:
            return self._no_role(error)
        except Refused as refused:
            again = (begin_address(to, is_fresh=fresh == "1"), "Begin again")
            return notice("Not signed in", refused.message, status=refused.status, code=refused.code, link=again)
        answer = notice("You are signed in", "Opening the console.", onward=to)
        answer.set_cookie(OPERATOR_COOKIE, session, max_age=SESSION_COOKIE_SECONDS, **self._cookie_scope)
        if asked.max_age is not None:
            leave(answer, STEPPED_UP, tone="good", scope=self._cookie_scope)
        return answer

    def end_address(self, session_token: str) -> str | None:
        """Where to go so that the session at the gateway ends too; None for one that is not its."""
        return self._sign_in.end_address(session_token, self._public_url + SIGNED_OUT)

    def _no_role(self, error: NoRoleHere) -> Response:
        asked = self._contact or "Ask whoever runs this scorer for one of the roles reader, analyst and admin."
        text = f"The gateway knows you as {error.proof.name} ({error.proof.subject}), who has no role here. {asked}"
        return notice("Not for you, yet", text, status=403, code="no_role")


def begin_address(to: str, *, is_fresh: bool = False) -> str:
    """Where a sign-in begins that goes on to this page of ours."""
    return f"{BEGIN}?{urlencode({'to': to, **({'fresh': '1'} if is_fresh else {})})}"


def add_single_sign_on(app: FastAPI, sign_on: SingleSignOn) -> None:
    """Put it under its paths; the API reference leaves it out."""
    for path, endpoint, method in (
        (BEGIN, sign_on.begin, "GET"),
        (CALLBACK, sign_on.callback, "GET"),
        (SIGNED_OUT, sign_on.signed_out, "GET"),
        (BACKCHANNEL, sign_on.backchannel_logout, "POST"),
    ):
        shown = endpoint if path == BACKCHANNEL else shown_away(endpoint)  # that one is a program's
        app.router.add_route(path, shown, methods=[method], include_in_schema=False)


def _said(request: Request) -> dict[str, str]:
    """What the gateway says in the address; a parameter that comes twice is not believed (RFC 6749, section 3.1)."""
    found = {name: request.query_params.getlist(name) for name in ANSWERED}
    if any(len(values) > 1 for values in found.values()):
        raise Refused("sign_in_unknown", "The gateway's answer says something twice: begin again.", status=400)
    return {name: values[0] for name, values in found.items() if values}
