"""A real Apache Kafka broker in KRaft mode, on this machine alone, for as long as a test needs it."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.integration.risk_scorer.brokers import client
from tests.ports import free_port

JARS = Path(__file__).resolve().parents[2] / "var" / "kafka" / "lib"
START_SECONDS = 90.0
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={place}/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def version() -> str | None:
    """The version that is installed under var/, None where there is none."""
    found = [re.fullmatch(r"kafka-server-(\d[\d.]*)\.jar", file.name) for file in JARS.glob("kafka-server-*.jar")]
    return next((match[1] for match in found if match), None)


@dataclass
class ApacheKafka:
    """One broker's place on disk, and its process while it runs; the port stays the same across restarts."""

    place: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.place / "server.properties"

    def prepare(self) -> None:
        """Write the configuration and the storage's own marks."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.config.write_text(PROPERTIES.format(port=self.port, controller=free_port(), place=self.place))
        given = ["format", "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config", str(self.config)]
        subprocess.run(self._java("kafka.tools.StorageTool", *given), check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        """Serve; returns when a client is answered."""
        with (self.place / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._java("kafka.Kafka", str(self.config)), stdout=log, stderr=subprocess.STDOUT
            )
        ends = time.monotonic() + START_SECONDS
        admin = AdminClient(client(self.address))
        while time.monotonic() < ends:
            assert self.process.poll() is None, (self.place / "broker.log").read_text()[-3000:]
            with suppress(KafkaException):
                admin.list_topics(timeout=2.0)
                return
        raise TimeoutError((self.place / "broker.log").read_text()[-3000:])

    def stop(self, number: int = signal.SIGKILL) -> None:
        """End the process, by default as a power cut would."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def _java(self, program: str, *given: str) -> list[str]:
        return ["java", "-Xmx768m", "-XX:+UseSerialGC", "-cp", f"{JARS}/*", program, *given]


@contextmanager
def apache_kafka(place: Path) -> Iterator[ApacheKafka]:
    """A broker that is certainly gone afterwards."""
    broker = ApacheKafka(place)
    broker.prepare()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
