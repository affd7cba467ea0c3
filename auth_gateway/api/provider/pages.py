"""The pages that people see, and what a browser is told to refuse on them. No script anywhere.

What they show of a person or an application is escaped by the templates; what they show of a request is nothing but the
user name that the application suggests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

PAGES: Final = Path(__file__).parents[2] / "pages"
STYLE_SECONDS: Final = 3600

SCOPE_TEXTS: Final = {
    "openid": "who you are",
    "profile": "your name",
    "email": "your e-mail address",
    "offline_access": "to stay connected while you are away",
}


def templates(issuer: str) -> Environment:
    """The pages' templates; `base` is what stands before each of our paths where people come in."""
    environment = Environment(
        loader=FileSystemLoader(PAGES / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["base"] = urlsplit(issuer).path
    return environment


def protected(goes_to: str | None = None) -> dict[str, str]:
    """Headers of every page: nothing runs, nothing frames it, and its form leads to us and on to `goes_to`, because
    browsers hold the redirect that follows a form to the same policy."""
    targets = "'self'" if goes_to is None else f"'self' {target_of(goes_to)}"
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    # Under `no-referrer` a browser hides the Origin of our own form from us (Fetch, section 3.2).
    return {"content-security-policy": policy, "referrer-policy": "same-origin"}


def target_of(address: str) -> str:
    """An address as a policy names it; an application on the person's own device has a scheme and no host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def scope_texts(scope: str) -> list[str]:
    """What a person is asked for, in words where we have some."""
    return [SCOPE_TEXTS.get(each, each) for each in scope.split()]


@cache
def _style() -> bytes:
    return (PAGES / "static" / "sign-in.css").read_bytes()


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders pages."""

    templates: Environment

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        goes_to: str | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """One page; `goes_to` is where its form may lead in the end."""
        text = self.templates.get_template(template).render(**values)
        return HTMLResponse(text, status_code=status, headers={**protected(goes_to), **(headers or {})})

    def notice(
        self, heading: str, text: str, *, status: int, code: str = "", headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page that says one thing and leads nowhere."""
        return self.page("notice.html", status=status, headers=headers, heading=heading, text=text, code=code)

    def outdated(self) -> Response:
        """Whatever makes an interaction nobody's: another browser's, too old, finished, invented."""
        text = "This sign-in page is no longer valid. Go back to the application and start again."
        return self.notice("Start again", text, status=410)

    async def get_style(self, _request: Request) -> Response:
        """The one style sheet."""
        return Response(_style(), media_type="text/css", headers={"cache-control": f"public, max-age={STYLE_SECONDS}"})
