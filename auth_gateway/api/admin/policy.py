"""`/policy`: the document of rules, who changed it and why, what each rule did, and what another one would have done;
for programs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.admin.policy_findings import BacktestBody, result_of, rules_of
from auth_gateway.api.admin.policy_shapes import (
    CheckBody,
    PolicyDifference,
    PolicyHistory,
    RestoreBody,
    SaveBody,
    ShownVersion,
    saved_version,
    shown_draft,
    shown_policy,
)
from auth_gateway.core.policy_edit import Edits
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.core.policy_version import LARGEST_SAVED, NEWEST, version_of
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.flows.past_trials import PastTrials
from auth_gateway.flows.policy_desk import MOST_SHOWN, PolicyDesk
from auth_gateway.flows.policy_statistics import PolicyStatistics
from auth_gateway.flows.ports import Clock
from auth_gateway.flows.said import said
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.queries import each_once
from plumbing.refusals import Refused

MOST_BYTES: Final = 2 * LARGEST_SAVED + 8_192
"""JSON writes a line's end and a quotation mark with two characters each."""
READ: AdminScope = "policy:read"
WRITE: AdminScope = "policy:write"

T = TypeVar("T")

_save = msgspec.json.Decoder(SaveBody)
_restore = msgspec.json.Decoder(RestoreBody)
_check = msgspec.json.Decoder(CheckBody)
_backtest = msgspec.json.Decoder(BacktestBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRoutes:
    """What programs do with the policy. Every method raises what the gate refuses; `wake` is called when something is
    to be told."""

    gate: AdminGate
    desk: PolicyDesk
    statistics: PolicyStatistics
    trials: PastTrials
    present: Callable[[], PolicyDocument]
    clock: Clock
    wake: Callable[[], None]

    async def get_policy(self, request: Request) -> Response:
        """What is in force, with its version as the entity tag."""
        await self.gate(request, READ)
        return await self._in_force()

    async def put_policy(self, request: Request) -> Response:
        """Another document.

        Raises: Refused `if_match_required` (428), `policy_changed` (412), `policy_from_file` (409), `invalid_policy`,
            `invalid_words` (422), and those of a bad body.
        """
        client_id = await self.gate(request, WRITE)
        expected = _expected_version(request)
        body = await _body(request, _save)
        word = said(body.by, body.why, client_id=client_id)
        await asyncio.to_thread(lambda: self.desk.save(body.document, word, expected_version=expected))
        self.wake()
        return await self._in_force()

    async def post_restore(self, request: Request) -> Response:
        """An earlier document again.

        Raises: Refused `unknown_version` (404), and as `put_policy`.
        """
        client_id = await self.gate(request, WRITE)
        expected = _expected_version(request)
        body = await _body(request, _restore)
        word = said(body.by, body.why, client_id=client_id)
        await asyncio.to_thread(lambda: self.desk.restore(body.version, word, expected_version=expected))
        self.wake()
        return await self._in_force()

    async def post_check(self, request: Request) -> Response:
        """What a document means, and how it differs; nothing is saved.

        Raises: Refused `invalid_policy`, `cannot_edit` (422), and those of a bad body.
        """
        await self.gate(request, READ)
        body = await _body(request, _check)
        draft = await asyncio.to_thread(self.desk.draft, body.document, body.edits)
        return json_answer(shown_draft(draft))

    async def post_backtest(self, request: Request) -> Response:
        """What a document would have decided.

        Raises: Refused `invalid_policy`, `invalid_span` (422), `backtest_running` (409), and those of a bad body.
        """
        await self.gate(request, READ)
        body = await _body(request, _backtest)
        since = body.since.timestamp()
        until = self.clock.now() if body.until is None else body.until.timestamp()

        def look() -> Response:
            candidate = self.desk.draft(body.document, Edits()).document
            return json_answer(result_of(self.trials(candidate, since=since, until=until)))

        return await asyncio.to_thread(look)

    async def get_rules(self, request: Request) -> Response:
        """How often each rule answered."""
        await self.gate(request, READ)
        counts = await asyncio.to_thread(self.statistics)
        return json_answer(rules_of(self.present(), counts))

    async def get_history(self, request: Request) -> Response:
        """Who saved what, and why. Raises: Refused `invalid_request` (422)."""
        await self.gate(request, READ)
        before, limit = _number(request, "cursor", NEWEST), _number(request, "limit", MOST_SHOWN)
        found = await asyncio.to_thread(self.desk.history, before, limit)
        more = found[-1].version if found and found[-1].version > 1 else None
        return json_answer(PolicyHistory(versions=[saved_version(each) for each in found], next=more))

    async def get_version(self, request: Request) -> Response:
        """One saved version. Raises: Refused `unknown_version` (404)."""
        await self.gate(request, READ)
        number = version_of(f'"{request.path_params["version"]}"')
        if not number:
            raise Refused("unknown_version", "No policy document of this number was saved.", status=404)
        found = await asyncio.to_thread(self.desk.version, number)
        return json_answer(ShownVersion(saved=saved_version(found), document=found.document))

    async def get_difference(self, request: Request) -> Response:
        """How two versions differ. Raises: Refused `unknown_version` (404), `invalid_request` (422)."""
        await self.gate(request, READ)
        earlier, later = _number(request, "from", None, least=0), _number(request, "to", None, least=0)
        lines = await asyncio.to_thread(self.desk.between, earlier, later)
        return json_answer(PolicyDifference(before=earlier, after=later, lines=lines))

    async def _in_force(self) -> Response:
        found = await asyncio.to_thread(self.desk.in_force)
        answer = json_answer(shown_policy(found))
        answer.headers["etag"] = found.version.etag
        return answer


def _expected_version(request: Request) -> int:
    """The version that the caller looked at: what is changed unseen is refused, and so is whoever does not say."""
    told = request.headers.getlist("if-match")
    if not told:
        words = "Say by If-Match which version you looked at: its ETag is in the answer to GET /policy."
        raise Refused("if_match_required", words, status=428)
    version = version_of(told[0]) if len(told) == 1 else None
    if version is None:
        words = "If-Match names no version of ours. Get the policy, and send its ETag."
        raise Refused("policy_changed", words, status=412)
    return version


async def _body(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    require_json(request)
    return decode(decoder, await read_body(request, max_bytes=MOST_BYTES))


def _number(request: Request, name: str, usual: int | None, *, least: int = 1) -> int:
    text = each_once(request).get(name)
    if text is None and usual is not None:
        return usual
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        words = f"This is no whole number from {least} on."
        raise Refused("invalid_request", words, status=422, evidence={"field": name})
    return int(text)
