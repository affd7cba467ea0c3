"""Assessments that nobody waits for: accepted at once, run in the background, once each, and kept to be asked for.

Who acts is found out before a task is accepted, so what cannot be believed or read is refused then, and no token is
stored.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog
from msgspec import Struct, structs

from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.contract.activity import Assessment, AssessRequest, HowKnown, TaskState
from risk_scorer.flows.activity.assess import AssessActivity
from risk_scorer.flows.activity.identify import Identify
from risk_scorer.flows.activity.observe import ActivityObserver
from risk_scorer.flows.activity.ports import ClaimedTask, Tasks

TOGETHER: Final = 100
"""Tasks that are claimed and judged together."""
LOOK_SECONDS: Final = 1.0
"""How often a process looks for tasks that another one accepted, or lost."""
AGAIN_SECONDS: Final = 2.0
MOST_CLAIMS: Final = 5
"""A task that was claimed so often and never finished takes down whoever runs it."""

log = structlog.get_logger(__name__)


class Queued(Struct, frozen=True):
    """What is kept of a request: itself without a token, and whose word it is."""

    request: AssessRequest
    how: HowKnown


_queued = msgspec.json.Decoder(Queued)
_assessment = msgspec.json.Decoder(Assessment)
_encode = msgspec.json.Encoder().encode


class AssessLater:
    """Accepts tasks, runs them, and tells how far they are. Use it from the event loop.

    `counts` are of this process: tasks that it ended, and those that it claimed after another attempt came to nothing.
    """

    def __init__(
        self,
        *,
        assess: AssessActivity,
        identify: Identify,
        observer: ActivityObserver,
        tasks: Tasks,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._assess = assess
        self._identify = identify
        self._observer = observer
        self._tasks = tasks
        self._clock = clock
        self._randomness = randomness
        self._is_asked = asyncio.Event()
        self.counts: Counter[str] = Counter(done=0, failed=0, retried=0)

    async def accept(self, request: AssessRequest, *, caller: str, may_vouch: bool) -> str:
        """The id of a task that will be run, whatever dies meanwhile. Raises: Refused (as `one`, or 429)."""
        [who] = await self._identify.who([request], may_vouch=may_vouch)
        if isinstance(who, Refused):
            raise who
        task_id, now = self._randomness.event_id("tsk"), self._clock.now()
        [seen] = self._observer.seen([request], [who], [task_id], now=now)
        if isinstance(seen, Refused):
            raise seen
        told_when = request.identity.timestamp if request.event.timestamp is None else request.event.timestamp
        identity = structs.replace(
            request.identity,
            session_id=who.session_id,
            token="",  # no token is stored
            timestamp=now if told_when is None else told_when,
        )
        # The event has an id in any case: run again after a sudden death, it is known by it.
        kept = structs.replace(request, identity=identity, event_id=request.event_id or task_id)
        body = _encode(Queued(kept, who.how))
        await self._tasks.add(task_id, body, user_id=who.user_id, caller=caller, vouches=who.how != "session")
        self._is_asked.set()
        return task_id

    async def state(self, task_id: str, *, caller: str) -> TaskState | None:
        """How far a task of that caller is. Raises: Refused."""
        kept = await self._tasks.find(task_id, caller=caller)
        if kept is None:
            return None
        result = None if kept.result is None else _assessment.decode(kept.result)
        return TaskState(task_id=task_id, status=kept.state, result=result, problem=kept.problem)  # type: ignore[arg-type]

    async def run(self) -> None:
        """Run tasks until cancelled."""
        while True:
            try:
                ran = await self.run_some()
            except Refused as refused:
                log.warning("tasks_wait", reason=refused.code)
                ran = 0
            if ran:
                continue
            self._is_asked.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._is_asked.wait()
            except TimeoutError:
                pass

    async def run_some(self) -> int:
        """Run tasks that are due; how many. Raises: Refused."""
        tasks = await self._tasks.claim(TOGETHER)
        worn = [each for each in tasks if each.claim > MOST_CLAIMS]
        if worn:
            await self._finish([(each, None, "gave_up") for each in worn])
        self.counts["retried"] += sum(1 < each.claim <= MOST_CLAIMS for each in tasks)
        first = [each for each in tasks if each.claim == 1]
        for vouches in (False, True):
            await self._judged([each for each in first if each.vouches is vouches])
        for each in tasks:
            if 1 < each.claim <= MOST_CLAIMS:  # by itself: whatever it does, it does to no other
                await self._judged([each])
        return len(tasks)

    async def _judged(self, tasks: Sequence[ClaimedTask]) -> None:
        if not tasks:
            return
        queued = [_queued.decode(each.body) for each in tasks]
        try:
            answers = await self._assess.together([each.request for each in queued], may_vouch=tasks[0].vouches)
        except Refused:
            await self._tasks.release(tasks, after_seconds=AGAIN_SECONDS)
            raise
        done: list[tuple[ClaimedTask, bytes | None, str | None]] = []
        for task, asked, answer in zip(tasks, queued, answers, strict=True):
            if isinstance(answer, Refused):
                done.append((task, None, answer.code))
            else:
                done.append((task, _encode(structs.replace(answer, identity=asked.how)), None))
        await self._finish(done)

    async def _finish(self, done: Sequence[tuple[ClaimedTask, bytes | None, str | None]]) -> None:
        await self._tasks.finish(done)
        failed = sum(problem is not None for _, _, problem in done)
        self.counts.update(failed=failed, done=len(done) - failed)
