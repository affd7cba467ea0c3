"""The machine: libraries and engines, room on the disks, memory."""

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from training.doctor.finding import Finding

LIBRARIES = ("duckdb", "ibis-framework", "numba", "numpy", "pyarrow", "scikit-learn")
LEAST_FREE_BYTES = 1 << 30
"""Room for a model and its draft: `risk_scorer` takes models of at most twice that."""
LEAST_MEMORY_BYTES = 1 << 30
"""What training on 20,000 logins takes, and DuckDB's bound on top of it."""
MEMORY = Path("/proc/meminfo")


def libraries() -> Iterator[Finding]:
    """Python's version, and that of each library which a model depends on."""
    found, missing = [f"Python {platform.python_version()}"], []
    for name in ("riskgate", *LIBRARIES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Finding("good", "versions", ", ".join(found))
    if missing:
        yield Finding(
            "problem", "library_missing", f"not installed: {', '.join(missing)}", "pip install 'riskgate[training]'"
        )


def engines() -> Iterator[Finding]:
    """Whether DuckDB counts, and whether Spark could."""
    try:
        import duckdb

        with duckdb.connect() as engine:
            engine.execute("SELECT sum(range) FROM range(1000)").fetchall()
        yield Finding("good", "engine_duckdb", "DuckDB answers")
    except Exception as fault:  # whatever keeps a library from loading or answering
        yield Finding("problem", "engine_failed", f"DuckDB does not answer: {fault}", "reinstall riskgate[training]")
    try:
        spark = f"PySpark {version('pyspark')}"
    except PackageNotFoundError:
        yield Finding("good", "spark_absent", "PySpark is not installed: only --engine spark needs it")
        return
    if shutil.which("java") is None:
        yield Finding("note", "java_missing", f"{spark}, and no Java on the path", "install Java 17, or use sc://…")
    else:
        yield Finding("good", "engine_spark", f"{spark}, and Java is there")


def communities() -> Iterator[Finding]:
    """Whether campaigns could be looked for from here."""
    try:
        import graspologic_native

        graspologic_native.leiden_csr  # noqa: B018 - what is called of it
        yield Finding("good", "campaign_library", f"graspologic-native {version('graspologic-native')}")
    except (ImportError, AttributeError, PackageNotFoundError):
        seen = "graspologic-native is not installed: `risk-scorer campaigns run` does not work from here"
        yield Finding("note", "campaign_library_missing", seen, "pip install 'riskgate[campaigns]', where it is to run")


def room(*places: Path) -> Iterator[Finding]:
    """How much is free on the disks where something will be written; each disk once."""
    disks: dict[int, Path] = {}
    for place in places:
        standing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
        disks.setdefault(standing.stat().st_dev, standing)
    for standing in disks.values():
        free = shutil.disk_usage(standing).free
        seen = f"{free / 2**30:,.1f} GiB are free at {standing}"
        if free < LEAST_FREE_BYTES:
            yield Finding("problem", "disk_low", seen, f"make room: {LEAST_FREE_BYTES >> 30} GiB are wanted")
        else:
            yield Finding("good", "disk", seen)


def memory() -> Iterator[Finding]:
    """How much memory can be had, where the system says so."""
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return
    seen = f"{free / 2**30:,.1f} GiB of memory can be had"
    if free < LEAST_MEMORY_BYTES:
        yield Finding("note", "memory_low", seen, "train where there is more, or on fewer rows")
    else:
        yield Finding("good", "memory", seen)
