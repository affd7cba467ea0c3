"""`/authorize`: an application sends a person here (RFC 6749, section 3.1; OpenID Connect Core 1.0, section 3.1.2).

Errors are pages until application and address are known good; from then on they travel back to the application.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers, binding_of, see_other
from auth_gateway.api.provider.refusal_pages import failure_page, refusal_page
from auth_gateway.core.provider.reply import ErrorPage, ErrorReply, Parameters, Reading, Understood, refused
from auth_gateway.flows.provider.authorize import Arrival, Authorize
from auth_gateway.flows.provider.ports import ClientFinder
from auth_gateway.flows.provider.push import PushedRequests
from plumbing.bodies import MAX_FORM_FIELDS, read_body, require_form
from plumbing.refusals import Refused

MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRoutes:
    """The authorization endpoint."""

    browsers: Browsers
    read: Callable[[Parameters], Reading]
    find_client: ClientFinder
    pushed: PushedRequests
    authorize: Authorize
    wake_delivery: Callable[[], None]

    async def get_authorize(self, request: Request) -> Response:
        """A code at once, or the sign-in page."""
        try:
            return await self._answer(request, parameters_of(request.scope["query_string"]))
        except Refused as refusal:
            return refusal_page(self.browsers.pages, request, refusal)

    async def post_authorize(self, request: Request) -> Response:
        """The same by form. Another site's post comes without our cookies (SameSite=Lax), so the request is kept and
        the browser sent round once more by GET, which has them."""
        try:
            require_form(request)
            reading = await self._reading(request, parameters_of(await read_body(request, max_bytes=MOST_BYTES)))
            if not isinstance(reading, Understood):
                return self._wrong(request, reading)
            address = self.browsers.edge.address(request)
            request_uri = await self.pushed.keep(reading.request, left_from=address)
        except Refused as refusal:
            return refusal_page(self.browsers.pages, request, refusal)
        query = urlencode({"client_id": reading.client.client_id, "request_uri": request_uri})
        return see_other(f"{self.browsers.issuer}/authorize?{query}")

    async def _answer(self, request: Request, parameters: Parameters) -> Response:
        reading = await self._reading(request, parameters)
        if not isinstance(reading, Understood):
            return self._wrong(request, reading)
        browsers = self.browsers
        cookie, is_new = browsers.sign_in_cookie(request)
        arrival = Arrival(
            request=reading.request,
            client=reading.client,
            context=browsers.context(request, reading.client.client_id),
            shown=browsers.shown(request),
            binding=binding_of(cookie),
        )
        onwards = await self.authorize(arrival)
        self.wake_delivery()
        return browsers.go(request, onwards, cookies=[browsers.cookies.sign_in.header(cookie)] if is_new else [])

    async def _reading(self, request: Request, parameters: Parameters) -> Reading:
        """What is asked; a pushed request was read when it was pushed.

        Source: RFC 9126, sections 4 and 5.
        """
        given = dict(parameters)
        request_uri = given.get("request_uri", "")
        if not request_uri.startswith("urn:"):
            reading = self.read(parameters)
            if isinstance(reading, Understood) and reading.client.require_pushed_authorization_requests:
                text = "This application must push its requests."
                return refused(reading.request, "invalid_request", text)
            return reading
        asked = await self.pushed.take(
            request_uri,
            expected_client_id=given.get("client_id", ""),
            fetched_from=self.browsers.edge.address(request),
        )
        client = None if asked is None else self.find_client(asked.client_id)
        if asked is None or client is None:
            text = "This way to sign in was used already or is too old. Go back to the application and start again."
            return ErrorPage(error="invalid_request_uri", description=text)
        return Understood(request=asked, client=client)

    def _wrong(self, request: Request, wrong: ErrorReply | ErrorPage) -> Response:
        if isinstance(wrong, ErrorReply):
            return self.browsers.go(request, wrong)
        return failure_page(self.browsers.pages, request, wrong.error, status=400, detail=wrong.description)


def parameters_of(raw: bytes) -> Parameters:
    """The parameters of a query or a form, repeated ones and all; empty ones are left out (RFC 6749, section 3.1).

    Raises: Refused `invalid_request` (400).
    """
    try:
        if len(raw) > MOST_BYTES:
            raise ValueError("too long")
        text = raw.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError:  # UnicodeError is one of them
        raise _malformed() from None
    if any("\0" in text for pair in pairs for text in pair):
        raise _malformed()
    return [(name, value) for name, value in pairs if value]


def _malformed() -> Refused:
    return Refused("invalid_request", "The request is not well-formed.", status=400)
