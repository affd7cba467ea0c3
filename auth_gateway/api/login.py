"""`POST /login` and what finishes one, `/login/complete` and `/login/email-code`: parse, call one flow, render."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.bodies import MOST_CHALLENGE_BYTES, MOST_LOGIN_BYTES, ChallengeBody, EmailCodeBody, LoginBody
from auth_gateway.api.clients import Registered, calling_client, require_may_log_in
from auth_gateway.api.devices import DeviceCookie, device_id_of
from auth_gateway.api.edge import Edge
from auth_gateway.api.rendering import completion_response, login_response, mail_response
from auth_gateway.flows.answers import WrongCredentials
from auth_gateway.flows.challenge import CompleteLogin
from auth_gateway.flows.login import Login
from auth_gateway.flows.mailed_code import MailCode
from auth_gateway.flows.proofs import ChallengeProof, CodeProof, PushProof
from plumbing.bodies import decode, read_body, require_json
from plumbing.clock import Clock
from plumbing.refusals import Refused

_login_decoder = msgspec.json.Decoder(LoginBody)
_challenge_decoder = msgspec.json.Decoder(ChallengeBody)
_mail_decoder = msgspec.json.Decoder(EmailCodeBody)


class Floor(Protocol):
    """Makes refusals leave together."""

    async def hold(self, started_at: float) -> None:
        """Returns when a refusal that began at `started_at` (monotonic seconds) may leave."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRoutes:
    """The two halves of a login, and the code by mail that may be asked for between them."""

    login: Login
    complete: CompleteLogin
    mail_code: MailCode
    registered: Registered
    edge: Edge
    devices: DeviceCookie
    floor: Floor
    clock: Clock
    wake_delivery: Callable[[], None]

    async def post_login(self, request: Request) -> Response:
        """One login by password. The floor counts from the moment the whole request is here: how long a client takes
        to send it is the client's own doing."""
        client = calling_client(request, self.registered)
        require_may_log_in(client)
        require_json(request)
        body = decode(_login_decoder, await read_body(request, max_bytes=MOST_LOGIN_BYTES))
        started_at = self.clock.monotonic()
        cookie = self.devices.value(request)
        context = self.edge.context(request, body, client=client, device_id=device_id_of(cookie), now=self.clock.now())
        answer = await self.login(body.username, body.password, context, client)
        self.wake_delivery()
        if isinstance(answer, WrongCredentials):
            await self.floor.hold(started_at)
        return login_response(answer, client=client, set_cookie=self.devices.header(cookie))

    async def post_complete(self, request: Request) -> Response:
        """One code of one kind for one challenge, or a look for the word of an MFA system."""
        client = calling_client(request, self.registered)
        require_json(request)
        body = decode(_challenge_decoder, await read_body(request, max_bytes=MOST_CHALLENGE_BYTES))
        device_id = self.devices.known_id(request)
        context = self.edge.context(request, body, client=client, device_id=device_id, now=self.clock.now())
        answer = await self.complete(body.challenge_id, _proof(body), client, context)
        self.wake_delivery()
        return completion_response(answer, client=client)

    async def post_email_code(self, request: Request) -> Response:
        """A code by mail for one challenge."""
        client = calling_client(request, self.registered)
        require_json(request)
        body = decode(_mail_decoder, await read_body(request, max_bytes=MOST_CHALLENGE_BYTES))
        answer = await self.mail_code(body.challenge_id, client)
        self.wake_delivery()
        return mail_response(answer)


def _proof(body: ChallengeBody) -> ChallengeProof:
    if body.method == "push":
        return PushProof()
    if body.code is None:
        raise Refused("invalid_request", "A required field is missing.", status=422, evidence={"field": "$.code"})
    return CodeProof(kind=body.method, code=body.code)
