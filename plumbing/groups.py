"""What shares a commit: jobs, who waits for them, how they went; and what a database must offer to run them.

The writer gathers jobs into groups and hands the results over; a store runs a group and knows one kind of database.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Engine

from plumbing.refusals import Refused
from plumbing.statements import Transaction

T = TypeVar("T")
Job = Callable[[Transaction], Any]


class Waiting(NamedTuple):
    """A job and who waits for it: an asyncio future with its loop, a thread's future, or nobody (a posted record).

    For a record `undo` is called, on the writer's thread, when it was not kept.
    """

    job: Job
    future: Any
    loop: asyncio.AbstractEventLoop | None
    undo: Callable[[], object] | None = None


class Outcome(NamedTuple):
    """How a job went: its value once it is committed, or the error for its caller alone."""

    waiting: Waiting
    value: Any
    error: BaseException | None


class JobFailed(Exception):
    """A job raised among others in one transaction, which is undone as a whole."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class Store(Protocol):
    """One database as the house uses it."""

    engine: Engine

    def commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run the jobs in order and make what they did durable. On the writer's thread alone; it never raises."""
        ...

    def close_writing(self) -> None:
        """Let go of the writing connection, on the thread that ends the writer."""
        ...

    def read(self, job: Callable[[Transaction], T]) -> T:
        """The job's result on one consistent view of what is committed, on the calling thread."""
        ...

    def close(self) -> None:
        """Let go of everything else."""
        ...


def storage_unavailable() -> Refused:
    """The database cannot take or give anything now; the client may try again."""
    return Refused("storage_unavailable", "The storage is not available now.", status=503, retry_after_seconds=5)


def all_refused(group: list[Waiting]) -> list[Outcome]:
    """The same refusal for every caller."""
    return [Outcome(waiting, None, storage_unavailable()) for waiting in group]
