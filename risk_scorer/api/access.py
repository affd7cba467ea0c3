"""Who may call what: service credentials in the Authorization header, operators by their session cookie."""

from __future__ import annotations

from starlette.requests import Request

from plumbing.refusals import Refused
from risk_scorer.core.console.operator import Operator, Role
from risk_scorer.core.console.veil import Veil
from risk_scorer.flows.ports import Caller, Callers, OperatorSessions

OPERATOR_COOKIE = "riskgate_operator"
SESSION_COOKIE_SECONDS = 8 * 3600
CHALLENGE = 'Bearer realm="risk-scorer"'


class NotSignedIn(Exception):
    """A person without a living operator session asked for an operator's page."""


class NoRole(Exception):
    """A signed-in person asked for a page that takes a stronger role than theirs, which may be none."""

    def __init__(self, operator: Operator, needed: Role) -> None:
        super().__init__(needed)
        self.operator = operator
        self.needed = needed


class Access:
    """Checks made before anything of a request's body is read."""

    def __init__(self, callers: Callers, operators: OperatorSessions) -> None:
        self._callers = callers
        self._operators = operators

    def require(self, request: Request, scope: str) -> Caller:
        """The service that calls. Raises: Refused, 401 without a living credential, 403 when it lacks the scope."""
        text = bearer_text(request)
        if text is None:
            raise Refused(
                "credential_required",
                "Send a service credential as 'Authorization: Bearer rgs_…'.",
                status=401,
                headers={"WWW-Authenticate": CHALLENGE},
            )
        caller = self._callers.caller(text)
        if caller is None:
            raise Refused(
                "invalid_token",
                "The credential is unknown or revoked.",
                status=401,
                headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
            )
        if scope not in caller.scopes:
            raise Refused(
                "insufficient_scope",
                f"This needs a credential with the scope '{scope}'.",
                status=403,
                headers={"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
            )
        return caller

    def require_or_operator(self, request: Request, scope: str) -> None:
        """A service with the scope, or a signed-in operator who shows no credential, whose veil is then kept with the
        request. Raises: Refused."""
        if bearer_text(request) is None:
            operator = self._operators.operator(request.cookies.get(OPERATOR_COOKIE))
            if operator is not None and operator.role is not None:
                request.state.veil = Veil(operator.is_masked)
                return
        self.require(request, scope)

    def operator(self, request: Request, role: Role = "reader") -> Operator:
        """Who is signed in at this browser. Raises: NotSignedIn; NoRole where the page needs more than they have."""
        found = self._operators.operator(request.cookies.get(OPERATOR_COOKIE))
        if found is None:
            raise NotSignedIn
        if not found.may(role):
            raise NoRole(found, role)
        return found

    def is_signed_in(self, request: Request) -> bool:
        """Whether the person at this browser still is, with a role; for what goes on for long."""
        return self._operators.is_signed_in(request.cookies.get(OPERATOR_COOKIE))


def bearer_text(request: Request) -> str | None:
    """The credential of the first Authorization header, or None when there is none of the Bearer scheme."""
    # Walks the raw pairs: building a Headers object would cost more than the check.
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            scheme, _, text = value.partition(b" ")
            return text.strip().decode("latin-1") if scheme.lower() == b"bearer" and text else None
    return None


def require_same_origin(request: Request) -> None:
    """Refuse a form that another site made the browser post (the cookie is SameSite=Strict; this is the second lock).

    Source: W3C Fetch Metadata, `Sec-Fetch-Site`; browsers without it send Origin. Raises: Refused.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        allowed = origin is None or origin.partition("://")[2] == request.headers.get("host", "")
    if not allowed:
        raise Refused("cross_site_form", "This form must be posted from the scorer's own page.", status=403)
