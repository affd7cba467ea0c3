"""How the gateway is watched: its metrics, the state of its parts, and the door at which both are told. No rules."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager

from auth_gateway.adapters.decision_lines import write_line
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.adapters.storage.waiting_lines import oldest_line_at
from auth_gateway.assembly import Gateway
from auth_gateway.core.audit import AuditEvent
from auth_gateway.metrics import GatewayMetrics, kind_of_receiver
from plumbing.metrics import Meters, Reading
from plumbing.readiness import Parts
from plumbing.side_door import SideDoor, watching_app
from plumbing.timing import look_again_and_again
from plumbing.tracing import opened_tracing
from webhooks.backlog import Backlog


class Watching:
    """Hears from the parts while they work, and looks at what waits in between."""

    def __init__(self, gateway: Gateway) -> None:
        """Raises: CannotListen, SpanLibraryMissing."""
        settings = gateway.settings
        is_one_of_many = settings.prometheus_multiproc_dir is not None
        self._gateway = gateway
        self.parts = Parts()
        self.meters = Meters(is_one_of_many=is_one_of_many)
        self.metrics = GatewayMetrics(self.meters)
        self.tracing, self._end_traces = opened_tracing(
            settings.otel_exporter_otlp_endpoint, service="riskgate-gateway"
        )
        self._backlog = Backlog(outbox_rows, meters=self.meters, clock=gateway.clock, kind_of=kind_of_receiver)
        self._oldest_line_at: float | None = None
        self.parts.told_by(self.meters)
        self._add_looks()
        listen = settings.auth_gateway_metrics_listen
        self.door = None if listen is None else SideDoor(listen, is_one_of_many=is_one_of_many)
        gateway.database.watch(self)

    def writing(self) -> AbstractContextManager[object]:
        """Around each write."""
        return self.metrics.writing()

    def refused(self, code: str) -> None:
        """A read or write that was refused."""
        self.metrics.refused(code)

    def committed(self, fact: object) -> None:
        """What is on the disk now: a line of the audit trail is counted and logged."""
        if isinstance(fact, AuditEvent):
            self.metrics.decided(fact)
            write_line(fact)

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Answer at the door, where there is one; at the end send what is left of the traces."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self._end_traces)
            stack.callback(self.meters.share)
            if self.door is not None:
                await stack.enter_async_context(self.door.answering(watching_app(self.meters, self.parts)))
            yield

    async def run(self) -> None:
        """Look at what waits until cancelled."""
        await look_again_and_again(self.look)

    async def look(self) -> None:
        """See how the parts are and what waits; what was seen last goes on ageing meanwhile."""
        await self.parts.look()
        read = self._gateway.database.read_in_thread
        self._backlog.take(await read(self._backlog.read))
        self._oldest_line_at = await read(oldest_line_at)
        self.meters.share()

    def _add_looks(self) -> None:
        look, pool = self.meters.look, self._gateway.pool
        look("riskgate_event_lag_seconds", "Age of the oldest event that waits to be told.", [], self._lag)
        look("riskgate_signing_key_age_seconds", "Age of the key that signs.", ["algorithm"], self._key_ages)
        look("riskgate_hashing_jobs", "Password checks that run or wait.", [], lambda: [((), pool.taken)], of="process")
        look(
            "riskgate_hashing_places",
            "Password checks that may run or wait.",
            [],
            lambda: [((), pool.places)],
            of="process",
        )
        look(
            "riskgate_hashing_refused_total",
            "Password checks that found every place taken.",
            [],
            lambda: [((), pool.refused)],
            of="process",
        )

    def _lag(self) -> list[Reading]:
        at = self._oldest_line_at
        return [((), 0.0 if at is None else self._age(at))]

    def _key_ages(self) -> Iterator[Reading]:
        ring = self._gateway.ring
        for algorithm in sorted(ring.algorithms()):
            try:
                yield (algorithm,), self._age(ring.known(algorithm).created_at)
            except LookupError:  # none signs; readiness says so
                continue

    def _age(self, at: float) -> float:
        return max(0.0, self._gateway.clock.now() - at)
