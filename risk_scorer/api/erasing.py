"""The endpoint by which a person is erased: parse, call the flow, render."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer
from plumbing.bodies import decode, read_body, require_json
from plumbing.lean import add_lean
from risk_scorer.api.access import Access
from risk_scorer.api.operations import ERASE
from risk_scorer.contract.feedback import Erasure
from risk_scorer.flows.erase import Erase

MAX_ERASURE_BYTES: Final = 8 * 1024

_erasure = msgspec.json.Decoder(Erasure)


def add_erasing(app: FastAPI, *, access: Access, erase: Erase) -> None:
    """Put it under its path."""

    async def people_erase(request: Request) -> Response:
        access.require(request, "erase")
        require_json(request)
        asked = decode(_erasure, await read_body(request, max_bytes=MAX_ERASURE_BYTES))
        return JSONAnswer(msgspec.json.encode(await erase.person(asked.user_id)))

    add_lean(app, "/people/erase", people_erase, method="POST", summary="Erase a person", operation=ERASE)
