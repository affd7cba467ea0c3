"""The pages that people see, in their language, and what a browser is told to refuse on them.

What they show of a person or an application is escaped by the templates; what they show of a request is nothing but the
user name that was typed or that the application suggests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Final
from urllib.parse import urlsplit

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from auth_gateway.api.cookies import sent_cookie
from auth_gateway.api.provider.assets import Assets
from auth_gateway.core.brand import Brand
from auth_gateway.core.texts import LANGUAGES, Texts, preferred_language

TEMPLATES: Final = Path(__file__).parents[2] / "pages" / "templates"
LANGUAGE_COOKIE: Final = "language"
LANGUAGE_SECONDS: Final = 31_536_000


class _Compiled(BytecodeCache):
    """What templates compile to, in this process alone: each is compiled once, however many applications there are."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def templates(issuer: str, assets: Assets, brand: Brand) -> Environment:
    """The pages' templates; `base` is what stands before each of our paths where people come in."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    base = urlsplit(issuer).path
    environment.globals["base"] = base
    environment.globals["brand"] = brand
    environment.globals["asset"] = lambda name: base + assets.address(name)
    return environment


def protected(goes_to: str | None = None) -> dict[str, str]:
    """Headers of every page: nothing runs but our own files, nothing frames it, and its form leads to us and on to
    `goes_to`, because browsers hold the redirect that follows a form to the same policy."""
    targets = "'self'" if goes_to is None else f"'self' {target_of(goes_to)}"
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )
    # Under `no-referrer` a browser hides the Origin of our own form from us (Fetch, section 3.2).
    return {"content-security-policy": policy, "referrer-policy": "same-origin"}


def target_of(address: str) -> str:
    """An address as a policy names it; an application on the person's own device has a scheme and no host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in one language, as templates ask for them: `t("sign_in.heading", client=name)`."""

    texts: Texts
    language: str

    def __call__(self, key: str, **values: object) -> Markup:
        """A text with its placeholders filled, each escaped; `count` chooses between one and others.

        Raises: KeyError for a text or a placeholder's value that is missing.
        """
        return Markup(self.texts.text(self.language, key, values.get("count"))).format_map(values)  # noqa: S704 # ours

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return self.texts.has(key)

    def own_name(self, language: str) -> str:
        """What a language calls itself."""
        return self.texts.text(language, "common.language_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Renders pages. `default_language` speaks to whoever wishes for none of ours."""

    templates: Environment
    texts: Texts
    default_language: str
    is_https: bool

    def language(self, request: Request, ui_locales: str = "") -> str:
        """The language of a page: what was chosen on it, what the application asks for, what the browser prefers."""
        chosen = _chosen(request) or sent_cookie(request, LANGUAGE_COOKIE, could_be_ours=LANGUAGES.__contains__)
        asked = ui_locales or request.query_params.get("ui_locales", "")
        preferred = request.headers.get("accept-language", "")
        return preferred_language(chosen, asked, preferred, default=self.default_language)

    def words(self, request: Request, ui_locales: str = "") -> Words:
        """The texts in that language."""
        return Words(self.texts, self.language(request, ui_locales))

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        goes_to: str | None = None,
        headers: Mapping[str, str] | None = None,
        ui_locales: str = "",
        **values: object,
    ) -> Response:
        """One page; `goes_to` is where its form may lead in the end, `ui_locales` what the application asks for."""
        words = self.words(request, ui_locales)
        # Whoever chooses a language asks for the same page again; that must lose nothing that was sent.
        is_plain = request.method == "GET" and not set(request.query_params) - {"language"}
        shown = {"t": words, "language": words.language, "languages": LANGUAGES if is_plain else ()}
        text = self.templates.get_template(template).render({**shown, **values})
        response = HTMLResponse(text, status_code=status, headers={**protected(goes_to), **(headers or {})})
        if is_plain and _chosen(request):
            response.headers.append("set-cookie", self._kept(words.language))
        return response

    def _kept(self, language: str) -> str:
        """The Set-Cookie header that keeps a choice; it opens nothing, so anybody may know and change it."""
        secure = "; Secure" if self.is_https else ""
        return f"{LANGUAGE_COOKIE}={language}; Max-Age={LANGUAGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def notice(
        self,
        request: Request,
        key: str,
        *,
        status: int,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        ui_locales: str = "",
        **values: object,
    ) -> Response:
        """A page that says one thing and leads nowhere: the texts `{key}_heading` and `{key}_text`."""
        words = self.words(request, ui_locales)
        heading, text = words(f"{key}_heading", **values), words(f"{key}_text", **values)
        return self.said(request, heading, text, status=status, code=code, headers=headers, ui_locales=ui_locales)

    def said(
        self,
        request: Request,
        heading: str,
        text: str,
        *,
        status: int,
        code: str = "",
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        ui_locales: str = "",
    ) -> Response:
        """The same with texts that were looked up already; `detail` is English, for whoever made the request."""
        return self.page(
            request,
            "notice.html",
            status=status,
            headers=headers,
            ui_locales=ui_locales,
            heading=heading,
            text=text,
            code=code,
            detail=detail,
        )

    def outdated(self, request: Request) -> Response:
        """Whatever makes an interaction nobody's: another browser's, too old, finished, invented."""
        return self.notice(request, "common.start_again", status=410)


def _chosen(request: Request) -> str:
    """The language that was chosen on the page, "" when none of ours."""
    given = request.query_params.get("language", "")
    return given if given in LANGUAGES else ""
