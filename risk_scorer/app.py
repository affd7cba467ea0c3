"""Joins the scorer's parts: settings → adapters → flows → routes. No rule lives here."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import structlog
from fastapi import FastAPI

from plumbing.asgi import SecurityHeaders, refusal_handlers
from plumbing.clock import Clock, SystemClock
from plumbing.database import Database
from plumbing.docs_page import mount_docs
from plumbing.randomness import Randomness, SystemRandomness
from risk_scorer.adapters.credentials import Credentials
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.ip_claims import BadNetworkFile
from risk_scorer.adapters.ip_facts import IpLookup
from risk_scorer.adapters.ip_tables import tables_in_use
from risk_scorer.adapters.ja4 import PACKAGED as KNOWN_CLIENTS
from risk_scorer.adapters.ja4 import BadClientTable, Fingerprints
from risk_scorer.adapters.model_store import Adopt, ModelStore
from risk_scorer.adapters.operators import Operators
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.stop_signals import told_of_stopping
from risk_scorer.adapters.storage import BadStorage, answers, open_state
from risk_scorer.adapters.tables import outbox as outbox_rows
from risk_scorer.adapters.user_agents import UserAgents
from risk_scorer.api.access import Access
from risk_scorer.api.dashboard import OperatorPages, add_operator_pages
from risk_scorer.api.fast_lane import FastLane
from risk_scorer.api.health import Readiness, add_health
from risk_scorer.api.live import LiveFeed
from risk_scorer.api.reference import describe
from risk_scorer.api.routes import ServiceRoutes, add_service_routes
from risk_scorer.core.model import Model
from risk_scorer.core.scoring import warm
from risk_scorer.flows.assess import Assess
from risk_scorer.flows.housekeeping import DAY_SECONDS, Prunable, keep_house
from risk_scorer.flows.learn import Learn
from risk_scorer.flows.observe import Observer
from risk_scorer.settings import Settings
from webhooks.delivery import DeliveryWorker, Endpoint, Pace
from webhooks.outbox import Outbox
from webhooks.signing import standard_signer

VERSION: Final = version("riskgate")
ANNOUNCEMENTS: Final = "announcements"
OUTCOME_IDS_KEPT_DAYS: Final = 30.0
"""Longer than any sender keeps trying, so that a repeated outcome is always known."""
COLLECT_AFTER: Final = (20_000, 20, 50)

log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """Something the service needs is not there or not usable; the text is one line for the operator."""


@dataclass(frozen=True, kw_only=True)
class Lookups:
    """What is known apart from a login itself, and whom its licences ask to credit: (text, address)."""

    observer: Observer
    credits: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """The adapters of one running scorer; the command line uses some of them without a server."""

    settings: Settings
    clock: Clock
    randomness: Randomness
    database: Database
    log: EventLog
    models: ModelStore
    profiles: ProfileStore
    credentials: Credentials
    operators: Operators
    delivery: DeliveryWorker
    lookups: Lookups

    def model_version(self) -> str | None:
        """The version of the model in use."""
        model = self.models.current()
        return model.version if model else None

    def readiness(self) -> Readiness:
        """The state of every part, asked now."""
        return Readiness(
            model_version=self.model_version(),
            model_problem=self.models.problem,
            database_answers=answers(self.database),
            records_dropped=self.database.dropped + self.log.dropped,
        )


def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    lookups: Lookups | None = None,
) -> Scorer:
    """The adapters, opened; nothing runs yet and no model is read. Raises: CannotStart."""
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    try:
        lookups = lookups or opened_lookups(settings)
        database = open_state(settings.risk_scorer_state)
    except BadStorage as error:
        raise CannotStart(str(error)) from error
    except (BadNetworkFile, BadClientTable) as error:
        raise CannotStart(str(error)) from error
    endpoints = _endpoints(settings)
    pace = Pace(first_retry=settings.webhook_retry_first_seconds)
    delivery = DeliveryWorker(database, Outbox(outbox_rows), endpoints, clock, randomness, pace=pace)
    profiles = ProfileStore(database, clock=clock)
    return Scorer(
        settings=settings,
        clock=clock,
        randomness=randomness,
        database=database,
        log=EventLog(
            database,
            recent_max=settings.recent_max,
            clock=clock,
            announce_to=ANNOUNCEMENTS if endpoints else None,
            wake_delivery=delivery.wake,
        ),
        models=ModelStore(settings.model_dir, settings.public_key_sources, adopt=_adoption(profiles)),
        profiles=profiles,
        credentials=Credentials(database, clock=clock, randomness=randomness),
        operators=Operators(database, clock=clock, randomness=randomness),
        delivery=delivery,
        lookups=lookups,
    )


def _endpoints(settings: Settings) -> list[Endpoint]:
    if settings.announce_url is None:
        return []
    signer = standard_signer(settings.webhook_keys, plain_header=settings.mfa_hmac_header, plain_key=settings.plain_key)
    # The demo's receiver listens on this machine; elsewhere a webhook never enters our own network.
    return [Endpoint(name=ANNOUNCEMENTS, url=settings.announce_url, signer=signer, allow_private=settings.is_demo)]


def opened_lookups(settings: Settings) -> Lookups:
    """The look-ups that the settings name. Raises: BadNetworkFile, BadClientTable."""
    lookup = IpLookup.open(
        settings.ip_tables or tables_in_use(settings.risk_scorer_state),
        cache_dir=settings.geo_cache,
        overlays=settings.overlay_paths,
        listed=settings.listed_paths,
    )
    if lookup.problem is not None:
        log.warning("ip_tables_unusable", code=lookup.problem.code)
    fingerprints = Fingerprints.open(settings.ja4_clients or KNOWN_CLIENTS)
    described = lookup.describe()
    sources = [described[part] for part in ("city", "asn") if part in described]
    return Lookups(
        observer=Observer(lookup, UserAgents(), fingerprints),
        credits=tuple((source["attribution"], source["url"]) for source in sources if source["attribution"]),
    )


def _adoption(profiles: ProfileStore) -> Adopt:
    def adopt(model: Model, histories: Iterable[tuple[str, bytes]]) -> None:
        """Compile what scoring runs, and take over the histories that the model was trained with."""
        warm(model)
        users = profiles.import_histories(model.histories_sha256, histories)
        log.info("histories_taken_over", users=users)

    return adopt


def create_app(
    settings: Settings, *, scorer: Scorer | None = None, tell_ready: Callable[[str], None] | None = None
) -> FastAPI:
    """The service; it starts working when its lifespan does.

    `tell_ready` gets one line as soon as the port answers. Raises: CannotStart.
    """
    scorer = scorer or assemble(settings)
    feed = LiveFeed()
    app = FastAPI(
        title="riskgate scorer",
        version=VERSION,
        description="How risky a login is, and why.",
        servers=[{"url": settings.public_url}],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan(scorer, feed, tell_ready),
    )
    access = Access(scorer.credentials, scorer.operators)
    routes = _service_routes(scorer, access)
    # The first added is the innermost: the guards below see its answers too.
    app.add_middleware(FastLane, path="/score", endpoint=routes.score)
    refusal_handlers(app, scorer.randomness)
    app.add_middleware(SecurityHeaders)
    add_service_routes(app, routes, settings.recent_max)
    add_health(app, version=VERSION, readiness=scorer.readiness)
    add_operator_pages(app, _pages(scorer, access, feed))
    mount_docs(app)
    describe(app)
    return app


def _service_routes(scorer: Scorer, access: Access) -> ServiceRoutes:
    settings = scorer.settings
    assess = Assess(
        models=scorer.models,
        observer=scorer.lookups.observer,
        histories=scorer.profiles,
        log=scorer.log,
        clock=scorer.clock,
        randomness=scorer.randomness,
        tenant=settings.mfa_tenant,
        announce_from=settings.webhook_risk_threshold if settings.announce_url else None,
    )
    learn = Learn(observer=scorer.lookups.observer, histories=scorer.profiles, clock=scorer.clock)
    return ServiceRoutes(access=access, assess=assess, learn=learn, log=scorer.log, recent_max=settings.recent_max)


def _pages(scorer: Scorer, access: Access, feed: LiveFeed) -> OperatorPages:
    return OperatorPages(
        access=access,
        operators=scorer.operators,
        log=scorer.log,
        feed=feed,
        model_version=scorer.model_version,
        public_url=scorer.settings.public_url,
        recent_max=scorer.settings.recent_max,
        credits=scorer.lookups.credits,
    )


def _lifespan(scorer: Scorer, feed: LiveFeed, tell_ready: Callable[[str], None] | None) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        scorer.log.listen(feed.publish)
        scorer.log.fill()
        await asyncio.to_thread(scorer.models.reload)
        # What lives as long as the process need not be looked at by every garbage collection, and a bulk of events
        # makes so many short-lived values that Python's own thresholds would collect hundreds of times in one answer.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        _warn(scorer.settings)
        tasks = [asyncio.create_task(work) for work in _background(scorer)]
        if tell_ready is not None:
            tasks.append(asyncio.create_task(_tell_when_answering(scorer, tell_ready)))
        try:
            with told_of_stopping(feed.close):
                yield
        finally:
            feed.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(scorer.database.close)

    return lifespan


def _background(scorer: Scorer) -> list[Coroutine[Any, Any, None]]:
    kept: list[tuple[Prunable, float]] = [
        (scorer.log, scorer.settings.event_retention_days * DAY_SECONDS),
        (scorer.profiles, OUTCOME_IDS_KEPT_DAYS * DAY_SECONDS),
    ]
    return [scorer.delivery.run(), scorer.models.watch(), keep_house(kept, scorer.clock)]


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
    found = scorer.readiness()
    model = f"model {found.model_version}" if found.model_version else f"no model yet ({found.model_problem})"
    tell_ready(f"ready on {settings.public_url}, {model}")


def _warn(settings: Settings) -> None:
    if settings.kafka_broker:
        log.warning("kafka_not_in_this_version", topic=settings.kafka_topic_in)
