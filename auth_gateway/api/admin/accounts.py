"""`/accounts/{user_id}`: what a reviewer sees of a person's account, and freezes, opens and ends, for programs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.account_shapes import (
    Frozen,
    ResetForced,
    ReviewBody,
    SessionsReset,
    ShownAccount,
    UnfreezeBody,
    shown_account,
    summary,
)
from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.core.names import LONGEST_USER_ID
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.flows.account_desk import AccountDesk
from auth_gateway.flows.forced_reset import ForcedReset
from auth_gateway.flows.said import Said, said
from auth_gateway.flows.session_end import SessionEnd
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, refuse_unsafe_text, require_json
from plumbing.refusals import Refused

MOST_BYTES = 4_096
LONGEST_SESSION_ID = 256
READ: AdminScope = "risk:read"
WRITE: AdminScope = "risk:write"

T = TypeVar("T")

_review = msgspec.json.Decoder(ReviewBody)
_unfreeze = msgspec.json.Decoder(UnfreezeBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRoutes:
    """What programs of reviewers do. Every method raises what the gate refuses, and 404 `unknown_user`; `wake` is
    called when something is to be told."""

    gate: AdminGate
    desk: AccountDesk
    forced_reset: ForcedReset
    session_end: SessionEnd
    wake: Callable[[], None]

    async def get_summary(self, request: Request) -> Response:
        """What is known of the account."""
        await self.gate(request, READ)
        found, behaviour = await self.desk.summary(user_id_of(request))
        return json_answer(summary(found, behaviour))

    async def post_freeze(self, request: Request) -> Response:
        """Nobody gets in any more.

        Raises: Refused `invalid_words` (422), and those of a bad body.
        """
        client_id, user_id = await self.gate(request, WRITE), user_id_of(request)
        word = _word(await self._body(request, _review), client_id)
        changed = await asyncio.to_thread(self.desk.freeze, user_id, word)
        return await self._now(user_id, changed=changed)

    async def post_unfreeze(self, request: Request) -> Response:
        """They may log in again.

        Raises: Refused `changed_meanwhile` (409), `invalid_words` (422), and those of a bad body.
        """
        client_id, user_id = await self.gate(request, WRITE), user_id_of(request)
        body = await self._body(request, _unfreeze)
        word = said(body.by, body.why, client_id=client_id)
        changed = await asyncio.to_thread(lambda: self.desk.unfreeze(user_id, word, expected_version=body.version))
        return await self._now(user_id, changed=changed)

    async def post_reset(self, request: Request) -> Response:
        """Every session ends.

        Raises: Refused `invalid_words` (422), and those of a bad body.
        """
        client_id, user_id = await self.gate(request, WRITE), user_id_of(request)
        word = _word(await self._body(request, _review), client_id)
        ended = await asyncio.to_thread(self.desk.reset_sessions, user_id, word)
        self.wake()
        return json_answer(SessionsReset(ended=ended))

    async def post_end_session(self, request: Request) -> Response:
        """One session ends.

        Raises: Refused `unknown_session` (404), `invalid_words` (422), and those of a bad body.
        """
        client_id, user_id = await self.gate(request, WRITE), user_id_of(request)
        word = _word(await self._body(request, _review), client_id)
        session_id = _session_id_of(request)
        was_running = await asyncio.to_thread(self.session_end, user_id, session_id, word)
        self.wake()
        return json_answer(SessionsReset(ended=int(was_running)))

    async def post_force_reset(self, request: Request) -> Response:
        """The password must be another one before anybody gets in.

        Raises: Refused `changed_meanwhile`, `account_frozen`, `no_mail_address` (409), `invalid_words` (422), and those
        of a bad body.
        """
        client_id, user_id = await self.gate(request, WRITE), user_id_of(request)
        body = await self._body(request, _unfreeze)
        word = said(body.by, body.why, client_id=client_id)
        ended = await asyncio.to_thread(lambda: self.forced_reset(user_id, word, expected_version=body.version))
        self.wake()
        account = shown_account((await asyncio.to_thread(self.desk.file, user_id)).account)
        return json_answer(ResetForced(account=account, changed=ended is not None, ended=ended or 0))

    async def _now(self, user_id: str, *, changed: bool) -> Response:
        self.wake()
        account: ShownAccount = shown_account((await asyncio.to_thread(self.desk.file, user_id)).account)
        return json_answer(Frozen(account=account, changed=changed))

    async def _body(self, request: Request, decoder: msgspec.json.Decoder[T]) -> T:
        require_json(request)
        return decode(decoder, await read_body(request, max_bytes=MOST_BYTES))


def _word(body: ReviewBody, client_id: str) -> Said:
    return said(body.by, body.why, client_id=client_id)


def user_id_of(request: Request) -> str:
    """Whom the address names. Raises: Refused `unknown_user` (404)."""
    user_id = str(request.path_params["user_id"])
    if len(user_id) > LONGEST_USER_ID:
        raise Refused("unknown_user", "There is no account with this id.", status=404)
    return refuse_unsafe_text(user_id, "user_id")


def _session_id_of(request: Request) -> str:
    """Which session the address names. Raises: Refused `unknown_session` (404)."""
    session_id = str(request.path_params["session_id"])
    if len(session_id) > LONGEST_SESSION_ID:
        raise Refused("unknown_session", "This person has no session with this id.", status=404)
    return refuse_unsafe_text(session_id, "session_id")
