"""Pages for people: rendered from templates that escape everything, under a content policy that allows no script but
ours. Everything shown was typed by a stranger: the templates escape it, scripts set it as text, and the policy lets
nothing else run: three locks, one door.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

PAGES: Final = Path(__file__).parents[1] / "pages"
PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
LINK_COMMAND: Final = "risk-scorer operator-link"

templates = Environment(
    loader=FileSystemLoader(PAGES / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A rendered page under the strict content policy."""
    html = templates.get_template(template).render(**values)
    return HTMLResponse(html, status_code=status, headers={"content-security-policy": PAGE_CSP})


def notice(
    title: str,
    text: str,
    *,
    status: int = 200,
    command: str = "",
    has_button: bool = False,
    link: tuple[str, str] | None = None,
    code: str = "",
    onward: str = "",
    posted: Sequence[tuple[str, str]] = (),
) -> Response:
    """A short page with one message: a `command` to run, a `link` (address, words), the stable `code` of what is
    wrong, the address to go `onward` to by itself, or what was typed and not taken (words, text)."""
    return page(
        "notice.html",
        status=status,
        title=title,
        text=text,
        command=command,
        has_button=has_button,
        link=link,
        code=code,
        onward=onward,
        posted=posted,
    )


def own_path(request: Request) -> str:
    """The path of this request, quoted anew: whoever's id is in it may have a question mark or a space in it."""
    return quote(request.scope["path"], safe="/:@")


def local_path(request: Request) -> str:
    """Where this request went, as a path of ours with its query."""
    query = request.url.query
    return own_path(request) + (f"?{query}" if query else "")
