"""Opens the scorer's adapters as the settings say; nothing runs yet. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from plumbing.clock import Clock, SystemClock
from plumbing.database import Database
from plumbing.metrics import Meters
from plumbing.randomness import Randomness, SystemRandomness
from plumbing.state import StateDir
from plumbing.tracing import SpanLibraryMissing, Tracing, opened_tracing
from risk_scorer.adapters.activity.campaign_told import SIGNAL_PACE, TO_GATEWAY
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.adapters.credentials import Credentials
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.hot_histories import HotHistories
from risk_scorer.adapters.ip_claims import BadNetworkFile
from risk_scorer.adapters.ip_facts import IpLookup
from risk_scorer.adapters.ip_tables import tables_in_use
from risk_scorer.adapters.ja4 import PACKAGED as KNOWN_CLIENTS
from risk_scorer.adapters.ja4 import BadClientTable, Fingerprints
from risk_scorer.adapters.model_store import History, ModelSource, ModelStore
from risk_scorer.adapters.narrator import HttpNarrator
from risk_scorer.adapters.operators import Operators
from risk_scorer.adapters.profile_store import CACHED_USERS, ProfileStore
from risk_scorer.adapters.published_folder import PublishedFolder
from risk_scorer.adapters.registry_places import BadPlace, place_at
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.adapters.storage import BadStorage, open_state
from risk_scorer.adapters.time_zones import TimeZones
from risk_scorer.adapters.user_agents import UserAgents
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.core.model import Model
from risk_scorer.core.rules import RULES
from risk_scorer.core.trial import require_scores
from risk_scorer.flows.drift import LiveCounts
from risk_scorer.flows.observe import Observer
from risk_scorer.flows.surroundings import Surroundings
from risk_scorer.metrics import ScorerMetrics
from risk_scorer.settings import Settings
from risk_scorer.shadowing import Shadowing, shadowing_of
from webhooks.delivery import DeliveryWorker, Endpoint, Pace
from webhooks.signing import standard_signer

if TYPE_CHECKING:  # an extra, which nobody needs who does not use it
    from plumbing.redis_threads import ThreadedRedis

ANNOUNCEMENTS: Final = "announcements"

log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """Something the service needs is not there or not usable; the text is one line for the operator."""


@dataclass(frozen=True, kw_only=True)
class Lookups:
    """What is known apart from a login itself, whom its licences ask to credit: (text, address), the age of the
    address tables at an epoch second, and where they have places: (latitude, longitude)."""

    observer: Observer
    tables_problem: str | None
    credits: tuple[tuple[str, str], ...]
    tables_age_days: Callable[[float], float | None]
    cities: Callable[[], Iterable[tuple[float, float]]]


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
    hot: HotHistories
    redis: ThreadedRedis | None
    verdicts: VerdictStore
    surroundings: Surroundings
    shadowing: Shadowing
    live_counts: LiveCounts
    credentials: Credentials
    operators: Operators
    delivery: DeliveryWorker
    lookups: Lookups
    narrator: HttpNarrator | None
    meters: Meters
    metrics: ScorerMetrics
    tracing: Tracing
    end_traces: Callable[[], None]

    def close(self) -> None:
        """Finish what is being written, and let go of the storage. Blocks: not for the event loop."""
        self.database.close()
        if self.log.waiting:
            log.error("events_not_kept", events=self.log.waiting)
        if self.redis is not None:
            self.redis.close()

    def model_version(self) -> str | None:
        """The version of the model in use."""
        model = self.models.current()
        return model.version if model else None

    @property
    def records_dropped(self) -> int:
        """How many rows written behind an answer found no place on the disk: scored events and scores of a shadow."""
        return self.database.dropped + self.log.dropped + self.shadowing.log.dropped


def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    lookups: Lookups | None = None,
    is_alone: bool = True,
) -> Scorer:
    """The adapters, opened; nothing runs yet and no model is read. Raises: CannotStart.

    One that is not alone on its state believes no history in memory unasked: others learn, too.
    """
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    lookups, database = _opened(settings, lookups)
    meters = Meters(is_one_of_many=settings.prometheus_multiproc_dir is not None)
    metrics = ScorerMetrics(meters)
    tracing, end_traces = _tracing(settings)
    delivery = DeliveryWorker(
        database, OUTBOX, _endpoints(settings), clock, randomness,
        pace=Pace(first_retry=settings.webhook_retry_first_seconds), paces={TO_GATEWAY: SIGNAL_PACE},
        noted=metrics.delivered, tracing=tracing,
    )  # fmt: skip
    redis, hot = _hot(settings, meters)
    cached_users = CACHED_USERS if is_alone and not settings.is_shared else 0
    profiles = ProfileStore(database, clock=clock, cached_users=cached_users, hot=hot)
    return Scorer(
        settings=settings,
        clock=clock,
        randomness=randomness,
        database=database,
        log=_event_log(settings, database, clock, delivery),
        models=_models(settings, profiles),
        profiles=profiles,
        hot=hot,
        redis=redis,
        verdicts=VerdictStore(database, profiles=profiles, clock=clock),
        surroundings=Surroundings(clock=clock),
        shadowing=shadowing_of(settings, database, metrics),
        live_counts=LiveCounts(clock=clock),
        credentials=Credentials(database, clock=clock, randomness=randomness),
        operators=Operators(database, clock=clock, randomness=randomness),
        delivery=delivery,
        lookups=lookups,
        narrator=_narrator(settings),
        meters=meters,
        metrics=metrics,
        tracing=tracing,
        end_traces=end_traces,
    )


def _opened(settings: Settings, lookups: Lookups | None) -> tuple[Lookups, Database]:
    try:
        StateDir.open(settings.risk_scorer_state)  # before the look-ups cache into it: it must be made closed to others
    except OSError as error:
        raise CannotStart(f"RISK_SCORER_STATE cannot be used: {error.strerror}") from error
    try:
        found = lookups or opened_lookups(settings)
        return found, open_state(
            settings.risk_scorer_state, settings.database_url, may_migrate=settings.risk_scorer_migrate
        )
    except (BadStorage, BadNetworkFile, BadClientTable) as error:
        raise CannotStart(str(error)) from error


def _event_log(settings: Settings, database: Database, clock: Clock, delivery: DeliveryWorker) -> EventLog:
    return EventLog(
        database,
        recent_max=settings.recent_max,
        clock=clock,
        announce_to=None if settings.announce_url is None else ANNOUNCEMENTS,
        wake_delivery=delivery.wake,
    )


def _hot(settings: Settings, meters: Meters) -> tuple[ThreadedRedis | None, HotHistories]:
    """The client of REDIS_URL, and what is copied there and here; nothing is asked yet."""
    most, url = CACHED_USERS, settings.shared_redis_url
    if url is None:
        return None, HotHistories(most=most)
    from plumbing.redis_meters import RedisMeters
    from plumbing.redis_threads import ThreadedRedis
    from risk_scorer.adapters.shared_histories import RedisCopies

    redis = ThreadedRedis(url, service="sc", watch=RedisMeters(meters))
    return redis, HotHistories(most=most, shared=RedisCopies(redis))


def _tracing(settings: Settings) -> tuple[Tracing, Callable[[], None]]:
    try:
        return opened_tracing(settings.otel_exporter_otlp_endpoint, service="riskgate-scorer")
    except SpanLibraryMissing as error:
        raise CannotStart(str(error)) from error


def _models(settings: Settings, profiles: ProfileStore) -> ModelStore:
    unknown = sorted(set(settings.report_only_rules) - set(RULES))
    if unknown:
        raise CannotStart(f"RULES_REPORT_ONLY names no rule: {', '.join(unknown)}; there are {', '.join(RULES)}")
    return ModelStore(model_source(settings), _Adoption(profiles), report_only=settings.report_only_rules)


def model_source(settings: Settings) -> ModelSource:
    """Where models come from: the registry where one is set, else the folder. Raises: CannotStart."""
    if not settings.model_registry:
        return PublishedFolder(settings.model_dir, settings.public_key_sources)
    try:
        place = place_at(settings.model_registry)
    except BadPlace as error:
        raise CannotStart(f"MODEL_REGISTRY: {error}") from error
    return RegistrySource(
        place,
        settings.public_key_sources,
        address=settings.model_registry,
        seen=SeenPointers(settings.risk_scorer_state / "seen-pointers.json"),
    )


def _narrator(settings: Settings) -> HttpNarrator | None:
    if settings.openai_base_url is None or settings.openai_model is None:
        return None
    key = settings.openai_api_key
    return HttpNarrator(
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key is not None else None,
        model=settings.openai_model,
        deadline_seconds=settings.narrator_deadline_seconds,
    )


def _endpoints(settings: Settings) -> list[Endpoint]:
    found = []
    if settings.session_signal_url is not None:
        # The gateway is ours, and usually where nobody else comes.
        signer = standard_signer(settings.signal_keys)
        found.append(Endpoint(name=TO_GATEWAY, url=settings.session_signal_url, signer=signer, allow_private=True))
    if (url := settings.announce_url) is None:
        return found
    signer = standard_signer(settings.webhook_keys, plain_header=settings.mfa_hmac_header, plain_key=settings.plain_key)
    # The demo's receiver listens on this machine; elsewhere a webhook never enters our own network.
    return [*found, Endpoint(name=ANNOUNCEMENTS, url=url, signer=signer, allow_private=settings.is_demo)]


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
        observer=Observer(lookup, UserAgents(), fingerprints, TimeZones()),
        tables_problem=lookup.problem.code if lookup.problem else None,
        credits=tuple((source["attribution"], source["url"]) for source in sources if source["attribution"]),
        tables_age_days=lookup.age_days,
        cities=lookup.cities,
    )


class _Adoption:
    """What goes with a model: compiled code that was tried, and histories."""

    def __init__(self, profiles: ProfileStore) -> None:
        self._profiles = profiles

    def prepare(self, model: Model) -> None:
        """Compile what scoring runs, and try it. Raises: BadArtefact."""
        require_scores(model)

    def bring(self, model: Model, people: Iterable[History]) -> None:
        """Take over the histories that the model was trained with. Raises: Refused."""
        users = self._profiles.import_histories(model.histories_sha256, people)
        log.info("histories_taken_over", users=users)
