"""What machines ask about the service itself: is it alive, is it ready, which keys verify its tokens. Why it is not
ready is told at the door of those who watch it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.answers import PolicyState
from auth_gateway.core.claims import JWKS_MAX_AGE_SECONDS
from plumbing.asgi import json_answer
from plumbing.readiness import Parts, is_ready


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoutes:
    """Health, readiness and public keys."""

    parts: Parts
    published_keys: Callable[[], Awaitable[list[Mapping[str, str]]]]
    policy_state: Callable[[], PolicyState]

    async def get_health(self, _request: Request) -> Response:
        """Alive: the event loop answers, and nothing else is asked."""
        return json_answer({"status": "ok"})

    async def get_ready(self, _request: Request) -> Response:
        """Ready to log people in. Scorer and Redis are told as information: without them logins go on, one step longer
        or limited more strictly."""
        found = await self.parts.look()
        reasons = {part.name: part.reason for part in found}
        body = {
            "status": "ready" if is_ready(found) else "not_ready",
            "checks": {part.name: part.is_well for part in found if part.is_needed},
            "scorer": reasons["scorer"] or "reachable",
            "policy": self.policy_state(),
        }
        if "redis" in reasons:
            body["redis"] = reasons["redis"] or "reachable"
        return json_answer(body, status=200 if is_ready(found) else 503)

    async def get_jwks(self, _request: Request) -> Response:
        """The public keys of access tokens (RFC 7517)."""
        headers = {"cache-control": f"public, max-age={JWKS_MAX_AGE_SECONDS}"}
        return json_answer({"keys": await self.published_keys()}, headers=headers)


async def publish_nothing() -> list[Mapping[str, str]]:
    """No keys: where a shared secret signs all that there is to verify."""
    return []
