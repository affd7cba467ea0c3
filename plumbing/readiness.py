"""Whether a service can do its work now: its parts are asked side by side, each within its own time.

A part that hangs makes nobody wait longer than its deadline, however many ask: while one question to it is under way no
second one is put.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog

from plumbing.metrics import Meters

DEADLINE_SECONDS: Final = 0.9
"""What asks us usually gives up after a second (Kubernetes, "Configure Probes": timeoutSeconds)."""
HANGS: Final = "timeout"
CRASHED: Final = "probe_failed"
STOPPING: Final = "stopping"

Probe = Callable[[], Awaitable[str | None]]
"""None when the part is well, else a stable code that says why not."""

log = structlog.get_logger("plumbing.readiness")


class Part(NamedTuple):
    """How one part is. The service is ready without those that are not needed."""

    name: str
    is_needed: bool
    reason: str | None

    @property
    def is_well(self) -> bool:
        return self.reason is None


class Parts:
    """The parts of a service, in the order in which they were added."""

    def __init__(self) -> None:
        self._probes: dict[str, tuple[Probe, bool, float]] = {}
        self._under_way: dict[str, asyncio.Task[str | None]] = {}
        self._seen: list[Part] = []
        self.is_stopping = False

    def add(
        self, name: str, probe: Probe, *, is_needed: bool = True, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        """One more part; the service goes on without it unless it `is_needed`."""
        self._probes[name] = (probe, is_needed, deadline_seconds)

    def stop(self) -> None:
        """From now on one more part is told, and not well: the service itself, which has been asked to stop."""
        self.is_stopping = True

    async def look(self) -> list[Part]:
        """How each of them is."""
        reasons = await asyncio.gather(*(self._ask(name) for name in self._probes))
        self._seen = [
            Part(name, is_needed, reason)
            for (name, (_, is_needed, _)), reason in zip(self._probes.items(), reasons, strict=True)
        ]
        if self.is_stopping:
            self._seen.append(Part("service", True, STOPPING))
        return self._seen

    def told_by(self, meters: Meters) -> None:
        """Tell with the metrics how each part was when somebody looked last."""
        meters.look(
            "riskgate_part_ok",
            "Whether a part is well.",
            ["part"],
            lambda: [((part.name,), float(part.is_well)) for part in self._seen],
            of="worst",
        )

    async def _ask(self, name: str) -> str | None:
        probe, _, deadline = self._probes[name]
        task = self._under_way.get(name)
        if task is None or task.done():
            task = self._under_way[name] = asyncio.create_task(_asked(name, probe))
        done, _ = await asyncio.wait([task], timeout=deadline)
        return task.result() if done else HANGS


async def _asked(name: str, probe: Probe) -> str | None:
    try:
        return await probe()
    except Exception as error:
        log.error("probe_failed", part=name, reason=repr(error))
        return CRASHED


def is_ready(parts: list[Part]) -> bool:
    """Whether everything that is needed is well."""
    return all(part.is_well for part in parts if part.is_needed)
