"""PostgreSQL: groups committed under READ COMMITTED beside other processes, reads on a connection of the thread.

Nothing here makes writers of several processes take turns. What must happen once is a compare-and-set `UPDATE`, which
waits for whoever holds the row and then finds nothing to set; a row that is looked at first is locked by the look.
"""

import threading
import weakref
from collections.abc import Callable
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any, Final, TypeVar

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine

from plumbing.groups import JobFailed, Outcome, Waiting, all_refused, storage_unavailable
from plumbing.postgresql_connections import (
    AnswerOverdue,
    connect_to_migrate,
    connect_to_read,
    connect_to_write,
    parameters,
)
from plumbing.postgresql_sessions import (
    MoreThanOne,
    Session,
    as_refusal,
    in_one_line,
    is_contention,
    is_held,
    is_in_the_way,
    is_worth_repeating,
)
from plumbing.statements import Transaction

T = TypeVar("T")

TRIES_ALONE: Final = 3
"""How often a job that met contention within its group is tried by itself before its caller is refused."""

GROUP_LOCK_MS: Final = 100
"""How long a group waits for one row. It holds rows of all its jobs meanwhile, and whoever holds theirs may wait for
those: such a knot is undone by letting go early, long before the server would find it."""

HELD_IN_A_ROW: Final = 3
"""After so many jobs that each waited for a lock in vain it is a table that is locked: nobody else is made to wait."""

HELD_PAUSE_SECONDS: Final = 0.5
"""After a look-up that waited for a lock in vain the next ones are refused at once, for as long as it took: else an
event loop would do nothing but wait, and not even say that it lives."""

log = structlog.get_logger("plumbing.writer")


_BEGIN: Final = "BEGIN"
_BEGIN_GROUP: Final = f"BEGIN; SET LOCAL lock_timeout = {GROUP_LOCK_MS}"


class _Contended(Exception):
    """Another process was in the way, and the group is undone."""


class WentOn(Exception):
    """A job went on after the database had refused one of its statements: nothing that it did can be kept."""


class _Reader(Session):
    """A thread's own read session, closed when the thread ends."""

    _held_until = 0.0

    @property
    def is_held_up(self) -> bool:
        """Whether a look-up has waited for a lock in vain a moment ago."""
        return self._clock.monotonic() < self._held_until

    def ended(self, error: BaseException | None = None) -> None:
        super().ended(error)
        if is_held(error):
            self._held_until = self._clock.monotonic() + HELD_PAUSE_SECONDS

    def __del__(self) -> None:
        self.close()


