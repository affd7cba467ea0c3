"""The queue of assessments that nobody waits for: rows that are claimed for a while, and finished once.

A claim is a compare-and-set with a lease: whoever dies while it works loses it to the next, and what it had kept by
then is found by the task's event id, so the event counts once. Durable: a task that was accepted is on the disk.
Bounded: past `most` open tasks the next is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.refusals import Refused
from plumbing.statements import Statement, Value
from risk_scorer.adapters.tables import activity_tasks
from risk_scorer.flows.activity.ports import ClaimedTask, KeptTask

LEASE_SECONDS: Final = 30.0
"""Longer than any batch takes; so much later another process takes up what a dead one had claimed."""
PRUNE_ROWS: Final = 2000
FULL_RETRY_SECONDS: Final = 5.0

_table = activity_tasks.c
_OPEN = _table.finished_at.is_(None)
ADD = Statement(
    insert(activity_tasks).values(
        task_id=bindparam("task_id"), state="pending", caller=bindparam("caller"), vouches=bindparam("vouches"),
        user_id=bindparam("user_id"), body=bindparam("body"), claimed_until=0.0, claims=0,
        created_at=bindparam("created_at"),
    )
)  # fmt: skip
COUNT = Statement(select(func.count()).select_from(activity_tasks).where(_OPEN))
OPEN = Statement(select(_table.state, func.count(), func.min(_table.created_at)).where(_OPEN).group_by(_table.state))
_DUE = (
    select(_table.task_id)
    .where(_OPEN, _table.claimed_until < bindparam("now"))
    .order_by(_table.created_at)
    .limit(bindparam("up_to"))
    .with_for_update(skip_locked=True)
)
CLAIM = Statement(
    update(activity_tasks)
    .where(_table.task_id.in_(_DUE))
    .values(state="running", claimed_until=bindparam("until"), claims=_table.claims + 1)
    .returning(_table.task_id, _table.claims, _table.vouches, _table.body, _table.created_at)
)
_OURS = (_table.task_id == bindparam("of_id"), _table.claims == bindparam("of_claim"), _OPEN)
FINISH = Statement(
    update(activity_tasks)
    .where(*_OURS)
    .values(
        state=bindparam("now_state"), result=bindparam("answer"), problem=bindparam("why"), finished_at=bindparam("at"),
        body=b"",
    )
)  # fmt: skip
RELEASE = Statement(update(activity_tasks).where(*_OURS).values(state="pending", claimed_until=bindparam("again_at")))
FIND = Statement(
    select(_table.state, _table.result, _table.problem).where(
        _table.task_id == bindparam("of_id"), _table.caller == bindparam("of_caller")
    )
)
_OLD = select(_table.task_id).where(_table.finished_at < bindparam("before")).limit(PRUNE_ROWS)
PRUNE = Statement(delete(activity_tasks).where(_table.task_id.in_(_OLD)))


class OpenTasks(NamedTuple):
    """Tasks that are not done: how many wait for somebody, how many are claimed, and when the oldest was accepted."""

    waiting: int
    running: int
    oldest_at: float | None


def open_tasks(tx: Transaction) -> OpenTasks:
    """As they are now; there are at most as many as the queue takes."""
    found = {row[0]: (int(row[1]), row[2]) for row in tx.all(OPEN)}
    running, waiting = found.get("running", (0, None))[0], found.get("pending", (0, None))[0]
    return OpenTasks(waiting, running, min((at for _, at in found.values()), default=None))


class TaskRows:
    """Tasks by id."""

    def __init__(self, database: Database, *, clock: Clock, most: int) -> None:
        self._database = database
        self._clock = clock
        self._most = most

    async def add(self, task_id: str, body: bytes, *, user_id: str, caller: str, vouches: bool) -> None:
        """Keep a task until it is done, durably. Raises: Refused (429 `queue_full`, 503)."""
        now = self._clock.now()

        def job(tx: Transaction) -> bool:
            row = tx.one(COUNT)
            if row is not None and row[0] >= self._most:
                return False
            tx.run(
                ADD, task_id=task_id, caller=caller, vouches=int(vouches), user_id=user_id, body=body, created_at=now
            )
            return True

        if not await self._database.write(job):
            text = "Too many assessments wait; ask again in a moment."
            raise Refused("queue_full", text, status=429, retry_after_seconds=FULL_RETRY_SECONDS)

    async def claim(self, up_to: int) -> list[ClaimedTask]:
        """Tasks that are ours alone until their lease ends, oldest first. Raises: Refused."""
        now = self._clock.now()
        rows = await self._database.write(lambda tx: tx.all(CLAIM, now=now, up_to=up_to, until=now + LEASE_SECONDS))
        found = sorted(rows, key=lambda row: row[4])
        return [ClaimedTask(task_id=r[0], claim=r[1], vouches=bool(r[2]), body=bytes(r[3])) for r in found]

    async def finish(self, done: Sequence[tuple[ClaimedTask, bytes | None, str | None]]) -> None:
        """Say what became of each (task, answer, problem), unless it is somebody else's by now. Raises: Refused."""
        now = self._clock.now()
        rows: list[dict[str, Value]] = [
            {
                "of_id": task.task_id,
                "of_claim": task.claim,
                "now_state": "done" if problem is None else "failed",
                "answer": answer,
                "why": problem,
                "at": now,
            }
            for task, answer, problem in done
        ]
        await self._database.write(lambda tx: tx.many(FINISH, rows))

    async def release(self, tasks: Sequence[ClaimedTask], *, after_seconds: float) -> None:
        """Give them back: they are due again so much later. Raises: Refused."""
        again_at = self._clock.now() + after_seconds
        rows: list[dict[str, Value]] = [
            {"of_id": each.task_id, "of_claim": each.claim, "again_at": again_at} for each in tasks
        ]
        await self._database.write(lambda tx: tx.many(RELEASE, rows))

    async def find(self, task_id: str, *, caller: str) -> KeptTask | None:
        """How far a task of that caller is. Raises: Refused."""
        row = await self._database.read_in_thread(lambda tx: tx.one(FIND, of_id=task_id, of_caller=caller))
        if row is None:
            return None
        return KeptTask(state=row[0], result=None if row[1] is None else bytes(row[1]), problem=row[2])

    def waiting(self) -> int:
        """How many are not finished. Raises: Refused."""
        row = self._database.read(lambda tx: tx.one(COUNT))
        return 0 if row is None else int(row[0])


def prune_tasks(tx: Transaction, before: float) -> int:
    """Forget tasks that were finished before that time, some at a time; how many went."""
    return tx.run(PRUNE, before=before)
