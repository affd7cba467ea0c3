"""Spark as the engine: it reads the log where it lies and adds up what Ibis asks. Nothing of ours runs on the cluster.

Needs `riskgate[spark]`. How Spark is set up is Spark's business (SPARK_CONF_DIR, PYSPARK_SUBMIT_ARGS, SPARK_REMOTE).
"""

import contextlib
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis

from training.engines import LOGINS, Log, Question, Row, in_rows
from training.log_sources import one_address
from training.refusals import EngineError, WrongInputError
from training.settings import mortal_java, spark_remote
from training.spark_log import open_spark_log
from training.spark_sql import spark_sql

APP_NAME = "risk-training"
CONNECT_PORT = 15002
REACH_SECONDS = 5.0

_QUIET = {"spark.ui.showConsoleProgress": "false", "spark.app.name": APP_NAME}
_NO_JAVA = (
    "JAVA_HOME is not set",
    "bin/java:",
    "java: not found",
    "java: command not found",
    "UnsupportedClassVersion",
)
_NO_SUCH_FILE = ("PATH_NOT_FOUND",)
_UNREADABLE = (
    "FAILED_READ_FILE",
    "CANNOT_READ_FILE_FOOTER",
    "UNABLE_TO_INFER_SCHEMA",
    "No FileSystem for scheme",
    "Class org.apache.hadoop.fs",
)


class Spark:
    """A session at a cluster, for as long as one training lasts."""

    def __init__(self, session: Any, log: Path) -> None:
        self._session, self._log = session, log
        session.conf.set("spark.sql.session.timeZone", "UTC")
        # A record that is too short or too long is told by its unread columns, too.
        session.conf.set("spark.sql.csv.parser.columnPruning.enabled", "false")

    @property
    def name(self) -> str:
        return f"Spark {self._session.version}"

    def open_log(self, *sources: str) -> Log:
        source = one_address(sources)
        with told_plainly(self._log, source):
            return open_spark_log(self._session, source)

    def rows(self, question: Question, logins: Any) -> Iterator[Row]:
        table = ibis.table(ibis.Schema.from_pyarrow(logins.schema), name=LOGINS)
        with told_plainly(self._log):
            self._session.createDataFrame(logins).createOrReplaceTempView(LOGINS)
            found = self._session.sql(spark_sql(question(table))).toArrow()
        return in_rows(found)

    def close(self) -> None:
        self._session.stop()


@contextlib.contextmanager
def running_spark(master: str | None, source: str) -> Iterator[Spark]:
    """Spark, up until the block ends; where it runs is `master`, or what Spark's own configuration says.

    What Java says goes to a file, which is kept and named when something fails. Raises EngineError.
    """
    builder = _builder(master)
    log = Path(tempfile.mkstemp(prefix="risk-training-spark-", suffix=".log")[1])
    try:
        with told_plainly(log, source):
            with _said_into(log), mortal_java():
                session = _session(builder, log)
            engine = Spark(session, log)
            try:
                yield engine
            finally:
                with _said_into(log), contextlib.suppress(Exception):
                    engine.close()
    except EngineError:
        raise
    except BaseException:
        log.unlink(missing_ok=True)
        raise
    log.unlink(missing_ok=True)


def _builder(master: str | None) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as cause:
        raise EngineError("engine_missing", "--engine spark needs PySpark: install riskgate[spark]") from cause
    remote = spark_remote()
    if master is not None and remote is not None and master != remote:
        raise WrongInputError("usage", "SPARK_REMOTE names another cluster than --master; unset one of them")
    builder = SparkSession.builder
    for key, value in _QUIET.items():
        builder = builder.config(key, value)
    where = master or remote or ""
    _require_reachable(where)
    if where and remote is None:
        builder = builder.config("spark.remote" if where.startswith("sc://") else "spark.master", where)
    return builder


def _require_reachable(where: str) -> None:
    """Told in seconds: Spark itself tries for minutes. Only addresses of servers that have no other way to be found."""
    kind, _, places = where.partition("://")
    if kind not in ("spark", "sc"):
        return
    for place in places.partition("/")[0].split(","):
        host, _, port = place.rpartition(":") if re.search(r":\d+$", place) else (place, "", str(CONNECT_PORT))
        with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS):
            return
    raise EngineError("cluster_unreachable", f"nothing answers at {kind}://{places.partition('/')[0]}")


def _session(builder: Any, log: Path) -> Any:
    try:
        return builder.getOrCreate()
    except ImportError as cause:
        raise EngineError("engine_missing", f"this PySpark lacks a package: {cause}") from cause
    except Exception as cause:
        said = log.read_text(errors="replace") if "JAVA_GATEWAY_EXITED" in str(cause) else ""
        if any(sign in said for sign in _NO_JAVA):
            raise EngineError(
                "java_missing", f"Spark needs Java 17 or newer, on the path or in JAVA_HOME; what it said is in {log}"
            ) from cause
        lines = [line for line in said.splitlines() if not line.startswith("NOTE: Picked up")]
        failed = [line for line in lines if "Exception" in line or "Error" in line]
        told = failed[0][:300] if failed else _gist(cause)
        raise EngineError("cluster_unreachable", f"Spark did not start: {told}; its log is {log}") from cause


@contextlib.contextmanager
def told_plainly(log: Path, source: str = "") -> Iterator[None]:
    """Turns what PySpark and the Java behind it raise into one line with a stable code."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except EOFError as cause:  # in the midst of the rows
        raise EngineError(
            "engine_failed", f"Spark's Java has ended, maybe for want of memory; its log is {log}"
        ) from cause
    except (PySparkException, Py4JError, ConnectionError) as cause:
        told = str(cause)
        if any(sign in told for sign in _NO_SUCH_FILE):
            raise WrongInputError("no_such_file", f"Spark finds nothing at {source}") from cause
        if any(sign in told for sign in _UNREADABLE):
            raise WrongInputError("unreadable_file", f"Spark cannot read {source}: {_gist(cause)}") from cause
        raise EngineError("engine_failed", f"Spark gave up: {_gist(cause)}; its log is {log}") from cause


def _gist(cause: BaseException) -> str:
    """The first line that says something, without the Java trace."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("An error occurred while calling", "at "))]
    return (telling or [type(cause).__name__])[0].removeprefix(": ")[:300]


@contextlib.contextmanager
def _said_into(log: Path) -> Iterator[None]:
    """What is written to standard output and error meanwhile, by Java above all, which keeps what it was given."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    try:
        for number in (1, 2):
            os.dup2(file, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, own in zip((1, 2), kept, strict=True):
            os.dup2(own, number)
            os.close(own)
        os.close(file)
