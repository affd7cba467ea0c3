"""What load balancers and operators ask: is the process alive, and can it score now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.lean import add_lean
from plumbing.readiness import STOPPING
from risk_scorer.api.reference import Schema, operation
from risk_scorer.contract.stream import StreamHealth


class Readiness(Struct, frozen=True, kw_only=True):
    """Each part's state: a model version or the reason why there is none, and `database`: "ok", "unavailable", or
    "not_writable" when it can be read alone: scoring goes on, and nothing is learned or announced.

    `model_refused` is the version that stands where models come from and is not in use, as far as it can be told, and
    `model_detail` what is wrong with it. `address_tables` is "ok" or the code of what is wrong with them: places are
    unknown then, and scoring goes on. So is `redis`: histories come from the database alone then; None where none is.
    `campaigns` is "campaigns_late" when nobody looked for them for five minutes; None where nobody ever did.
    """

    model_version: str | None
    model_problem: str | None
    database: str
    records_dropped: int
    address_tables: str
    model_refused: str | None = None
    model_detail: str | None = None
    redis: str | None = None
    campaigns: str | None = None
    is_stopping: bool = False

    @property
    def problem(self) -> str | None:
        """Why nobody should ask here, or None. A refused newer model is no reason: the last good one answers."""
        if self.is_stopping:
            return STOPPING
        if self.model_version is None:
            return self.model_problem or "model_missing"
        return "storage_unavailable" if self.database == "unavailable" else None


def add_health(
    app: FastAPI,
    *,
    version: str,
    readiness: Callable[[], Awaitable[Readiness]],
    stream: Callable[[], StreamHealth | None] = lambda: None,
) -> None:
    """`/health`, `/live` and `/ready`, open to all: they say nothing about anybody."""

    async def health(_request: Request) -> Response:
        found = stream()
        answer = {"status": "ok", "kafka_enabled": found is not None, "version": version}
        return json_answer(answer if found is None else {**answer, "kafka": found})

    async def live(_request: Request) -> Response:
        return json_answer({"status": "ok"})

    async def ready(_request: Request) -> Response:
        return _ready_answer(await readiness())

    for path, endpoint, summary, described in (
        ("/health", health, "Is the process alive", _HEALTH),
        ("/live", live, "Is the process alive, and nothing else", _LIVE),
        ("/ready", ready, "Can it score now", _READY),
    ):
        add_lean(app, path, endpoint, method="GET", summary=summary, operation=described)


_TEXT: Schema = {"type": "string"}


def _answer(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


_HEALTH = operation(
    scope=None,
    answers=_answer(status=_TEXT, kafka_enabled={"type": "boolean"}, version=_TEXT, kafka={"type": "object"}),
)
_LIVE = operation(scope=None, answers=_answer(status=_TEXT))
_READY = operation(
    scope=None,
    answers=_answer(
        status=_TEXT,
        model_version=_TEXT,
        model_problem=_TEXT,
        model_refused=_TEXT,
        model_detail=_TEXT,
        database=_TEXT,
        redis=_TEXT,
        campaigns=_TEXT,
    ),
    description="200 when logins can be scored now, else 503 with the reason in `error`.",
    refusals=("503",),
)


def _ready_answer(found: Readiness) -> Response:
    answer = {
        "status": "not_ready" if found.problem else "ready",
        "model_version": found.model_version,
        "model_problem": found.model_problem,
        "model_refused": found.model_refused,
        "model_detail": found.model_detail,
        "database": found.database,
        "records_dropped": found.records_dropped,
        "address_tables": found.address_tables,
    }
    if found.redis is not None:
        answer["redis"] = found.redis
    if found.campaigns is not None:
        answer["campaigns"] = found.campaigns
    if found.problem is None:
        return json_answer(answer)
    return json_answer({**answer, "error": found.problem}, 503, {"retry-after": "5"})
