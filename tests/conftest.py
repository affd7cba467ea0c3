"""Shared by all tests: where things are, and what a skipped test means."""

import gc
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import postgresql, redis_server
from tests.house import RunningHouse, running_house
from tests.trained import trained_once

ROOT = Path(__file__).resolve().parents[1]

# Hundreds of tests start a process: each would compile all modules again, for half a second and more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

AT_HOME = {
    "tests/browser/test_dashboard.py",
    "tests/contract/test_hostile_requests.py",
    "tests/node/test_independent_judges.py",
    "tests/stories/gateway/test_real_scorer.py",
    "tests/stories/test_monotone_signals.py",
    "tests/stories/test_sample_requests.py",
}
"""The files whose tests ask for `house`."""

# Plain `scripts/test` needs pip alone; the pages are driven where --browser has installed what that takes.
collect_ignore = [] if find_spec("playwright") else ["browser"]

# A model of a few thousand rows is fitted by one thread: more of them spin while they wait for each other, which takes
# three times the work where other tests want the same processors. Read when the libraries are loaded; children inherit.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nothing that collecting makes is garbage; looking for some among it took a quarter of a run.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="full counts instead of the reduced ones")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long runs where the full counts do. Where several processes share the files, those with the fewest
    tests come first: each of these takes long, and none of them may be what the others wait for in the end."""
    if not config.getoption("--long"):
        late = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in set(late)]
    if hasattr(config, "workerinput"):
        sizes = Counter(item.path for item in items)
        items.sort(key=lambda item: sizes[item.path])


class ByFile(LoadFileScheduling):  # type: ignore[misc] # it has no types
    """A file's tests run in one process, and those that ask for a whole house in the same, so that one is started."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "house" if file in AT_HOME else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Who runs what, where files are shared out."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """From here on garbage is looked for, among what the tests make alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether the full counts were asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def rounds(is_long: bool) -> int:
    """How often a race is run."""
    return 200 if is_long else 8


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[postgresql.Server]:
    """One PostgreSQL server for the whole run."""
    if not postgresql.is_installed():
        pytest.skip("no PostgreSQL server is installed")
    with postgresql.running_server() as server:
        engines = request.config.__dict__.setdefault("riskgate_engines", [])
        engines.append(f"PostgreSQL {server.version}")
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: postgresql.Server) -> Iterator[str]:
    """A new, empty database on it."""
    url = postgresql_server.new_database()
    yield url
    postgresql_server.drop_database(url)


@pytest.fixture(scope="session")
def redis_of_the_run(request: pytest.FixtureRequest) -> Iterator[redis_server.Server]:
    """One Redis server for all tests of this process."""
    if redis_server.server_program() is None:
        pytest.skip("no Redis server is installed")
    with redis_server.running_server() as server:
        engines = request.config.__dict__.setdefault("riskgate_engines", [])
        engines.append(server.version)
        yield server


@pytest.fixture
def redis(redis_of_the_run: redis_server.Server) -> redis_server.Server:
    """That server, up and empty."""
    redis_of_the_run.make_well()
    return redis_of_the_run


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database on each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/storage.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """In CI a skipped test is a failure: it would otherwise hide a missing engine."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["engines"] = session.config.__dict__.get("riskgate_engines", [])
    yield


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What took part in a process of its own is named with the rest."""
    engines = node.config.__dict__.setdefault("riskgate_engines", [])
    engines += [engine for engine in getattr(node, "workeroutput", {}).get("engines", []) if engine not in engines]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The closing lines name each engine that took part, with its version."""
    import platform
    import sqlite3
    from importlib.metadata import version

    import numba
    import numpy

    engines = [
        f"CPython {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        f"uvicorn {version('uvicorn')}",
        f"numpy {numpy.__version__}",
        f"numba {numba.__version__}",
        f"DuckDB {version('duckdb')}",
        f"scikit-learn {version('scikit-learn')}",
        *getattr(terminalreporter.config, "riskgate_engines", []),
    ]
    terminalreporter.write_line("engines: " + ", ".join(engines))


@pytest.fixture(scope="session")
def trained_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory trained by our command line on the bundled sample, once a run; each process has a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained-once"
    if "RISKGATE_TRAINED" in os.environ:  # scripts/test trains it while it installs what tests need
        shared = Path(os.environ["RISKGATE_TRAINED"])
    return shutil.copytree(trained_once(shared), base / "trained") / "models"


@pytest.fixture(scope="session")
def house(trained_models: Path) -> Iterator[RunningHouse]:
    """Both services up for the whole run, as the demo starts them."""
    with running_house(trained_models.parent / "demo", trained_models) as running:
        yield running
