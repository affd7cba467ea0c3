"""`/device_authorization`, where a device asks for a code, and `/device`, where a person types it (RFC 8628)."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.clients import FormFields, proven_client
from auth_gateway.api.provider.browsers import Browsers, binding_of
from auth_gateway.api.provider.refusal_pages import refusal_page, retry_after
from auth_gateway.api.provider.token_forms import token_form
from auth_gateway.core.provider.device_grant import DEVICE_GRANT_SECONDS, normal_user_code, shown_user_code
from auth_gateway.flows.answers import NotGranted, Throttled
from auth_gateway.flows.provider.authorize import Arrival, Authorize
from auth_gateway.flows.provider.client_proof import ClientProof
from auth_gateway.flows.provider.device import FindDevice, Found, StartDevice
from plumbing.asgi import json_answer
from plumbing.refusals import Refused

FORM = "device"
LONGEST_PARAMETER = 1024
WRONG_CODE = "sign_in.wrong_user_code"
THROTTLED = "sign_in.user_codes_throttled"
_NOT_GRANTED = {
    "unauthorized_client": "This client may not use the device grant.",
    "invalid_scope": "No scope that this client may ask for was asked for.",
}


class DeviceStarted(msgspec.Struct, frozen=True, kw_only=True):
    """What the device shows, and what it polls the token endpoint with, every `interval` seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    interval: int
    expires_in: int = DEVICE_GRANT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRoutes:
    """Both ends of the device grant."""

    browsers: Browsers
    prove: ClientProof
    start: StartDevice
    find: FindDevice
    authorize: Authorize
    wake_delivery: Callable[[], None]

    async def post_device_authorization(self, request: Request) -> Response:
        """A device code and a user code.

        Raises: Refused in OAuth's words (400, 401, 413, 415, 429), or 503.
        """
        form = await token_form(request)
        client = await proven_client(request, FormFields(form), self.prove)
        scope, acr_values = form.get("scope", ""), form.get("acr_values", "")
        if len(scope) > LONGEST_PARAMETER or len(acr_values) > LONGEST_PARAMETER:
            raise Refused("invalid_request", "A parameter is too long.", status=400)
        context = self.browsers.context(request, client.client_id)
        answer = await self.start(
            client, scope=scope, acr_values=acr_values, ip=context.ip, user_agent=context.user_agent
        )
        if isinstance(answer, NotGranted):
            raise Refused(answer.error, _NOT_GRANTED[answer.error], status=400)
        if isinstance(answer, Throttled):
            text = "Too many devices of this network asked for a code."
            raise Refused("throttled", text, status=429, retry_after_seconds=answer.retry_after_seconds)
        page, user_code = f"{self.browsers.issuer}/device", shown_user_code(answer.grant.user_code)
        started = DeviceStarted(
            device_code=answer.device_code,
            user_code=user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={user_code}",
            interval=answer.grant.interval_seconds,
        )
        return json_answer(started)

    async def get_device(self, request: Request) -> Response:
        """The page that asks for the code; one that came with the address is filled in, and still to be sent."""
        filled = normal_user_code(request.query_params.get("user_code", "")[:LONGEST_PARAMETER])
        cookie, is_new = self.browsers.sign_in_cookie(request)
        response = self._form(request, cookie, filled="" if filled is None else shown_user_code(filled))
        if is_new:
            response.headers.append("set-cookie", self.browsers.cookies.sign_in.header(cookie))
        return response

    async def post_device(self, request: Request) -> Response:
        """On to signing in and to the person's word, where the code is that of a device that waits."""
        browsers = self.browsers
        try:
            fields = await token_form(request)
            if not browsers.is_our_form(request, fields, FORM):
                return browsers.pages.notice(request, "common.not_ours", status=400)
            cookie = browsers.cookies.sign_in.value(request)
            binding = binding_of(cookie)
            found = await self.find(fields.get("user_code", ""), ip=browsers.edge.address(request), binding=binding)
            if isinstance(found, Found):
                return await self._next(request, found, binding)
        except Refused as refusal:
            return refusal_page(browsers.pages, request, refusal)
        if found is None:
            return self._form(request, cookie, problem=WRONG_CODE, status=400)
        headers = {"retry-after": retry_after(found.retry_after_seconds)}
        return self._form(request, cookie, problem=THROTTLED, status=429, headers=headers)

    async def _next(self, request: Request, found: Found, binding: bytes) -> Response:
        browsers = self.browsers
        arrival = Arrival(
            request=found.approval,
            client=found.client,
            context=browsers.context(request, found.client.client_id),
            shown=browsers.shown(request),
            binding=binding,
        )
        onwards = await self.authorize(arrival)
        self.wake_delivery()
        return browsers.go(request, onwards)

    def _form(
        self,
        request: Request,
        cookie: str,
        *,
        filled: str = "",
        problem: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        csrf = self.browsers.csrf_of(cookie, FORM)
        return self.browsers.pages.page(
            request, "user_code.html", status=status, headers=headers, csrf=csrf, user_code=filled, problem=problem
        )
