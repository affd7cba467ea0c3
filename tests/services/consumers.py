"""Several `risk-scorer consume` processes on one state."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.risk_scorer.published import publish_model
from tests.services.state import State
from tests.stories.scorer_process import COMMAND, PATIENCE_SECONDS, Scorer

FAST = "session.timeout.ms=6000\nheartbeat.interval.ms=1000\nreconnect.backoff.max.ms=1000\n"


class Consumers:
    """Processes that share a state; each can be killed and started again."""

    def __init__(self, place: Path, broker: str, state: State) -> None:
        publish_model(place / "models")
        (place / "kafka.properties").write_text(FAST)
        self.place = place
        changes = {"KAFKA_BROKER": broker, "KAFKA_CONFIG": str(place / "kafka.properties"), **state.settings}
        self._scorer = Scorer(place, changes=changes)
        self.processes: list[subprocess.Popen[str]] = []

    @property
    def log(self) -> str:
        return (self.place / "consumers.log").read_text()

    def start(self) -> subprocess.Popen[str]:
        """One more; returns when it has begun."""
        with (self.place / "consumers.log").open("a") as log:
            process = subprocess.Popen(
                [*COMMAND, "consume"],
                env=self._scorer.environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("risk-scorer: consuming"), self.log[-3000:]
        return process

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGKILL) -> int:
        """End one; its exit status."""
        process.send_signal(number)
        status = process.wait(PATIENCE_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
        self.processes.remove(process)
        return status


@contextmanager
def consumers(place: Path, broker: str, state: State) -> Iterator[Consumers]:
    """Consumers that are certainly gone afterwards."""
    found = Consumers(place, broker, state)
    try:
        yield found
    finally:
        for process in list(found.processes):
            found.stop(process)
