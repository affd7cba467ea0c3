"""The gateway as an application: settings → adapters → flows → routes, and its life from start to stop. No rules."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI

from auth_gateway.api.events import add_event_routes
from auth_gateway.api.routes import add_routes
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.opening import CannotStart
from auth_gateway.service import Service
from auth_gateway.settings import Settings
from auth_gateway.wiring import cross_origin, session_risk, tokens, verdict
from auth_gateway.wiring.provider import add_provider
from plumbing.asgi import SecurityHeaders, refusal_handlers
from plumbing.docs_page import mount_docs
from plumbing.lean import FastLane
from plumbing.side_door import CannotListen
from plumbing.stop_signals import told_of_stopping
from plumbing.traced_requests import watch_requests
from plumbing.tracing import SpanLibraryMissing

VERSION = version("riskgate")

log = structlog.get_logger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings, *, gateway: Gateway | None = None, tell_ready: Callable[[str], None] | None = None
) -> FastAPI:
    """The gateway; it starts working when its lifespan does. `tell_ready` gets one line once logins are answered.

    Raises: CannotStart, OSError, Refused `storage_unavailable`.
    """
    try:
        service = Service(gateway or assemble(settings))
    except (CannotListen, SpanLibraryMissing) as error:
        raise CannotStart(str(error)) from error
    app = FastAPI(
        title="riskgate gateway",
        version=VERSION,
        description="Logs people in as far as the risk of each login allows, and keeps their tokens fresh.",
        servers=[{"url": settings.public_url}],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect to the same address with a slash would name http and whatever Host says, body and all.
        redirect_slashes=False,
        # Spans of a login are nobody's business, and asking on each request whether anyone wants them costs time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan(service, tell_ready),
    )
    token = tokens.token_routes(service)
    # The first added is the innermost: the guards below see its answers too.
    app.add_middleware(FastLane, path="/token", endpoint=token.post_token)
    refusal_handlers(app, service.gateway.randomness)
    if settings.provider_issuer is not None:
        cross_origin.add(app, service)
    app.add_middleware(SecurityHeaders)
    add_routes(app, login=service.login_routes(), token=token, service=service.service_routes())
    add_event_routes(app)
    if settings.provider_issuer is not None:
        add_provider(app, service)
    if settings.mfa_push:
        verdict.add(app, service)
    session_risk.add(app, service)
    mount_docs(app)
    app.state.watching = service.watching
    watch_requests(app, meters=service.watching.meters, tracing=service.watching.tracing, joins=False)
    return app


def _lifespan(service: Service, tell_ready: Callable[[str], None] | None) -> Lifespan:
    def stopping() -> None:
        """Balancers are told, and those who wait for news need not wait."""
        service.watching.parts.stop()
        service.bell.close()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(_prepare, service)
        tasks = [asyncio.create_task(work) for work in service.background()]
        if tell_ready is not None:
            tasks.append(asyncio.create_task(_tell_when_answering(service.gateway.settings, tell_ready)))
        try:
            with told_of_stopping(stopping):
                async with service.watching.told():
                    yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.close()

    return lifespan


async def _tell_when_answering(settings: Settings, tell_ready: Callable[[str], None]) -> None:
    """One line, when a connection to our own port succeeds: the server opens it only after we have started."""
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.auth_gateway_host, settings.auth_gateway_port)
            break
        except OSError:
            await asyncio.sleep(0.02)
    writer.close()
    tell_ready(f"ready on {settings.public_url}")


def _prepare(service: Service) -> None:
    """Everything slow that the first login would otherwise wait for."""
    settings = service.gateway.settings
    if settings.is_demo:
        service.gateway.add_demo_users()
    service.gateway.ring.prepare()
    service.cover_schemes()
    if settings.risk_api_credential is None:
        log.warning("scorer_credential_missing", effect="no login has a score, so each needs a second factor")
    if settings.jwt_secret is not None and settings.hs256_secret is None:
        log.warning("jwt_secret_passed_over", effect="it is weak, so tokens are signed by our own ES256 keys")
