"""How operators come and go by one-time links, and what those are told who are not in."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from risk_scorer.api.access import OPERATOR_COOKIE, SESSION_COOKIE_SECONDS, NoRole, NotSignedIn, require_same_origin
from risk_scorer.api.console import typed
from risk_scorer.api.console.away import shown_away
from risk_scorer.api.console.desk import StepUpNeeded
from risk_scorer.api.console.onward import act_page
from risk_scorer.api.console.posted import TYPED, read_posted
from risk_scorer.api.console.single_sign_on import begin_address
from risk_scorer.api.pages import LINK_COMMAND, PAGES, local_path, notice
from risk_scorer.core.console.way_back import HOME
from risk_scorer.flows.ports import OperatorSessions


class EndsThere(Protocol):
    """The gateway, where it vouches for people here."""

    def end_address(self, session_token: str) -> str | None:
        """Where to go so that the session at the gateway ends too; None for one that is not its."""
        ...


class Entrance:
    """The door. `cookie_scope` is how every cookie of ours is set."""

    def __init__(
        self, *, operators: OperatorSessions, cookie_scope: dict[str, Any], contact: str, gateway: EndsThere | None
    ) -> None:
        """`gateway` is None where nobody can sign in there."""
        self._operators = operators
        self._cookie_scope = cookie_scope
        self._contact = contact
        self._gateway = gateway

    async def ask_sign_in(self, request: Request) -> Response:
        """A page with a button: opening a link must not use it up, for scanners and previews open links too."""
        if not request.query_params.get("token"):
            return await self.not_signed_in(request)
        # The form posts to the very address it was opened at, so the page need not repeat the token.
        return notice("Sign in to the console", "This link opens the console once.", has_button=True)

    async def sign_in(self, request: Request) -> Response:
        """In by a link, once."""
        require_same_origin(request)
        session = await self._operators.sign_in(request.query_params.get("token", ""))
        if session is None:
            text = "It was used already, or it is older than ten minutes. Make a new one:"
            return notice("This link no longer works", text, status=401, command=LINK_COMMAND)
        answer = RedirectResponse(HOME, status_code=303)
        answer.set_cookie(OPERATOR_COOKIE, session, max_age=SESSION_COOKIE_SECONDS, **self._cookie_scope)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Out, here, and then at the gateway where it was the gateway's session."""
        require_same_origin(request)
        session, onward = request.cookies.get(OPERATOR_COOKIE), None
        if session:
            onward = self._gateway.end_address(session) if self._gateway is not None else None
            await self._operators.sign_out(session)
        if onward is not None:
            answer = notice("You are signed out here", "Going on to sign out at the gateway.", onward=onward)
        else:
            answer = notice("You are signed out", "To come back, make a new sign-in link:", command=LINK_COMMAND)
        answer.delete_cookie(OPERATOR_COOKIE, **self._cookie_scope)
        typed.forget(answer, self._cookie_scope)
        return answer

    async def not_signed_in(self, request: Request) -> Response:
        """The 401 that tells an operator what to do; what they typed stands there, where a session ended meanwhile.

        A link in a message is another site's: the browser keeps our strict cookie back, and sends it when our own page
        goes on to the same address.
        """
        is_link = request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site"
        if is_link and request.headers.get("sec-fetch-mode") == "navigate":
            return notice("One moment", "Opening the page.", onward=local_path(request))
        is_act = request.method != "GET"
        text = "Nothing was done, for you are not signed in any more. " if is_act else ""
        typed_here = [(TYPED[name], said) for name, said in (await read_posted(request) if is_act else {}).items()]
        if self._gateway is not None:
            to = local_path(request) if request.method == "GET" else act_page(request)
            text += "With your account at the gateway. Should it not answer, on the scorer's machine this makes a link:"
            link = (begin_address(to), "Sign in")
            return notice("Please sign in", text, status=401, command=LINK_COMMAND, link=link, posted=typed_here)
        text += "Make a one-time sign-in link on the scorer's machine:"
        return notice("Please sign in", text, status=401, command=LINK_COMMAND, posted=typed_here)

    def step_up(self, error: StepUpNeeded) -> Response:
        """On to the gateway for a second factor, and then back to the page; who came by a link needs a new one."""
        if self._gateway is not None and error.operator.way == "gateway":
            answer = RedirectResponse(begin_address(error.back, is_fresh=True), status_code=303)
            if error.typed is not None:
                typed.keep(answer, error.typed, self._cookie_scope)
            return answer
        text = "This needs a sign-in that is at most 15 minutes old. Make a new link:"
        command = f"{LINK_COMMAND} --role {error.operator.role}"
        return notice("Sign in again", text, status=403, command=command, code="fresh_link_required")

    def no_role(self, error: NoRole) -> Response:
        """The 403 that says whom to ask, and shows nothing else."""
        asked = self._contact or "Ask whoever runs this scorer."
        if error.operator.role is None:
            text = f"You are signed in as {error.operator.name}, who has no role at this console. {asked}"
            command = f"risk-scorer operators add NAME --role {error.needed}"
            return notice("Not for you, yet", text, status=403, command=command, code="no_role")
        text = f"This page is for the role {error.needed}; yours is {error.operator.role}. {asked}"
        return notice("Not for your role", text, status=403, code="role_required", link=(HOME, "To the overview"))


def add_entrance(app: FastAPI, entrance: Entrance) -> None:
    """Put it under its paths, and the static files beside it. For people: the API reference leaves them out."""
    for path, endpoint, method in (
        ("/operator/sign-in", entrance.ask_sign_in, "GET"),
        ("/operator/sign-in", entrance.sign_in, "POST"),
        ("/operator/sign-out", entrance.sign_out, "POST"),
    ):
        app.router.add_route(path, shown_away(endpoint), methods=[method], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGES / "static"), name="static")

    async def on_not_signed_in(request: Request, _error: Exception) -> Response:
        return await entrance.not_signed_in(request)

    async def on_no_role(_request: Request, error: Exception) -> Response:
        assert isinstance(error, NoRole)  # noqa: S101 - registered for this class alone
        return entrance.no_role(error)

    async def on_step_up(_request: Request, error: Exception) -> Response:
        assert isinstance(error, StepUpNeeded)  # noqa: S101 - registered for this class alone
        return entrance.step_up(error)

    app.add_exception_handler(StepUpNeeded, on_step_up)
    app.add_exception_handler(NotSignedIn, on_not_signed_in)
    app.add_exception_handler(NoRole, on_no_role)


def cookie_scope(public_url: str) -> dict[str, Any]:
    """Not for scripts, not from other sites, and over TLS alone where people come by TLS."""
    secure = public_url.startswith("https://")
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": secure}
