"""`/accounts` and `/accounts/{user_id}/sessions`: which accounts there are, and where one is signed in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.account_list_shapes import (
    AccountList,
    AccountSessions,
    ListedAccount,
    listed,
    live,
)
from auth_gateway.api.admin.accounts import READ, user_id_of
from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.core.account_line import START, AccountLine, ListPlace, State, place_from
from auth_gateway.core.names import LONGEST_USER_ID
from auth_gateway.flows.account_desk import AccountDesk
from auth_gateway.flows.account_directory import AccountDirectory
from auth_gateway.flows.ports import Clock
from plumbing.asgi import json_answer
from plumbing.bodies import refuse_unsafe_text
from plumbing.queries import each_once
from plumbing.refusals import Refused

USUAL_PAGE: Final = 50
MOST_SHOWN: Final = 200
LONGEST_QUERY: Final = 256
LONGEST_CURSOR: Final = 2048
MOST_IDS: Final = 50

_many = msgspec.json.Decoder(
    Annotated[list[Annotated[str, Meta(max_length=LONGEST_USER_ID)]], Meta(max_length=MOST_IDS)]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLists:
    """What programs of reviewers look through."""

    gate: AdminGate
    desk: AccountDesk
    directory: AccountDirectory
    clock: Clock
    half_life_seconds: float

    async def get_accounts(self, request: Request) -> Response:
        """A page of accounts.

        Raises: Refused by the gate; `invalid_request` (422), which names the field.
        """
        await self.gate(request, READ)
        ids = _ids(request)
        if ids is not None:
            known = await asyncio.to_thread(self.directory.of_ids, ids)
            return json_answer(AccountList(accounts=self._listed(known)))
        query = refuse_unsafe_text(each_once(request).get("query", "").strip(), "query")
        if len(query) > LONGEST_QUERY:
            raise _invalid("query")
        state, place, limit = _state(request), _place(request), _limit(request)
        page = await asyncio.to_thread(lambda: self.directory.page(query, state=state, place=place, limit=limit))
        following = UNSET if page.next is None else str(page.next)
        return json_answer(AccountList(accounts=self._listed(page.accounts), next=following))

    async def get_sessions(self, request: Request) -> Response:
        """Where somebody is signed in.

        Raises: Refused by the gate; `unknown_user` (404).
        """
        await self.gate(request, READ)
        user_id = user_id_of(request)
        found = await asyncio.to_thread(self.desk.live_sessions, user_id)
        return json_answer(AccountSessions(sessions=[live(session, clients) for session, clients in found]))

    def _listed(self, lines: Sequence[AccountLine]) -> list[ListedAccount]:
        now, half_life = self.clock.now(), self.half_life_seconds
        return [listed(line, line.risk.value_at(now, half_life)) for line in lines]


def _ids(request: Request) -> list[str] | None:
    """Whom the caller knows already, as a JSON list; None where they do not say."""
    text = each_once(request).get("ids")
    if text is None:
        return None
    try:
        ids = _many.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        raise _invalid("ids") from None
    return [refuse_unsafe_text(each, "ids") for each in ids]


def _state(request: Request) -> State | None:
    match each_once(request).get("state", ""):
        case "":
            return None
        case "active":
            return "active"
        case "frozen":
            return "frozen"
    raise _invalid("state")


def _place(request: Request) -> ListPlace:
    text = each_once(request).get("cursor", "")
    if not text:
        return START
    place = place_from(text) if len(text) <= LONGEST_CURSOR else None
    if place is None:
        raise _invalid("cursor")
    refuse_unsafe_text(place.key, "cursor")
    refuse_unsafe_text(place.user_id, "cursor")
    return place


def _limit(request: Request) -> int:
    text = each_once(request).get("limit", str(USUAL_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_SHOWN):
        raise _invalid("limit")
    return int(text)


def _invalid(field: str) -> Refused:
    return Refused("invalid_request", "This cannot be asked so.", status=422, evidence={"field": field})
