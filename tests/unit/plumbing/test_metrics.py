"""Metrics as Prometheus reads them: per application, bounded, and added up over processes that share a directory."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parsed

from plumbing.metrics import OTHER, Meters


def samples(meters: Meters) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    families = parsed(meters.exposition().decode())
    return {(each.name, tuple(each.labels.values())): each.value for family in families for each in family.samples}


def test_two_applications_in_one_process_never_add_up() -> None:
    """Each has a registry of its own, and the process's own figures are in both."""
    one, other = Meters(), Meters()
    one.counter("riskgate_things_total", "Things.", ["kind"])("good").inc()
    other.counter("riskgate_things_total", "Things.", ["kind"])("good").inc(5)
    assert samples(one)["riskgate_things_total", ("good",)] == 1
    assert samples(other)["riskgate_things_total", ("good",)] == 5
    assert samples(one)["process_open_fds", ()] > 0


def test_a_metric_never_grows_without_end() -> None:
    """Past its bound every further value of a label is one and the same."""
    meters = Meters()
    things = meters.counter("riskgate_things_total", "Things.", ["kind"], most=3)
    for number in range(10):
        things(str(number)).inc()
    told = {key: value for key, value in samples(meters).items() if key[0] == "riskgate_things_total"}
    assert len(told) == 4
    assert told["riskgate_things_total", (OTHER,)] == 7


def test_what_is_looked_at_is_told_as_it_is_now() -> None:
    """A version that is gone leaves nothing behind; a total is a counter."""
    meters, version = Meters(), ["one"]
    meters.look("riskgate_model_info", "Model.", ["version"], lambda: [((version[0],), 1.0)])
    meters.look("riskgate_dropped_total", "Dropped.", [], lambda: [((), 3.0)])
    assert samples(meters)["riskgate_model_info", ("one",)] == 1
    version[0] = "two"
    told = samples(meters)
    assert ("riskgate_model_info", ("one",)) not in told
    assert told["riskgate_model_info", ("two",)] == 1
    assert b"# TYPE riskgate_dropped_total counter" in meters.exposition()


ONE_OF_MANY = """
from plumbing.metrics import Meters
meters = Meters(is_one_of_many=True)
meters.counter("riskgate_things_total", "Things.", ["kind"])("good").inc()
print(meters.exposition().decode())
"""


def test_of_several_processes_each_answers_for_all(tmp_path: Path, root: Path) -> None:
    """With a directory in common the counts add up, and no process's own figures are given out as everybody's."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    for expected in (1.0, 2.0):
        ran = subprocess.run(
            [sys.executable, "-c", ONE_OF_MANY], capture_output=True, text=True, check=True, env=environment, cwd=root
        )
        assert f'riskgate_things_total{{kind="good"}} {expected}' in ran.stdout
        assert "process_" not in ran.stdout
