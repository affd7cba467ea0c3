"""What a model that shadows would have decided otherwise, for consoles: parse, ask the log, render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.clock import Clock
from plumbing.lean import add_lean
from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.reference import Schema, operation
from risk_scorer.api.veiled import veiled
from risk_scorer.contract.shadow import ShadowScore, ShadowState

HOUR_SECONDS: Final = 3600.0
MOST_HOURS: Final = 7 * 24
MOST_LISTED: Final = 500
LEVELS: Final = ("low", "medium", "high")


class KeptScores(Protocol):
    async def counts(self, active: str, shadow: str, since: float) -> dict[tuple[str, str], int]:
        """Logins since then by both levels. Raises: Refused."""
        ...

    async def differing(self, active: str, shadow: str, since: float, limit: int) -> list[ShadowScore]:
        """The newest logins since then that the two decide differently. Raises: Refused."""
        ...


class ShadowRoutes:
    """One answer: how the shadow does, in sum and login by login."""

    def __init__(self, *, access: Access, state: Callable[[], ShadowState], kept: KeptScores, clock: Clock) -> None:
        self._access = access
        self._state = state
        self._kept = kept
        self._clock = clock

    @veiled
    async def answer(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        hours = _number(request, "hours", default=24, most=MOST_HOURS)
        limit = _number(request, "limit", default=50, most=MOST_LISTED)
        state = self._state()
        told = {**msgspec.to_builtins(state), "hours": hours, "logins": 0, "levels": {}, "events": []}
        if state.active is None or state.shadow is None:
            return json_answer(told)
        since = self._clock.now() - hours * HOUR_SECONDS
        counts = await self._kept.counts(state.active, state.shadow, since)
        told["logins"] = sum(counts.values())
        told["levels"] = {one: {other: counts.get((one, other), 0) for other in LEVELS} for one in LEVELS}
        told["events"] = await self._kept.differing(state.active, state.shadow, since, limit)
        return json_answer(told)


def add_shadow(app: FastAPI, routes: ShadowRoutes) -> None:
    """Put it under its path."""
    add_lean(app, "/shadow", routes.answer, method="GET", summary="Tell what another model would do", operation=SHADOW)


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    text = each_once(request).get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise Refused(
            "invalid_request",
            f"{name} must be a whole number from 1 to {most}.",
            status=422,
            evidence={"field": f"query.{name}"},
        )
    return int(text)


def _parameter(name: str, default: int, most: int) -> Schema:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "schema": schema}


_COUNT: Final[Schema] = {"type": "integer"}
_NAME: Final[Schema] = {"type": ["string", "null"]}
SHADOW: Final = operation(
    scope="read",
    parameters=[_parameter("hours", 24, MOST_HOURS), _parameter("limit", 50, MOST_LISTED)],
    answers={
        "type": "object",
        "properties": {
            **dict.fromkeys(("active", "shadow", "problem"), _NAME),
            **dict.fromkeys(("waiting", "scored", "dropped", "failed", "hours", "logins"), _COUNT),
            "levels": {"type": "object"},
            "events": {"type": "array", "items": {"type": "object"}},
        },
    },
    refusals=("401", "403", "422", "503"),
    description=(
        "A model that shadows scores every login beside the one that decides. `levels` counts logins by the active"
        " model's level and then the shadow's; `events` are the newest that the two decide differently."
        " Open to a signed-in operator too."
    ),
)
