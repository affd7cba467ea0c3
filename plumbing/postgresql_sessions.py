"""A connection with its transactions: made when it is needed, made again when it was lost, and what its errors mean."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import structlog
from psycopg.pq import TransactionStatus

from plumbing.clock import Clock, SystemClock
from plumbing.groups import storage_unavailable
from plumbing.postgresql_connections import Connection
from plumbing.refusals import Refused
from plumbing.statements import Compiled, Row, Statement, Transaction, Value, ordered, plain, took_too_long

SHORTEST_PAUSE_SECONDS: Final = 0.5
"""After a failed try to connect nobody tries again at once; who asks meanwhile is refused without waiting."""

# Source: postgresql.org/docs/current/errcodes-appendix.html
_CONTENTION: Final = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_TAKEN: Final = "23505"  # unique_violation
_HELD: Final = "55P03"  # lock_not_available
_NOT_OURS: Final = {"25006", "57P01", "57P02", "57P03"}  # a standby; a server that stops, crashed or starts
_OUT_OF_SERVICE: Final = {
    *_CONTENTION,
    *_NOT_OURS,
    "25P03",  # idle_in_transaction_session_timeout
    "3D000",  # the database is gone
    "42501",  # insufficient_privilege
    _HELD,
    "57014",  # query_canceled: statement_timeout
    "57P05",  # idle_session_timeout
}
_CLASSES_OUT_OF_SERVICE: Final = {"08", "28", "53", "58", "XX"}

log = structlog.get_logger("plumbing.writer")


def in_one_line(error: BaseException) -> str:
    """What the server or libpq says, for a log: never more than its first line."""
    return (str(error).splitlines() or [""])[0]


def as_refusal(error: BaseException) -> BaseException:
    """A failure of the storage itself as a refusal; anything else as it is."""
    if isinstance(error, psycopg.Error) and is_out_of_service(error):
        log.error("storage_unavailable", reason=in_one_line(error))
        return storage_unavailable()
    return error


def is_out_of_service(error: psycopg.Error) -> bool:
    """Whether it is the storage's state that failed, and not the statement."""
    state = error.sqlstate
    if state is None:  # libpq's own: no connection, or a lost one
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state in _OUT_OF_SERVICE or state[:2] in _CLASSES_OUT_OF_SERVICE


