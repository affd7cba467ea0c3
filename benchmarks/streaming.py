"""Events from Apache Kafka: from the topic to the score on the disk and in the output topic, the scorer on one core."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import Producer
from rich.console import Console

from benchmarks.home import KEY, MODELS, ROOT, Home
from benchmarks.people import arriving
from benchmarks.report import Figure, short
from benchmarks.servers import cpu_seconds, free_port
from tests.integration.risk_scorer.brokers import EVENTS, Broker
from tests.services.apache_kafka import ApacheKafka, apache_kafka, version

PARTITIONS, PEOPLES_LOGINS = 6, 2000
EVENTS_A_ROUND = 60_000
WARM_SHARE = 0.2
"""Of the events, before anything is counted: compiling, joining the group, the first reads of histories."""
PATIENCE_SECONDS = 600.0
BARE = [sys.executable, "-m", "benchmarks.bare_consumer"]
SERVE = [sys.executable, "-c", "from risk_scorer.cli import main; main()", "serve"]


class Pace(msgspec.Struct, frozen=True):
    """Events a second, and seconds of the process's own core for an event."""

    rate: float
    core: float


def measure(rounds: int, console: Console) -> Iterator[Figure]:
    """Ours against a consumer that decodes the same records and does nothing with them, on the same core."""
    if version() is None:
        console.print("streaming needs Apache Kafka under var/kafka: scripts/test --services tests/services fetches it")
        return
    with tempfile.TemporaryDirectory(prefix="riskgate-bench-") as place, apache_kafka(Path(place) / "kafka") as broker:
        if broker.process is not None:
            _pin(broker.process.pid, 1)
        Broker(broker.address).make_topics(PARTITIONS)
        _fill(broker.address)
        pairs = [(_ours(broker, number), _bare(broker)) for number in range(rounds)]
    for ours, bare in pairs:
        console.print(
            f"  ours {short(ours.rate)} a second, core {short(ours.core * 1e6)} µs; "
            f"bare {short(bare.rate)} a second, core {short(bare.core * 1e6)} µs; load {os.getloadavg()[0]:.1f}"
        )
    against = "a consumer that only decodes"
    yield Figure(
        "streamed events, topic to disk and topic",
        "events a second",
        against,
        [ours.rate for ours, _ in pairs],
        [bare.rate for _, bare in pairs],
        "≥ 8,000 a second, aim 15,000",
    )
    yield Figure(
        "the same, core each",
        "µs",
        against,
        [ours.core * 1e6 for ours, _ in pairs],
        [bare.core * 1e6 for _, bare in pairs],
        "≤ 125 µs, aim 66",
        more_is_better=False,
    )


def _fill(address: str) -> None:
    """The sample's newest logins over and over, each time as events of their own."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 50, "compression.type": "lz4"})
    logins = arriving(PEOPLES_LOGINS, time.time())
    for number in range(EVENTS_A_ROUND):
        event = msgspec.structs.replace(logins[number % PEOPLES_LOGINS], event_id=f"event-{number}")
        while True:
            try:
                producer.produce(EVENTS, value=msgspec.json.encode(event), key=event.user_id)
                break
            except BufferError:
                producer.poll(0.2)
    assert producer.flush(PATIENCE_SECONDS) == 0


def _ours(broker: ApacheKafka, number: int) -> Pace:
    with Home() as home, _consumer(home, broker, number) as process:
        database = home.state / "scorer" / "scorer.db"
        began = _when(database, EVENTS_A_ROUND * WARM_SHARE, process)
        ended = _when(database, EVENTS_A_ROUND, process)
    events = ended[0] - began[0]
    return Pace(events / (ended[1] - began[1]), (ended[2] - began[2]) / events)


@contextmanager
def _consumer(home: Home, broker: ApacheKafka, number: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "MODEL_DIR": str(MODELS),
        "MODEL_PUBLIC_KEYS": str(KEY.with_suffix(".pub")),
        "RISK_SCORER_PROFILE": "demo",
        "RISK_SCORER_STATE": str(home.state / "scorer"),
        "RISK_SCORER_GEO_CACHE": str(ROOT / "var" / "benchmarks" / "geo"),
        "RISK_SCORER_LOG_LEVEL": "error",
        "IP_OVERLAY": str(ROOT / "demo" / "networks.toml"),
        "RISK_SCORER_PORT": str(free_port()),
        "KAFKA_BROKER": broker.address,
        "KAFKA_GROUP": f"round-{number}",
    }
    process = subprocess.Popen(SERVE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    _pin(process.pid, 0)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _when(database: Path, events: float, process: subprocess.Popen[bytes]) -> tuple[int, float, float]:
    """How many are kept once it is so many, the moment, and the core that the process has used by then."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        if database.exists() and (kept := _kept(database)) >= events:
            return kept, time.monotonic(), cpu_seconds(process.pid)
        assert process.poll() is None
        time.sleep(0.05)
    raise TimeoutError("the consumer does not get on")


def _kept(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT COALESCE(SUM(events), 0) FROM scored_events").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are being made
            return 0


def _bare(broker: ApacheKafka) -> Pace:
    command = ["taskset", "-c", "0", *BARE, broker.address, EVENTS, str(EVENTS_A_ROUND)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return msgspec.json.decode(printed, type=Pace)


def _pin(pid: int, core: int) -> None:
    os.sched_setaffinity(pid, {core % (os.cpu_count() or 1)})
