"""The endpoint by which the gateway tells what it decided: parse, call the flow, render."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.operations import DECISIONS
from risk_scorer.contract.decisions import MAX_DECISIONS, MAX_DECISIONS_BYTES, Decision
from risk_scorer.flows.console.decisions import HearDecisions

_decisions = msgspec.json.Decoder(Decision | list[Decision])


def add_deciding(app: FastAPI, *, access: Access, hear: HearDecisions) -> None:
    """Put it under its path."""

    async def decisions(request: Request) -> Response:
        access.require(request, "outcomes")
        require_json(request)
        body = decode(_decisions, await read_body(request, max_bytes=MAX_DECISIONS_BYTES))
        told = body if isinstance(body, list) else [body]
        if len(told) > MAX_DECISIONS:
            evidence = {"max_decisions": MAX_DECISIONS}
            raise Refused("too_many_decisions", "Send fewer decisions at once.", status=413, evidence=evidence)
        return json_answer(await hear.decisions(told, path="$" if isinstance(body, list) else None))

    add_lean(app, "/decisions", decisions, method="POST", summary="Tell what was decided", operation=DECISIONS)