def is_contention(error: BaseException) -> bool:
    """Whether the same transaction, run again, is expected to pass."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _CONTENTION


def is_in_the_way(error: BaseException) -> bool:
    """Whether another process held what was needed, for good or for longer than we were ready to wait."""
    return is_contention(error) or is_held(error)


def is_held(error: BaseException | None) -> bool:
    """Whether what was needed is locked, and was for as long as we were ready to wait."""
    return isinstance(error, psycopg.Error) and error.sqlstate == _HELD


def is_worth_repeating(error: BaseException) -> bool:
    """Whether a second run may see what the first could not: somebody added the row after we had looked."""
    return is_contention(error) or (isinstance(error, psycopg.Error) and error.sqlstate == _TAKEN)


class PostgresqlTransaction(Transaction):
    """A job's transaction on PostgreSQL; its statements are prepared by the driver once they come often."""

    __slots__ = ("_cursor",)

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.cursor(binary=True)
        self.said = None
        self.traceparent = None

    def run(self, statement: Statement, /, **values: Value) -> int:
        return self._executed(statement, values).rowcount

    def one(self, statement: Statement, /, **values: Value) -> Row | None:
        return self._executed(statement, values).fetchone()

    def all(self, statement: Statement, /, **values: Value) -> list[Row]:
        return self._executed(statement, values).fetchall()

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> int:
        if not rows:
            return 0
        self._piped(statement, rows, is_told_of_each=False)
        return self._cursor.rowcount

    def listed(self, statement: Statement, rows: Sequence[Sequence[Value]], /) -> int:
        if not rows:
            return 0
        self._sent(plain(statement.compiled("postgresql")), rows, is_told_of_each=False)
        return self._cursor.rowcount

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The server's own limit ends it, STATEMENT_SECONDS for each statement, however long `seconds` are."""
        try:
            yield
        except psycopg.errors.QueryCanceled as error:
            raise took_too_long() from error

    def each(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> list[int]:
        if not rows:
            return []
        self._piped(statement, rows, is_told_of_each=True)
        changed = [self._cursor.rowcount]
        while self._cursor.nextset():
            changed.append(self._cursor.rowcount)
        return changed

    def _piped(self, statement: Statement, rows: Sequence[Mapping[str, Value]], *, is_told_of_each: bool) -> None:
        """The statement for all of the rows without waiting for the answers one by one."""
        compiled = statement.compiled("postgresql")
        self._sent(compiled, [_given(compiled, row) for row in rows], is_told_of_each=is_told_of_each)

    def _sent(self, compiled: Compiled, given: Sequence[Sequence[Value]], *, is_told_of_each: bool) -> None:
        try:
            self._cursor.executemany(compiled.sql, given, returning=is_told_of_each)
        except psycopg.DataError as error:
            raise _as_bad_text(error, [value for row in given for value in row]) from None

    def _executed(self, statement: Statement, values: Mapping[str, Value]) -> psycopg.Cursor[Row]:
        compiled = statement.compiled("postgresql")
        given = _given(compiled, values)
        try:
            return self._cursor.execute(compiled.sql, given)
        except psycopg.DataError as error:
            raise _as_bad_text(error, given) from None


class MoreThanOne(BaseException):
    """A job asked for a second statement where one was expected; no job can take it for an error of its own."""


class OneStatement(PostgresqlTransaction):
    """A transaction of exactly one statement, which therefore needs neither a beginning nor an end."""

    __slots__ = ("is_used",)

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.is_used = False

    def _executed(self, statement: Statement, values: Mapping[str, Value]) -> psycopg.Cursor[Row]:
        if self.is_used:
            raise MoreThanOne
        self.is_used = True
        return super()._executed(statement, values)

    def _sent(self, compiled: Compiled, given: Sequence[Sequence[Value]], *, is_told_of_each: bool) -> None:
        raise MoreThanOne


def _given(compiled: Compiled, values: Mapping[str, Value]) -> list[Value]:
    given = ordered(compiled, values)
    for place in compiled.truths:
        value = given[place]
        given[place] = None if value is None else bool(value)
    return given


def _as_bad_text(error: psycopg.DataError, given: Sequence[Value]) -> Exception:
    """PostgreSQL keeps no text with NUL in it: whoever sent one is told so. Any other bad value is a bug."""
    if any(isinstance(value, str) and "\0" in value for value in given):
        return Refused("invalid_request", "Text must not contain the character NUL.", status=400)
    return error


class Session:
    """One connection and the transaction of its jobs, for one thread at a time."""

    def __init__(self, connect: Callable[[], Connection], clock: Clock | None = None) -> None:
        self._connect = connect
        self._clock = clock or SystemClock()
        self._not_before = 0.0
        self._connection: Connection | None = None
        self._transaction: PostgresqlTransaction | None = None
        self._single: OneStatement | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that we do not know to be lost."""
        return self._connection is not None and not self._connection.closed

    @property
    def transaction(self) -> PostgresqlTransaction:
        """What a job runs its statements by, within what was begun."""
        assert self._transaction is not None  # noqa: S101 - made with the connection
        return self._transaction

    @property
    def single(self) -> OneStatement:
        """What a job of one statement runs it by. Raises: psycopg.OperationalError."""
        if not self.is_open:
            self._open()
        assert self._single is not None  # noqa: S101 - made with the connection
        self._single.is_used = False
        return self._single

    @property
    def status(self) -> int:
        """Where the connection's transaction stands, as `TransactionStatus` names it; UNKNOWN without a connection."""
        return self._connection.pgconn.transaction_status if self._connection else TransactionStatus.UNKNOWN

    def begin(self, sql: Any) -> None:
        """Run what begins a transaction, on a new connection where there is none. Raises: psycopg.Error."""
        if not self.is_open:
            self._open()
        self.execute(sql)

    def execute(self, sql: Any) -> None:
        """Run a statement of our own on the connection there is, never on another: a `COMMIT` that comes to one that
        has nothing to commit succeeds. Raises: psycopg.Error.
        """
        assert self._connection is not None  # noqa: S101 - made by `begin`
        self._connection.execute(sql, prepare=False)

    def ended(self, error: BaseException | None = None) -> None:
        """Leave no transaction open; a connection that cannot, or that leads to the wrong server, is let go of."""
        state = getattr(error, "sqlstate", None)
        try:
            if state in _NOT_OURS or self.status not in (TransactionStatus.IDLE, *_OPEN):
                self.close()
            elif self.status in _OPEN:
                self.execute("ROLLBACK")
        except psycopg.Error as problem:
            log.error("rollback_failed", reason=in_one_line(problem))
            self.close()

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> Connection:
        self._connection = connection = self._made()
        self._transaction, self._single = PostgresqlTransaction(connection), OneStatement(connection)
        return connection

    def _made(self) -> Connection:
        began = self._clock.monotonic()
        if began < self._not_before:
            raise psycopg.OperationalError("the server could not be reached a moment ago")
        try:
            return self._connect()
        except psycopg.Error:
            # As long as the failure took to show: a server that swallows packets holds us up half of the time at most.
            now = self._clock.monotonic()
            self._not_before = now + max(SHORTEST_PAUSE_SECONDS, now - began)
            raise


_OPEN: Final = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
