"""How this house reaches a PostgreSQL server: bounded in time, durable commits, values as SQLite gives them.

Every wait has an end, and all of them fail closed: the caller gets a 503. A server that is reached and does not answer
is given up after `ANSWER_SECONDS`, whether or not its own time limits still work.
"""

import ipaddress
from collections.abc import Generator, Mapping
from typing import Any, Final, TypeVar

import psycopg
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.waiting import Ready

from plumbing.clock import Clock, SystemClock

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 5
LOCK_SECONDS: Final = 2
"""How long a row that another process changes may be waited for."""
READ_LOCK_MS: Final = 500
"""How long a look-up waits for a table. Only who changes its shape is in the way, and an event loop waits with it."""
ANSWER_SECONDS: Final = STATEMENT_SECONDS + 2
IDLE_IN_TRANSACTION_SECONDS: Final = 10
"""Our jobs only compute: a transaction that idles belongs to a process that was stopped, and it holds rows."""

# Source: postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_DEFAULTS: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "riskgate",
    "client_encoding": "UTF8",
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER_SECONDS * 1000,
}
_LIMITS: Final = f"""
SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', false),
       set_config('lock_timeout', '{LOCK_SECONDS}s', false),
       set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_SECONDS}s', false),
       set_config('default_transaction_isolation', 'read committed', false)
"""
# A server may ask for more than `on` (remote_apply); it is never given less.
_DURABLE: Final = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""
_READ_ONLY: Final = f"""
SELECT set_config('default_transaction_read_only', 'on', false), set_config('lock_timeout', '{READ_LOCK_MS}ms', false)
"""


class AnswerOverdue(psycopg.OperationalError):
    """The server did not answer in time, and its connection is closed."""


class _Truth(Loader):
    """A truth value as SQLite gives it: 0 or 1."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data) in (b"t", b"\x01"))


class _BinaryTruth(_Truth):
    format = pq.Format.BINARY


def _adapters() -> AdaptersMap:
    ours = AdaptersMap(psycopg.adapters)
    ours.register_loader("bool", _Truth)
    ours.register_loader("bool", _BinaryTruth)
    # One size for all numbers: the same statement with 1 and with 100000 is then the same prepared statement.
    ours.register_dumper(int, Int8BinaryDumper)
    return ours


_ADAPTERS: Final = _adapters()


class _BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for an answer no longer than `ANSWER_SECONDS`."""

    clock: Clock = SystemClock()

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **more: Any) -> T:
        try:
            return super().wait(_bounded(gen, self.clock), *args, **more)
        except AnswerOverdue:
            self.close()
            raise


def _bounded(waiting: Generator[Any, Any, T], clock: Clock) -> Generator[Any, Any, T]:
    """The same exchange, ended when it takes too long; psycopg asks again several times a second meanwhile."""
    try:
        wanted = next(waiting)
        deadline = clock.monotonic() + ANSWER_SECONDS
        while True:
            ready = yield wanted
            if ready == Ready.NONE and clock.monotonic() > deadline:
                raise AnswerOverdue("the server does not answer")
            wanted = waiting.send(ready)
    except StopIteration as done:
        value: T = done.value
        return value


def parameters(url: str) -> Mapping[str, Any]:
    """What libpq is told: the URL's own parameters over ours. A server elsewhere must prove who it is.

    Raises: ValueError without any part of the URL, which holds a password.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError("the database's URL cannot be read as postgresql://user:password@host/name") from None
    if not _is_here(given):
        given.setdefault("sslmode", "verify-full")
    return {**_DEFAULTS, **given}


def _is_here(given: Mapping[str, Any]) -> bool:
    """Whether every host is this machine: a socket's directory, localhost, or a loopback address."""
    hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
    return all(host in ("", "localhost") or host[0] in "/@" or _is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connect_to_write(known: Mapping[str, Any]) -> Connection:
    """A connection whose transactions we begin and end ourselves, and whose commits are durable.

    Raises: psycopg.OperationalError.
    """
    return _prepared(known, _LIMITS, _DURABLE)


def connect_to_read(known: Mapping[str, Any]) -> Connection:
    """A connection that cannot write; a statement outside a transaction is one of its own.

    Raises: psycopg.OperationalError.
    """
    return _prepared(known, _LIMITS, _READ_ONLY)


def _prepared(known: Mapping[str, Any], *statements: str) -> Connection:
    connection = _BoundedConnection.connect(**known, autocommit=True, context=_ADAPTERS)
    try:
        for statement in statements:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_migrate(known: Mapping[str, Any]) -> Connection:
    """A connection as the driver makes it, without limits: building an index over years of lines may take long."""
    return psycopg.connect(**known)
