"""Joins the scorer's parts: settings → adapters → flows → routes. No rule lives here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI

from plumbing.asgi import SecurityHeaders, refusal_handlers
from plumbing.docs_page import mount_docs
from plumbing.lean import FastLane
from plumbing.side_door import CannotListen
from plumbing.stop_signals import told_of_stopping
from plumbing.traced_requests import watch_requests
from risk_scorer.acting import Acting, acting_of
from risk_scorer.adapters.activity.account_ranking import AccountRankingReader
from risk_scorer.adapters.activity.campaign_reading import CampaignReader
from risk_scorer.adapters.activity.view_store import ViewStore
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.adapters.console.decision_words import DecisionWords
from risk_scorer.adapters.console.live_rows import LiveRows
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.label_file import label_page
from risk_scorer.api.access import Access
from risk_scorer.api.activity.accounts import add_accounts
from risk_scorer.api.activity.campaigns import add_campaigns
from risk_scorer.api.activity.incidents import IncidentRoutes, add_incidents
from risk_scorer.api.activity.routes import ActivityRoutes, add_activity
from risk_scorer.api.activity.views import add_views
from risk_scorer.api.deciding import add_deciding
from risk_scorer.api.drift import DriftRoutes, add_drift
from risk_scorer.api.erasing import add_erasing
from risk_scorer.api.health import add_health
from risk_scorer.api.labelling import add_labels
from risk_scorer.api.live import LiveFeed
from risk_scorer.api.narrative import NarrativeRoutes, add_narrative
from risk_scorer.api.reference import describe
from risk_scorer.api.routes import ServiceRoutes, add_service_routes
from risk_scorer.api.shadow import ShadowRoutes, add_shadow
from risk_scorer.assembly import CannotStart, Scorer, assemble
from risk_scorer.console.joined import add_console, console_of
from risk_scorer.drifting import drift_rows, keep_the_rest
from risk_scorer.flows.activity.views import Views
from risk_scorer.flows.assess import Assess
from risk_scorer.flows.console.decisions import HearDecisions
from risk_scorer.flows.erase import Erase
from risk_scorer.flows.feedback import Judge
from risk_scorer.flows.incidents import Incidents
from risk_scorer.flows.learn import Learn
from risk_scorer.flows.narrate import Narrate
from risk_scorer.incident_desk import incident_rows
from risk_scorer.settings import Settings
from risk_scorer.streaming import Streaming, assess_of, health_of, learn_of, opened_stream
from risk_scorer.upkeep import company, prepare, upkeep
from risk_scorer.watching import Watching

VERSION: Final = version("riskgate")

log = structlog.get_logger(__name__)


def create_app(
    settings: Settings, *, scorer: Scorer | None = None, tell_ready: Callable[[str], None] | None = None
) -> FastAPI:
    """The service; it starts working when its lifespan does.

    `tell_ready` gets one line as soon as the port answers. Raises: CannotStart.
    """
    scorer = scorer or assemble(settings)
    assess, learn, acting = assess_of(scorer), learn_of(scorer), acting_of(scorer)
    streaming = opened_stream(scorer, assess, learn, acting)
    feed = LiveFeed(LiveRows(scorer.database))
    try:
        watching = Watching(scorer, acting, stream=health_of(streaming))
    except CannotListen as error:
        raise CannotStart(str(error)) from error
    app = FastAPI(
        title="riskgate scorer",
        version=VERSION,
        description="How risky a login is, and why.",
        servers=[{"url": settings.public_url}],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan(scorer, acting, watching, feed, streaming, tell_ready),
    )
    access = Access(scorer.credentials, scorer.operators)
    routes = _service_routes(scorer, access, assess, learn)
    # The first added is the innermost: the guards below see its answers too.
    app.add_middleware(FastLane, path="/score", endpoint=routes.score)
    refusal_handlers(app, scorer.randomness)
    app.add_middleware(SecurityHeaders)
    add_service_routes(app, routes, settings.recent_max)
    add_erasing(app, access=access, erase=_erase(scorer, acting))
    add_deciding(app, access=access, hear=HearDecisions(DecisionWords(scorer.database, clock=scorer.clock)))
    add_activity(app, _activity_routes(acting, access))
    add_labels(app, access=access, page=lambda after, limit: _label_page(scorer, after, limit))
    add_health(app, version=VERSION, readiness=watching.readiness, stream=health_of(streaming))
    narrate, abuse = _narrate(scorer), _views(scorer)
    add_console(app, console_of(scorer, acting=acting, access=access, feed=feed, narrate=narrate, abuse=abuse))
    add_drift(app, DriftRoutes(access=access, latest=drift_rows(scorer).latest, model_version=scorer.model_version))
    add_narrative(app, NarrativeRoutes(access=access, narrate=narrate))
    add_shadow(app, _shadow_routes(scorer, access))
    _add_abuse(app, scorer, access, abuse)
    mount_docs(app)
    describe(app)
    app.state.watching, app.state.acting = watching, acting
    watch_requests(app, meters=scorer.meters, tracing=scorer.tracing, joins=True)
    return app


def _add_abuse(app: FastAPI, scorer: Scorer, access: Access, views: Views) -> None:
    """What many accounts do together, and what people do about it."""
    add_views(app, access=access, views=views)
    add_campaigns(app, access=access, campaigns=CampaignReader(scorer.database))
    add_accounts(app, access=access, rankings=AccountRankingReader(scorer.database))
    add_incidents(app, IncidentRoutes(access=access, incidents=Incidents(incident_rows(scorer))))


def _service_routes(scorer: Scorer, access: Access, assess: Assess, learn: Learn) -> ServiceRoutes:
    judge = Judge(observer=scorer.lookups.observer, verdicts=scorer.verdicts, log=scorer.log, clock=scorer.clock)
    return ServiceRoutes(
        access=access,
        assess=assess,
        learn=learn,
        judge=judge,
        log=scorer.log,
        recent_max=scorer.settings.recent_max,
    )


def _activity_routes(acting: Acting, access: Access) -> ActivityRoutes:
    return ActivityRoutes(
        access=access,
        assess=acting.assess,
        later=acting.later,
        hear=acting.hear,
        standing=acting.standing,
        predict=acting.predict,
    )


def _erase(scorer: Scorer, acting: Acting) -> Erase:
    return Erase(
        stored=lambda user_id: erase_person(scorer.database, user_id),
        memories=(
            scorer.log.forget_person,
            scorer.profiles.forget,
            scorer.shadowing.shadow.forget_person,
            acting.forget_person,
        ),
    )


async def _label_page(scorer: Scorer, after: str, limit: int) -> bytes:
    page = await scorer.database.read_in_thread(lambda tx: label_page(tx, after_id=after, rows=limit))
    return msgspec.json.encode(page)


def _narrate(scorer: Scorer) -> Narrate:
    return Narrate(
        narrator=scorer.narrator,
        events=scorer.log,
        deadline_seconds=scorer.settings.narrator_deadline_seconds,
    )


def _views(scorer: Scorer) -> Views:
    return Views([each.view for each in ALL.values()], ViewStore(scorer.database), clock=scorer.clock)


def _shadow_routes(scorer: Scorer, access: Access) -> ShadowRoutes:
    shadowing = scorer.shadowing
    return ShadowRoutes(
        access=access,
        state=lambda: shadowing.state(scorer.model_version()),
        kept=shadowing.log,
        clock=scorer.clock,
    )


def _lifespan(
    scorer: Scorer,
    acting: Acting,
    watching: Watching,
    feed: LiveFeed,
    streaming: Streaming | None,
    tell_ready: Callable[[str], None] | None,
) -> Any:
    def stopping() -> None:
        watching.parts.stop()
        feed.close()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        scorer.log.fill()
        await prepare(scorer)
        scorer.profiles.listen(watching.hear)
        _warn(scorer.settings)
        beside = (*upkeep(scorer), *company(scorer), *scorer.shadowing.work(), *acting.work())
        beside += (scorer.models.watch(), watching.run(), app.state.console.read_early())
        tasks = [asyncio.create_task(work) for work in beside]
        if streaming is not None:
            streaming.kafka.start(asyncio.get_running_loop())
        if tell_ready is not None:
            tasks.append(asyncio.create_task(_tell_when_answering(scorer, tell_ready)))
        try:
            with told_of_stopping(stopping):
                async with watching.told():
                    yield
        finally:
            feed.close()
            if streaming is not None:
                await asyncio.to_thread(streaming.kafka.stop)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await acting.keep_the_rest()
            await keep_the_rest(scorer)
            await app.state.console.close()
            if scorer.narrator is not None:
                await scorer.narrator.close()
            await asyncio.to_thread(scorer.close)

    return lifespan


async def _tell_when_answering(scorer: Scorer, tell_ready: Callable[[str], None]) -> None:
    """One line, when a connection to our own port succeeds."""
    settings = scorer.settings
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.risk_scorer_host, settings.risk_scorer_port)
            break
        except OSError:
            await asyncio.sleep(0.02)
    writer.close()
    version = scorer.model_version()
    model = f"model {version}" if version else f"no model yet ({scorer.models.problem})"
    tell_ready(f"ready on {settings.public_url}, {model}")


def _warn(settings: Settings) -> None:
    if not settings.has_narrator and (settings.openai_base_url or settings.openai_model):
        log.warning("narrator_off", missing="OPENAI_MODEL" if settings.openai_base_url else "OPENAI_BASE_URL")
