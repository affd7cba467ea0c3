"""How the parts that judge activity are watched: their state among the parts, and what waits, fails and is refused.

Nothing is counted here for an event: what is told is in memory already, or looked up every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plumbing.metrics import Meters, Reading
from plumbing.readiness import Parts
from risk_scorer.acting import Acting
from risk_scorer.adapters.activity.task_rows import OpenTasks, open_tasks
from risk_scorer.assembly import Scorer

LATE_SECONDS = 60.0
"""A task that waits so long is not run: a batch takes less than a second, and a dead process' lease ends after 30."""


class ActivityGauges:
    """Looks at the parts of one scorer that judge activity."""

    def __init__(self, scorer: Scorer, acting: Acting, parts: Parts) -> None:
        self._database, self._clock = scorer.database, scorer.clock
        self._acting = acting
        self._tasks: OpenTasks | None = None
        parts.add("session_model", self._session_model, is_needed=False)
        parts.add("gateway_keys", self._gateway_keys, is_needed=False)
        parts.add("activity_tasks", self._late_tasks, is_needed=False)
        self._tell_models(scorer.meters)
        self._tell_work(scorer.meters)
        self._tell_sessions(scorer.meters)

    async def look(self) -> None:
        """See which tasks are not done. Raises: Refused."""
        self._tasks = await self._database.read_in_thread(open_tasks)

    async def _session_model(self) -> str | None:
        return self._acting.learned.models.problem

    async def _gateway_keys(self) -> str | None:
        return self._acting.tokens.problem

    async def _late_tasks(self) -> str | None:
        return "tasks_late" if any(age >= LATE_SECONDS for _, age in self._oldest()) else None

    def _tell_models(self, meters: Meters) -> None:
        models, look = self._acting.learned.models, meters.look
        look("riskgate_session_model_info", "The session model in use.", ["version"], self._model)
        look(
            "riskgate_session_model_age_seconds", "Age of the newest event that it was fitted on.", [], self._model_age
        )
        look(
            "riskgate_session_model_refusals_total",
            "Session models that were not taken, by why.",
            ["problem"],
            counted(models.refusals),
            of="process",
        )

    def _tell_work(self, meters: Meters) -> None:
        memories, look = self._acting.memories, meters.look
        look("riskgate_activity_tasks", "Assessments that nobody waits for, by state.", ["state"], self._open)
        look("riskgate_activity_task_oldest_seconds", "Age of the oldest that is not done.", [], self._oldest)
        look(
            "riskgate_activity_tasks_total",
            "What became of them.",
            ["result"],
            counted(self._acting.later.counts),
            of="process",
        )
        look(
            "riskgate_activity_memories_waiting",
            "Memories that changed since they were written.",
            [],
            lambda: [((), memories.waiting)],
            of="process",
        )
        look(
            "riskgate_activity_memories_written_timestamp_seconds",
            "When nothing waited to be written last.",
            [],
            lambda: [((), memories.written_at)],
            of="worst",
        )

    def _tell_sessions(self, meters: Meters) -> None:
        sessions, tokens, look = self._acting.sessions, self._acting.tokens, meters.look
        look(
            "riskgate_activity_sessions",
            "Sessions at hand.",
            [],
            lambda: [((), sessions.held)],
            of="process",
        )
        look(
            "riskgate_session_notices_total",
            "What the gateway told of its sessions, by state.",
            ["state"],
            counted(sessions.heard),
            of="process",
        )
        look(
            "riskgate_gateway_keys_timestamp_seconds",
            "When the gateway's keys were fetched.",
            [],
            self._keys_of,
            of="worst",
        )
        look(
            "riskgate_gateway_keys_failures_total",
            "Times that the gateway's keys could not be fetched.",
            ["problem"],
            counted(tokens.failures),
            of="process",
        )

    def _model(self) -> list[Reading]:
        version = self._acting.learned.models.version
        return [] if version is None else [((version,), 1.0)]

    def _model_age(self) -> list[Reading]:
        model = self._acting.learned.models.current()
        return [] if model is None else [((), max(0.0, self._clock.now() - model.manifest.span.last))]

    def _open(self) -> list[Reading]:
        found = self._tasks
        return [] if found is None else [(("waiting",), found.waiting), (("running",), found.running)]

    def _oldest(self) -> list[Reading]:
        found = self._tasks
        if found is None or found.oldest_at is None:
            return []
        return [((), max(0.0, self._clock.now() - found.oldest_at))]

    def _keys_of(self) -> list[Reading]:
        fetched_at = self._acting.tokens.keys_of
        return [] if fetched_at is None else [((), fetched_at)]


def counted(counts: Mapping[str, int]) -> Callable[[], list[Reading]]:
    """Tells each count under its name."""
    return lambda: [((name,), count) for name, count in counts.items()]
