"""Training on Spark: what it reads and adds up is what DuckDB reads and adds up, and its faults are one line."""

import contextlib
import dataclasses
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pytest
from pyarrow import csv, parquet

from tests.services.hostile_logs import csv_bytes, json_bytes, rows, typed_table
from training.aggregates import ATTRIBUTES, frequencies, place_sums
from training.engines import DuckDB
from training.refusals import EngineError, WrongInputError
from training.sources import EventTable, events_of, read_events
from training.spark import told_plainly

if TYPE_CHECKING:
    from training.spark import Spark

ROOT = Path(__file__).resolve().parents[2]
RBA = ROOT.parent / "shared" / "rba" / "simulated_logins_dev.parquet"
# PySpark leaves sockets to the collector and asks pandas for what will be deprecated.
pytestmark = [pytest.mark.services, pytest.mark.filterwarnings("ignore")]


def assert_same(found: EventTable, expected: EventTable) -> None:
    for field in dataclasses.fields(EventTable):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(other, np.ndarray):
            assert np.array_equal(one, other, equal_nan=other.dtype != object), field.name
        else:
            assert one == other, field.name


def train(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from training.cli import main; main()", "train", *map(str, arguments)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=550)


def models_of_both(folder: Path, log: Path) -> tuple[dict[str, bytes], dict[str, bytes], list[dict[str, Any]]]:
    """The files of a model that each engine trained with one key, and what each said."""
    told, models = [], []
    for engine, more in (("duckdb", ()), ("spark", ("--master", "local[2]"))):
        model_dir = folder / engine
        given = ("--input", log, "--model_dir", model_dir, "--key", folder / "key", "--json")
        result = train(*given, "--engine", engine, *more)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        told.append(json.loads(result.stdout))
        models.append({path.name: path.read_bytes() for path in model_dir.iterdir()})
    return models[0], models[1], told


def test_both_engines_train_the_same_model(tmp_path: Path) -> None:
    """To the byte, signature included, so it scores the same; Java's log is on neither stream."""
    log = tmp_path / "log.csv"
    lines = (ROOT / "data" / "sample_logins.csv").read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:6001]))
    one, other, told = models_of_both(tmp_path, log)
    assert {"encoders.json", "user_geo.json", "histories.msgpack"} <= set(one)
    assert one == other
    assert [facts.pop("engine").split()[0] for facts in told] == ["DuckDB", "Spark"]
    assert [facts.pop("model_dir") for facts in told] != []
    assert told[0] == told[1]


@pytest.mark.long
@pytest.mark.parametrize("log", [ROOT / "data" / "sample_logins.csv", RBA], ids=["sample", "rba"])
def test_both_engines_train_the_same_model_on_a_whole_log(tmp_path: Path, log: Path) -> None:
    """The bundled sample, and the data set in the RBA schema where it lies beside the checkout."""
    if not log.exists():
        pytest.skip(f"{log.name} is not beside the checkout")
    one, other, _ = models_of_both(tmp_path, log)
    assert one == other


WRITERS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    "log.csv": partial(csv_bytes, delimiter=","),
    "log.tsv": partial(csv_bytes, delimiter="\t"),
    "log.jsonl": partial(json_bytes, is_array=False),
    "log.json": partial(json_bytes, is_array=True),
}


@pytest.mark.parametrize("name", WRITERS)
def test_hostile_rows_are_read_alike(spark: "Spark", tmp_path: Path, name: str, is_long: bool) -> None:
    """Bad dates, every spelling of a moment, quotes, line breaks, other scripts, bad bytes, short and long records."""
    for seed in range(20 if is_long else 1):
        path = tmp_path / name
        path.write_bytes(WRITERS[name](rows(random.Random(seed), 400)))
        assert_same(events_of(spark.open_log(str(path))), read_events(path))


