"""The pages that people see when they sign out. No script, and nothing of the request but what was checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.end_session import EndSessionRequest
from plumbing.refusals import Refused

_TEMPLATE = "logout.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutPage:
    """Renders `pages/logout.html` in its four states."""

    templates: Environment

    def confirm(
        self,
        *,
        action: str,
        csrf: str,
        client: RegisteredClient | None,
        asked: EndSessionRequest,
        goes_to: str | None,
    ) -> Response:
        """Do you want to sign out; the form brings back what is needed to go on afterwards."""
        carried = {
            "csrf": csrf,
            "client_id": "" if client is None else client.client_id,
            "post_logout_redirect_uri": asked.post_logout_redirect_uri,
            "state": asked.state,
        }
        fields = {name: value for name, value in carried.items() if value}
        name = None if client is None else client.name
        return self._page("confirm", 200, goes_to=goes_to, action=action, fields=fields, client_name=name)

    def signed_out(self, headers: Mapping[str, str]) -> Response:
        """It is done, and there is nowhere to go."""
        return self._page("signed_out", 200, headers=headers)

    def stayed(self) -> Response:
        """They changed their mind."""
        return self._page("stayed", 200)

    def refused(self, refused: Refused) -> Response:
        """The request cannot be followed; nobody was signed out, and nobody is sent anywhere."""
        headers = dict(refused.headers)
        if refused.retry_after_seconds is not None:
            headers["retry-after"] = str(max(1, math.ceil(refused.retry_after_seconds)))
        return self._page("refused", refused.status, headers=headers, code=refused.code, text=refused.message)

    def _page(
        self,
        state: str,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        goes_to: str | None = None,
        **values: object,
    ) -> Response:
        text = self.templates.get_template(_TEMPLATE).render(state=state, **values)
        return HTMLResponse(text, status_code=status, headers={**_protected(goes_to), **(headers or {})})


def _protected(goes_to: str | None) -> dict[str, str]:
    """Nothing runs, nothing frames it, and its form leads to us and on to where the person goes afterwards."""
    targets = "'self'" if goes_to is None else f"'self' {_origin(goes_to)}"
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    # Under `no-referrer` a browser hides the Origin of our own form from us (Fetch, section 3.2).
    return {"content-security-policy": policy, "referrer-policy": "same-origin"}


def _origin(address: str) -> str:
    """As a policy names it; an application on the person's own device has a scheme and no host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
