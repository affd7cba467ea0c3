"""Arrows between rooms point one way: what each package may import is stated here and nowhere else."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"auth_gateway", "benchmarks", "demo", "plumbing", "risk_scorer", "training", "webhooks"}

MAY_IMPORT = {
    "plumbing": set(),
    "webhooks": {"plumbing"},
    "risk_scorer": {"plumbing", "webhooks"},
    "training": {"plumbing", "risk_scorer"},
    "auth_gateway": {"plumbing", "webhooks", "risk_scorer.contract"},
    "demo": set(),
}
INSIDE_A_SERVICE = {
    "core": {"core"},
    "flows": {"core", "flows"},
    "adapters": {
        "core",
        "adapters",
        "flows.ports",
        "flows.provider.ports",
        "flows.activity.ports",
        "flows.activity.campaign_ports",
        "flows.console.ports",
    },
    "api": {"core", "flows", "api"},
}
# The serving path answers in microseconds and starts in a second; these cost seconds or run code from a file.
HEAVY = {
    "sklearn",
    "pandas",
    "joblib",
    "pickle",
    "cloudpickle",
    "scipy",
    "ibis",
    "duckdb",
    "pyarrow",
    "dill",
    "shelve",
    "marshal",
}
FRAMEWORKS = {
    "fastapi",
    "starlette",
    "sqlalchemy",
    "sqlmodel",
    "httpx2",
    "uvicorn",
    "typer",
    "rich",
    "alembic",
    "pydantic_settings",
}
OPERATING_SYSTEM = {
    "os",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "asyncio",
    "pathlib",
    "secrets",
    "random",
    "time",
}


def modules(package: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def imported(path: Path) -> tuple[str, ...]:
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which room is entered"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_room_enters_only_the_rooms_below_it(package: str) -> None:
    """A package imports itself and what stands under it, nothing else of ours."""
    allowed = MAY_IMPORT[package]
    wrong = [
        f"{module} imports {name}"
        for path, module in modules(package)
        for name in imported(path)
        if top(name) in OURS - {package}
        and not any(name == room or name.startswith(f"{room}.") for room in allowed)
        # `from risk_scorer import contract` reads as two names; the longer one is the one judged
        and not any(room.startswith(f"{name}.") for room in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("service", ["auth_gateway", "risk_scorer"])
@pytest.mark.parametrize("room", sorted(INSIDE_A_SERVICE))
def test_inside_a_service_arrows_point_towards_the_core(service: str, room: str) -> None:
    """cli → app → api → flows → core, and app → adapters → core."""
    allowed = INSIDE_A_SERVICE[room] | ({"contract"} if service == "risk_scorer" else set())
    wrong = [
        f"{module} imports {name}"
        for path, module in modules(f"{service}/{room}")
        for name in imported(path)
        if name.startswith(f"{service}.")
        and not any((name + ".").startswith(f"{service}.{entry}.") for entry in allowed)
        and not any(f"{service}.{entry}".startswith(name + ".") for entry in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("service", ["auth_gateway", "risk_scorer"])
def test_the_core_touches_no_framework_and_no_operating_system(service: str) -> None:
    """A pure core takes values and returns values."""
    wrong = [
        f"{module} imports {name}"
        for path, module in modules(f"{service}/core")
        for name in imported(path)
        if top(name) in FRAMEWORKS | OPERATING_SYSTEM | {"plumbing", "webhooks"} - {"plumbing.refusals"}
        and not name.startswith("plumbing.refusals")
    ]
    assert wrong == []


def test_the_contract_needs_nothing_but_its_decoder() -> None:
    """Whoever speaks to the scorer imports the contract and msgspec, and nothing comes along."""
    wrong = [
        f"{module} imports {name}"
        for path, module in modules("risk_scorer/contract")
        for name in imported(path)
        if (top(name) in OURS and not name.startswith("risk_scorer.contract"))
        or top(name) in FRAMEWORKS | HEAVY | {"numpy", "numba"}
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["auth_gateway", "plumbing", "risk_scorer", "webhooks"])
def test_the_serving_path_imports_no_training_library_and_unpickles_nothing(package: str) -> None:
    """scikit-learn, pandas and pickle live in training alone."""
    wrong = [
        f"{module} imports {name}" for path, module in modules(package) for name in imported(path) if top(name) in HEAVY
    ]
    assert wrong == []
