"""How the scorer is watched: its metrics, the state of its parts, and the door at which both are told. No rules."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from plumbing.metrics import Reading
from plumbing.readiness import Parts
from plumbing.refusals import Refused
from plumbing.side_door import SideDoor, watching_app
from plumbing.timing import look_again_and_again
from plumbing.write_probe import WriteProbe
from risk_scorer.acting import Acting
from risk_scorer.activity_watching import ActivityGauges
from risk_scorer.adapters.ip_tables import SECONDS_A_DAY
from risk_scorer.adapters.storage import ping, write_and_undo
from risk_scorer.adapters.tables import outbox as outbox_rows
from risk_scorer.api.health import Readiness
from risk_scorer.assembly import Scorer
from risk_scorer.campaign_watching import CampaignGauges
from risk_scorer.contract.stream import StreamHealth
from risk_scorer.core.lessons import Taught
from risk_scorer.drifting import DriftGauges
from risk_scorer.metrics import kind_of_receiver
from webhooks.backlog import Backlog


class Watching:
    """Looks at the parts of a scorer."""

    def __init__(
        self, scorer: Scorer, acting: Acting, *, stream: Callable[[], StreamHealth | None] = lambda: None
    ) -> None:
        """Raises: CannotListen."""
        settings = scorer.settings
        self._scorer, self._acting = scorer, acting
        self._stream = stream
        self.parts = Parts()
        self._backlog = Backlog(outbox_rows, meters=scorer.meters, clock=scorer.clock, kind_of=kind_of_receiver)
        self._drift = DriftGauges(scorer)
        self._add_parts()
        self._activity = ActivityGauges(scorer, acting, self.parts)
        self._campaigns = CampaignGauges(scorer, self.parts)
        self.parts.told_by(scorer.meters)
        self._add_looks()
        listen = settings.risk_scorer_metrics_listen
        is_one_of_many = settings.prometheus_multiproc_dir is not None
        self.door = None if listen is None else SideDoor(listen, is_one_of_many=is_one_of_many)
        scorer.database.watch(scorer.metrics)

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Answer at the door, where there is one; at the end send what is left of the traces."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self._scorer.end_traces)
            stack.callback(self._scorer.meters.share)
            if self.door is not None:
                await stack.enter_async_context(self.door.answering(watching_app(self._scorer.meters, self.parts)))
            yield

    async def run(self) -> None:
        """Look at what waits until cancelled."""
        await look_again_and_again(self.look)

    async def look(self) -> None:
        """See how the parts are and what waits now."""
        await self.parts.look()
        self._backlog.take(await self._scorer.database.read_in_thread(self._backlog.read))
        await self._drift.look()
        await self._activity.look()
        await self._campaigns.look()
        self._scorer.meters.share()

    def hear(self, lessons: Sequence[Taught]) -> None:
        """Outcomes that were heard for the first time."""
        for lesson in lessons:
            self._scorer.metrics.heard(lesson.outcome)

    async def readiness(self) -> Readiness:
        """The state of every part."""
        scorer = self._scorer
        wrong = {part.name: part.reason for part in await self.parts.look()}
        refusal = scorer.models.refusal
        return Readiness(
            model_version=scorer.model_version(),
            model_problem=None if refusal is None else refusal.code,
            model_refused=None if refusal is None else refusal.version,
            model_detail=None if refusal is None else refusal.detail or None,
            database="unavailable" if wrong["database"] else wrong["storage"] or "ok",
            records_dropped=self._dropped(),
            address_tables=scorer.lookups.tables_problem or "ok",
            redis=None if scorer.redis is None else wrong["redis"] or "ok",
            campaigns=self._campaigns.word,
            is_stopping=self.parts.is_stopping,
        )

    def _add_parts(self) -> None:
        scorer = self._scorer
        takes_writes = WriteProbe(scorer.database, scorer.clock, write_and_undo)

        async def model() -> str | None:
            return None if scorer.models.current() is not None else scorer.models.problem or "model_missing"

        async def newest_model() -> str | None:
            return scorer.models.problem

        async def database() -> str | None:
            try:
                await scorer.database.read_in_thread(ping)
            except Refused as refused:
                return refused.code
            return None

        async def storage() -> str | None:
            return None if await takes_writes() else "not_writable"

        async def address_tables() -> str | None:
            return scorer.lookups.tables_problem

        async def deliveries() -> str | None:
            return "attempts_fail" if scorer.delivery.failing else None

        self.parts.add("model", model)
        self.parts.add("database", database)
        self.parts.add("storage", storage, is_needed=False)
        self.parts.add("newest_model", newest_model, is_needed=False)
        self.parts.add("address_tables", address_tables, is_needed=False)
        self.parts.add("deliveries", deliveries, is_needed=False)
        self.parts.add("shadow", self._shadow, is_needed=False)
        if scorer.redis is not None:
            self.parts.add("redis", self._redis, is_needed=False)
        if self._stream() is not None:
            self.parts.add("kafka", self._kafka, is_needed=False)

    def _add_looks(self) -> None:
        look = self._scorer.meters.look
        look("riskgate_model_info", "The model in use.", ["version"], self._model)
        look("riskgate_shadow_info", "The model that shadows.", ["version"], self._shadow_version)
        look(
            "riskgate_shadow_lost_total",
            "Logins that a shadow did not score, by why.",
            ["reason"],
            self._unshadowed,
            of="process",
        )
        look("riskgate_prompt_budget_ratio", "What the model was promised to prompt.", ["mark"], self._budgets)
        look("riskgate_ip_tables_age_seconds", "Age of the address tables' sources.", [], self._tables_age)
        look(
            "riskgate_records_dropped_total",
            "Rows written behind an answer that found no place on the disk.",
            [],
            lambda: [((), self._dropped())],
            of="process",
        )

        look("riskgate_histories_found_total", "Histories looked up, by where they were.", ["place"], self._found)
        look("riskgate_stream_lag_records", "Records that wait at the broker.", [], self._stream_lag, of="process")
        look(
            "riskgate_stream_records_total",
            "Records of the stream, by what became of them.",
            ["result"],
            self._records,
            of="process",
        )

    def _dropped(self) -> int:
        return self._scorer.records_dropped + self._acting.memories.dropped

    async def _shadow(self) -> str | None:
        return self._scorer.shadowing.problem

    async def _redis(self) -> str | None:
        return None if self._scorer.redis is None else self._scorer.redis.problem

    async def _kafka(self) -> str | None:
        found = self._stream()
        return None if found is None or found.state == "consuming" else found.problem or found.state

    def _stream_lag(self) -> list[Reading]:
        found = self._stream()
        return [] if found is None or found.lag is None else [((), found.lag)]

    def _records(self) -> list[Reading]:
        found = self._stream()
        if found is None:
            return []
        counts = {"scored": found.scored, "known_before": found.known_before, "dead": found.dead}
        return [((result,), count) for result, count in counts.items()]

    def _found(self) -> list[Reading]:
        scorer = self._scorer
        if not scorer.settings.is_shared:
            return []
        return [((place,), count) for place, count in scorer.hot.found.items()]

    def _model(self) -> list[Reading]:
        version = self._scorer.model_version()
        return [] if version is None else [((version,), 1.0)]

    def _shadow_version(self) -> list[Reading]:
        version = self._scorer.shadowing.version
        return [] if version is None else [((version,), 1.0)]

    def _unshadowed(self) -> list[Reading]:
        shadowing = self._scorer.shadowing
        return [(("dropped",), shadowing.dropped), (("failed",), shadowing.shadow.counts["failed"])]

    def _budgets(self) -> list[Reading]:
        model = self._scorer.models.current()
        return [] if model is None else [((name,), mark.budget) for name, mark in model.manifest.marks.items()]

    def _tables_age(self) -> list[Reading]:
        days = self._scorer.lookups.tables_age_days(self._scorer.clock.now())
        return [] if days is None else [((), days * SECONDS_A_DAY)]
