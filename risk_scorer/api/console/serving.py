"""Puts views under their paths; each is asked by people with its role alone, and says what is wrong as a page."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.console.away import away
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import Endpoint, View


def add_views(app: FastAPI, desk: Desk, views: Sequence[View]) -> None:
    """They are for people, so the API reference leaves them out."""
    for view in views:
        app.router.add_route(view.path, _guarded(desk, view), methods=[view.method], include_in_schema=False)


def _guarded(desk: Desk, view: View) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            desk.require(request, view.role)
            each_once(request)
            return await view.endpoint(request)
        except Refused as refused:
            try:
                return await desk.refusal(request, refused)
            except Refused as without_a_frame:
                return away(request, without_a_frame)

    return answer