class PostgresqlStore:
    """A database that several processes, on several machines, hold open."""

    def __init__(self, url: str) -> None:
        known = parameters(url)
        self.engine = open_engine(url)
        self._writing = Session(partial(connect_to_write, known))
        self._known = known
        self._own = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._of_many: set[CodeType] = set()
        self._met_a_lock = False

    def commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run the group in one transaction; if a job fails, again with each job in a savepoint of its own; if other
        processes are in the way, each job alone, so that nobody waits while it holds another job's rows.
        """
        try:
            return self._committed(group)
        except _Contended:
            log.warning("group_contended", jobs=len(group))
            return self._one_by_one(group)
        except psycopg.Error as error:
            log.error("commit_failed", reason=in_one_line(error), jobs=len(group))
            return all_refused(group)

    def close_writing(self) -> None:
        self._writing.close()

    def read(self, job: Callable[[Transaction], T]) -> T:
        """A job that has never needed more than one statement runs without a transaction; once it asks for a second
        one it is run again from the start, on one snapshot, and from then on always.
        """
        reader: _Reader = getattr(self._own, "reader", None) or self._new_reader()
        if reader.is_held_up:
            raise storage_unavailable()
        was_open = reader.is_open
        try:
            return self._read(reader, job)
        except psycopg.Error as error:
            reader.ended(error)
            if not was_open or reader.is_open or isinstance(error, AnswerOverdue):
                raise as_refusal(error) from error
        try:  # the server was restarted since we last asked, as it seems
            return self._read(reader, job)
        except psycopg.Error as error:
            reader.ended(error)
            raise as_refusal(error) from error

    def close(self) -> None:
        for reader in list(self._readers):
            reader.close()
        self.engine.dispose()

    def _read(self, reader: _Reader, job: Callable[[Transaction], T]) -> T:
        code = _code(job)
        if code is not None and code not in self._of_many:
            try:
                return job(reader.single)
            except MoreThanOne:
                self._of_many.add(code)
        reader.begin("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            return job(reader.transaction)
        finally:
            reader.ended()

    def _new_reader(self) -> _Reader:
        reader = self._own.reader = _Reader(partial(connect_to_read, self._known))
        self._readers.add(reader)
        return reader

    def _committed(self, group: list[Waiting]) -> list[Outcome]:
        try:
            return self._together(group, self._plain)
        except JobFailed as failed:
            error = failed.error
            if isinstance(error, psycopg.Error) and not self._writing.is_open:
                raise error from None
            if len(group) == 1 and not is_worth_repeating(error):
                return [Outcome(group[0], None, as_refusal(error))]
            if len(group) > 1 and is_in_the_way(error):
                raise _Contended from error
        return self._together(group, self._fenced)

    def _one_by_one(self, group: list[Waiting]) -> list[Outcome]:
        """Each job in a transaction of its own, until it is plain that none of them gets what it needs."""
        outcomes: list[Outcome] = []
        held_in_a_row = 0
        for waiting in group:
            self._met_a_lock = False
            outcomes.append(self._alone(waiting))
            held_in_a_row = held_in_a_row + 1 if self._met_a_lock else 0
            if held_in_a_row == HELD_IN_A_ROW:
                log.error("tables_locked", jobs=len(group) - len(outcomes))
                break
        return outcomes + all_refused(group[len(outcomes) :])

    def _alone(self, waiting: Waiting) -> Outcome:
        for _ in range(TRIES_ALONE):
            try:
                return self._together([waiting], self._fenced)[0]
            except _Contended:
                continue
            except psycopg.Error as error:
                log.error("commit_failed", reason=in_one_line(error), jobs=1)
                break
        return Outcome(waiting, None, storage_unavailable())

    def _together(self, group: list[Waiting], run: Callable[[Waiting, bool], Outcome]) -> list[Outcome]:
        """The group's outcomes, committed.

        Raises: JobFailed, _Contended, psycopg.Error; then nothing is kept, unless the connection was lost over the
        commit itself: then nobody knows, and every caller is refused.
        """
        problem: BaseException | None = None
        try:
            is_alone = len(group) == 1
            self._begin(_BEGIN if is_alone else _BEGIN_GROUP)
            outcomes = [run(waiting, is_alone) for waiting in group]
            self._writing.execute("COMMIT")
            return outcomes
        except BaseException as error:
            problem = error.error if isinstance(error, JobFailed) else error
            if is_contention(error):  # of the commit itself
                raise _Contended from error
            raise
        finally:
            self._writing.ended(problem)

    def _begin(self, sql: str) -> None:
        was_open = self._writing.is_open
        try:
            self._writing.begin(sql)
        except psycopg.Error as error:
            self._writing.ended(error)
            # Nothing was asked for yet: a connection that went stale while nobody wrote costs no caller anything.
            if not was_open or self._writing.is_open or isinstance(error, AnswerOverdue):
                raise
            self._writing.begin(sql)

    def _result(self, waiting: Waiting) -> Any:
        value = waiting.job(self._writing.transaction)
        if self._writing.status != TransactionStatus.INTRANS:
            raise WentOn("the job went on after the database had refused one of its statements")
        return value

    def _plain(self, waiting: Waiting, _is_alone: bool) -> Outcome:
        try:
            return Outcome(waiting, self._result(waiting), None)
        except BaseException as error:  # the caller waits for an answer whatever it is
            raise JobFailed(error) from error

    def _fenced(self, waiting: Waiting, is_alone: bool) -> Outcome:
        self._writing.execute("SAVEPOINT job")
        value, problem = None, None
        try:
            value = self._result(waiting)
        except BaseException as error:
            if not self._writing.is_open:
                raise psycopg.OperationalError(in_one_line(error)) from error
            if is_contention(error) or (not is_alone and is_in_the_way(error)):
                raise _Contended from error
            self._writing.execute("ROLLBACK TO SAVEPOINT job")
            self._met_a_lock = is_held(error)
            problem = as_refusal(error)
        self._writing.execute("RELEASE SAVEPOINT job")
        return Outcome(waiting, value, problem)


def open_engine(url: str) -> Engine:
    """A SQLAlchemy engine for migrations and cold paths."""
    known = parameters(url)
    creator = partial(connect_to_migrate, known)
    # Asked whether it lives before it is used again: the server may have been restarted since.
    return create_engine("postgresql+psycopg://", creator=creator, isolation_level="READ COMMITTED", pool_pre_ping=True)


def _code(job: Any) -> CodeType | None:
    """What tells one job from another: two lambdas of one line are the same job with other values."""
    while isinstance(job, partial):
        job = job.func
    if isinstance(job, MethodType):
        job = job.__func__
    return job.__code__ if isinstance(job, FunctionType) else None