def test_typed_columns_are_read_alike(spark: "Spark", tmp_path: Path, is_long: bool) -> None:
    """Parquet: moments with zone, numbers as ids, NaN and null."""
    for seed in range(20 if is_long else 1):
        path = tmp_path / "log.parquet"
        parquet.write_table(typed_table(random.Random(seed), 400), path, row_group_size=50)
        assert_same(events_of(spark.open_log(str(path))), read_events(path))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_is_read_in_the_order_of_its_names(spark: "Spark", tmp_path: Path, kind: str) -> None:
    """Rows of one moment keep that order, however large each file is."""
    users = [f"u{number}" for number in range(600)]
    whole = pyarrow.table({"timestamp": ["2025-05-01T00:00:00Z"] * 600, "user_id": users, "ip": ["203.0.113.7"] * 600})
    folder = tmp_path / "logins"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for name, start, stop in (("a", 0, 10), ("b", 10, 500), ("c", 500, 600)):
        write = parquet.write_table if kind == "parquet" else csv.write_csv
        write(whole.slice(start, stop - start), folder / f"{name}.{kind}")
    assert events_of(spark.open_log(str(folder))).user_id.tolist() == users


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_large_log_comes_in_pieces(spark: "Spark", tmp_path: Path, kind: str) -> None:
    """In the order of its rows: one partition of them all would not fit into Java's memory."""
    users = [f"u{number}" for number in range(120_000)]
    count = len(users)
    whole = pyarrow.table({"timestamp": ["2025-05-01"] * count, "user_id": users, "ip": ["203.0.113.7"] * count})
    (tmp_path / "log").mkdir()
    cuts = [0, 70_000, 71_000, count] if kind == "folder" else [0, count]
    for place, (start, stop) in enumerate(itertools.pairwise(cuts)):
        parquet.write_table(whole.slice(start, stop - start), tmp_path / "log" / f"{place}.parquet")
    log: Any = spark.open_log(str(tmp_path / "log" if kind == "folder" else tmp_path / "log" / "0.parquet"))
    assert events_of(log).user_id.tolist() == users
    assert max(len(rows) for rows in log.frame.select("c0").rdd.glom().collect()) < 100_000


def test_a_java_that_dies_in_the_midst_is_said() -> None:
    """What PySpark then raises is the end of a file."""
    with pytest.raises(EngineError, match="engine_failed: Spark's Java has ended"), told_plainly(Path("log")):
        raise EOFError


def test_hostile_logins_add_up_alike(spark: "Spark", is_long: bool) -> None:
    """Values that look alike stay apart; what is no coordinate is no place; each sum differs by a rounding at most."""
    for seed in range(20 if is_long else 1):
        logins = hostile_logins(random.Random(seed), 2000)
        names = [name for name, _ in ATTRIBUTES]
        with contextlib.closing(DuckDB()) as duckdb:
            count = partial(frequencies, attributes=names)
            assert sorted(spark.rows(count, logins)) == sorted(duckdb.rows(count, logins))
            found, expected = sorted(spark.rows(place_sums, logins)), sorted(duckdb.rows(place_sums, logins))
        assert [row[:2] for row in found] == [row[:2] for row in expected]
        for (_, placed, *one), (_, _, *other) in zip(found, expected, strict=True):
            assert all(abs(ours - theirs) <= placed for ours, theirs in zip(one, other, strict=True))


