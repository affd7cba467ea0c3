"""What machines ask about the service itself: is it alive, is it ready, which keys verify its tokens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.answers import PolicyState
from plumbing.asgi import json_answer

# Half of the shortest usual activation delay: a verifier has fetched a new key well before the first token needs it.
JWKS_MAX_AGE_SECONDS = 300

Check = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoutes:
    """Health, readiness and public keys."""

    needed: Mapping[str, Check]
    scorer_problem: Callable[[], Awaitable[str | None]]
    published_keys: Callable[[], list[Mapping[str, str]]]
    policy_state: Callable[[], PolicyState]

    async def get_health(self, _request: Request) -> Response:
        """Alive: the event loop answers."""
        return json_answer({"status": "ok"})

    async def get_ready(self, _request: Request) -> Response:
        """Ready to log people in. The scorer is told as information: without it logins go on, one step longer."""
        checks = {name: await check() for name, check in self.needed.items()}
        is_ready = all(checks.values())
        body = {
            "status": "ready" if is_ready else "not_ready",
            "checks": checks,
            "scorer": await self._scorer(),
            "policy": self.policy_state(),
        }
        return json_answer(body, status=200 if is_ready else 503)

    async def get_jwks(self, _request: Request) -> Response:
        """The public keys of access tokens (RFC 7517)."""
        headers = {"cache-control": f"public, max-age={JWKS_MAX_AGE_SECONDS}"}
        return json_answer({"keys": self.published_keys()}, headers=headers)

    async def _scorer(self) -> str:
        return await self.scorer_problem() or "reachable"
