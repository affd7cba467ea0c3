"""Time, chance and the environment enter at one seam each; elsewhere they are arguments."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("auth_gateway", "plumbing", "risk_scorer", "training", "webhooks")

# call → (why, the files that are the seam)
CLOCK = "time is an argument, so that a test can hold it"
CHANCE = "chance is an argument, so that a test can repeat it"
ENVIRONMENT = "settings.py alone reads the environment, so that every knob is in one place"
CODE_FROM_DATA = "data must never become code"
CANCELLED = "in Python 3.11 it swallows a cancellation that comes with what it waits for; asyncio.timeout does not"
BANNED: dict[str, tuple[str, tuple[str, ...]]] = {
    "datetime.now": (CLOCK, ("plumbing/clock.py",)),
    "datetime.utcnow": (CLOCK, ()),
    "datetime.datetime.now": (CLOCK, ("plumbing/clock.py",)),
    "time.time": (CLOCK, ("plumbing/clock.py",)),
    "time.time_ns": (CLOCK, ("plumbing/clock.py",)),
    "time.monotonic": (CLOCK, ("plumbing/clock.py",)),
    "uuid.uuid4": (CHANCE, ("plumbing/randomness.py",)),
    "uuid4": (CHANCE, ("plumbing/randomness.py",)),
    "secrets.token_bytes": (CHANCE, ("plumbing/randomness.py", "plumbing/state.py")),
    "secrets.token_urlsafe": (CHANCE, ("plumbing/randomness.py",)),
    "os.urandom": (CHANCE, ("plumbing/randomness.py", "plumbing/state.py")),
    "random.random": (CHANCE, ()),
    "random.randint": (CHANCE, ()),
    "random.choice": (CHANCE, ()),
    "os.getenv": (ENVIRONMENT, ()),
    "os.environ.get": (ENVIRONMENT, ()),
    "asyncio.wait_for": (CANCELLED, ()),
    "pickle.loads": (CODE_FROM_DATA, ()),
    "pickle.load": (CODE_FROM_DATA, ()),
    "joblib.load": (CODE_FROM_DATA, ()),
    "eval": (CODE_FROM_DATA, ()),
    "exec": (CODE_FROM_DATA, ()),
    "yaml.load": (CODE_FROM_DATA, ()),
}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


Found = tuple[str, ast.Call | ast.Attribute | ast.Compare]


@cache
def found() -> tuple[Found, ...]:
    """Each call, attribute and comparison of ours with the file that it is in."""
    return tuple(
        (path.relative_to(ROOT).as_posix(), node)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call | ast.Attribute | ast.Compare)
    )


def test_banned_calls_stay_in_their_seams() -> None:
    """Each ban names its reason; each seam is a file."""
    wrong = [
        f"{path}:{node.lineno} calls {name}: {BANNED[name][0]}"
        for path, node in found()
        if isinstance(node, ast.Call) and (name := dotted(node.func)) in BANNED and path not in BANNED[name][1]
    ]
    assert wrong == []


def test_the_environment_is_read_by_settings_alone() -> None:
    """No module but a settings.py touches os.environ."""
    wrong = [
        f"{path}:{node.lineno}: {ENVIRONMENT}"
        for path, node in found()
        if isinstance(node, ast.Attribute)
        and node.attr == "environ"
        and dotted(node) == "os.environ"
        and not path.endswith("/settings.py")
    ]
    assert wrong == []


THRESHOLDS = {60, 80}


@pytest.mark.parametrize("package", ["auth_gateway"])
def test_only_policy_compares_a_score_with_a_mark(package: str) -> None:
    """A second comparison somewhere else is a second policy."""
    wrong = [
        f"{path}:{node.lineno}"
        for path, node in found()
        if path.startswith(f"{package}/")
        and path != "auth_gateway/core/policy.py"
        and isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Constant) and side.value in THRESHOLDS for side in [node.left, *node.comparators])
        and any("score" in dotted(side) for side in [node.left, *node.comparators])
    ]
    assert wrong == []