def hostile_logins(chance: random.Random, size: int) -> Any:
    texts = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "é",
        "e\u0301",
        "ß",
        "SS",
        "İ",
        "ı",
        "\U0001f600",
        "null",
        "NaN",
        "'",
        '"',
        "\\",
        "%",
        "\n",
    ]
    texts += [
        "".join(chr(chance.choice((*range(1, 0xD800), *range(0xE000, 0x3000)))) for _ in range(3)) for _ in range(50)
    ]
    edges = [
        None,
        float("nan"),
        float("inf"),
        -float("inf"),
        0.0,
        -0.0,
        90.0,
        -90.0,
        90.0001,
        180.0,
        -180.0,
        180.0001,
        1e300,
    ]
    columns = {name: pyarrow.array(chance.choices(texts, k=size), pyarrow.string()) for name, _ in ATTRIBUTES}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        values = [chance.choice(edges) if chance.random() < 0.3 else chance.uniform(-most, most) for _ in range(size)]
        columns[name] = pyarrow.array(values, pyarrow.float64())
    return pyarrow.table(columns)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", None, "no_such_file"),
        ("empty.csv", b"", "empty_file"),
        ("half.parquet", b"PAR1 and then nothing", "unreadable_file"),
        ("junk.bin", b"\0\1\2" * 50, "unreadable_file"),
        ("other.csv", b"a,b\n1,2\n", "unknown_columns"),
        ("useless.csv", b"timestamp,user_id,ip\nsoon,ann,nowhere\n", "unknown_columns"),
    ],
)
def test_what_is_no_log_is_refused_as_elsewhere(
    spark: "Spark", tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    """With the codes that DuckDB's reading has."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongInputError) as refused:
        events_of(spark.open_log(str(tmp_path / name)))
    assert refused.value.code == code


@pytest.mark.parametrize("source", ["s3a://bucket/logins", "nofs://here/logins"])
def test_a_place_that_the_cluster_cannot_read_is_said_so(spark: "Spark", source: str) -> None:
    """The address goes to Spark as it was given; without the file system's classes there, nothing is fetched for it."""
    with pytest.raises(WrongInputError, match="unreadable_file: Spark cannot read"), told_plainly(Path("log"), source):
        events_of(spark.open_log(source))


def assert_declined(result: subprocess.CompletedProcess[str], status: int, start: str) -> None:
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith(start), result.stderr
    assert len(result.stderr.splitlines()) == 1


OVER_CONNECT = """
import json, sys
from training.aggregates import place_sums
from training.spark import running_spark
from training.sources import events_of
from tests.services.test_spark import hostile_logins
import random
with running_spark(None, sys.argv[1]) as spark:
    users = events_of(spark.open_log(sys.argv[1])).user_id.tolist()
    found = sorted(spark.rows(place_sums, hostile_logins(random.Random(3), 500)))
    print(json.dumps([spark.name, users, found]))
"""


def test_spark_connect_gives_the_same(spark: "Spark", tmp_path: Path) -> None:
    """SPARK_REMOTE alone names the server; rows and sums come over the wire as they come from a session here."""
    path = tmp_path / "log.csv"
    path.write_bytes(csv_bytes(rows(random.Random(3), 200), delimiter=","))
    environment = {**os.environ, "SPARK_REMOTE": "local[1]", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", OVER_CONNECT, str(path)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=550)
    assert result.returncode == 0, result.stderr
    users, sums = (
        read_events(path).user_id.tolist(),
        sorted(spark.rows(place_sums, hostile_logins(random.Random(3), 500))),
    )
    assert json.loads(result.stdout) == [spark.name, users, [list(row) for row in sums]]


def asked(folder: Path) -> tuple[object, ...]:
    log = ROOT / "data" / "sample_logins.csv"
    return ("--input", log, "--model_dir", folder / "models", "--key", folder / "key", "--engine", "spark")


@pytest.mark.parametrize("master", ["spark://127.0.0.1:9,127.0.0.1:10", "sc://127.0.0.1:9/;token=secret"])
def test_a_cluster_that_is_away_is_said_at_once(tmp_path: Path, master: str) -> None:
    """Not after the minutes that Spark itself tries for; what follows the address is not told."""
    begun = time.monotonic()
    result = train(*asked(tmp_path), "--master", master)
    assert_declined(result, 4, "error cluster_unreachable: nothing answers at ")
    assert "secret" not in result.stderr
    assert time.monotonic() - begun < 60


def test_two_names_for_the_cluster_are_refused(tmp_path: Path) -> None:
    """PySpark would follow SPARK_REMOTE whatever `--master` says."""
    result = train(*asked(tmp_path), "--master", "local[2]", SPARK_REMOTE="sc://127.0.0.1:9")
    assert_declined(result, 2, "error usage: SPARK_REMOTE names another cluster")


def test_the_cluster_is_as_spark_is_set_up(tmp_path: Path) -> None:
    """SPARK_CONF_DIR counts where the command line names no cluster; a name that Spark refuses is one line."""
    (tmp_path / "spark-defaults.conf").write_text("spark.master nowhere-at-all\n")
    result = train(*asked(tmp_path), SPARK_CONF_DIR=str(tmp_path))
    assert_declined(result, 4, "error cluster_unreachable: Spark did not start: ")
    assert "Master must" in result.stderr
    Path(result.stderr.split()[-1]).unlink()


def test_without_java_it_says_so(tmp_path: Path) -> None:
    """The line names what is needed, and where Java's own words are."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "ps", "cat", "tr"):
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    result = train(*asked(tmp_path), "--master", "local[1]", PATH=str(tools), JAVA_HOME="")
    assert_declined(result, 4, "error java_missing: Spark needs Java 17 or newer")
    Path(result.stderr.split()[-1]).unlink()
