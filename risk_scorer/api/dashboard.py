"""The operators' pages: sign-in by a one-time link, and the table of scored logins with its live feed.

Everything in the table was typed by a stranger. The templates escape it, the script sets it as text, and the content
policy allows no script but ours: three locks, one door.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from risk_scorer.api.access import OPERATOR_COOKIE, Access, NotSignedIn, require_same_origin
from risk_scorer.api.live import LiveFeed
from risk_scorer.api.rows import row_of
from risk_scorer.flows.ports import EventLog, OperatorSessions

PAGES: Final = Path(__file__).parents[1] / "pages"
PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SESSION_COOKIE_SECONDS: Final = 8 * 3600
MOST_ROWS: Final = 500
"""What a browser shows at ease; /recent has the rest."""
LINK_COMMAND: Final = "risk-scorer operator-link"

_pages = Environment(
    loader=FileSystemLoader(PAGES / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class OperatorPages:
    """What a signed-in operator sees, and how one signs in."""

    def __init__(
        self,
        *,
        access: Access,
        operators: OperatorSessions,
        log: EventLog,
        feed: LiveFeed,
        model_version: Callable[[], str | None],
        public_url: str,
        recent_max: int,
        credits: Sequence[tuple[str, str]],
        has_narrator: bool,
    ) -> None:
        self._access = access
        self._operators = operators
        self._log = log
        self._feed = feed
        self._model_version = model_version
        self._public_url = public_url
        self._rows = min(recent_max, MOST_ROWS)
        self._credits = credits
        self._has_narrator = has_narrator

    async def dashboard(self, request: Request) -> Response:
        self._access.require_operator(request)
        return page(
            "dashboard.html",
            rows=[row_of(scored) for scored in self._log.recent(self._rows)],
            row_limit=self._rows,
            model_version=self._model_version(),
            public_url=self._public_url,
            credits=self._credits,
            has_narrator=self._has_narrator,
        )

    async def events(self, request: Request) -> Response:
        session = self._access.require_operator(request)
        return StreamingResponse(
            self._feed.stream(lambda: self._operators.is_signed_in(session)),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def ask_sign_in(self, request: Request) -> Response:
        """A page with a button: opening a link must not use it up, for scanners and previews open links too."""
        if not request.query_params.get("token"):
            return not_signed_in_page()
        # The form posts to the very address it was opened at, so the page need not repeat the token.
        return notice("Sign in to the scorer", "This link opens the dashboard once.", has_button=True)

    async def sign_in(self, request: Request) -> Response:
        require_same_origin(request)
        session = await self._operators.sign_in(request.query_params.get("token", ""))
        if session is None:
            text = "It was used already, or it is older than ten minutes. Make a new one:"
            return notice("This link no longer works", text, status=401, command=LINK_COMMAND)
        answer = RedirectResponse("/dashboard", status_code=303)
        answer.set_cookie(OPERATOR_COOKIE, session, max_age=SESSION_COOKIE_SECONDS, **self._cookie_scope())
        return answer

    async def sign_out(self, request: Request) -> Response:
        require_same_origin(request)
        session = request.cookies.get(OPERATOR_COOKIE)
        if session:
            await self._operators.sign_out(session)
        answer = notice("You are signed out", "To come back, make a new sign-in link:", command=LINK_COMMAND)
        answer.delete_cookie(OPERATOR_COOKIE, **self._cookie_scope())
        return answer

    def _cookie_scope(self) -> dict[str, Any]:
        """Not for scripts, not from other sites, and over TLS alone where people come by TLS."""
        secure = self._public_url.startswith("https://")
        return {"path": "/", "httponly": True, "samesite": "strict", "secure": secure}


def add_operator_pages(app: FastAPI, pages: OperatorPages) -> None:
    """Put the pages under their paths. They are for people, so the API reference leaves them out."""
    for path, endpoint, method in (
        ("/dashboard", pages.dashboard, "GET"),
        ("/dashboard/events", pages.events, "GET"),
        ("/operator/sign-in", pages.ask_sign_in, "GET"),
        ("/operator/sign-in", pages.sign_in, "POST"),
        ("/operator/sign-out", pages.sign_out, "POST"),
    ):
        app.router.add_route(path, endpoint, methods=[method], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGES / "static"), name="static")
    app.add_exception_handler(NotSignedIn, _on_not_signed_in)


async def _on_not_signed_in(_request: Request, _error: Exception) -> Response:
    return not_signed_in_page()


def not_signed_in_page() -> Response:
    """The 401 that tells an operator what to do."""
    return notice(
        "Please sign in", "Make a one-time sign-in link on the scorer's machine:", status=401, command=LINK_COMMAND
    )


def notice(title: str, text: str, *, status: int = 200, command: str = "", has_button: bool = False) -> Response:
    """A short page with one message."""
    return page("notice.html", status=status, title=title, text=text, command=command, has_button=has_button)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A rendered page under the strict content policy."""
    html = _pages.get_template(template).render(**values)
    return HTMLResponse(html, status_code=status, headers={"content-security-policy": PAGE_CSP})
