"""What a machine can check of the house style, a machine checks."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("auth_gateway", "demo", "plumbing", "risk_scorer", "training", "webhooks")
LONGEST_FILE = 300
LONGEST_FUNCTION = 50
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def tracked() -> list[Path]:
    """Every file of the project, whether the checkout has a history or not."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_file_holds_two_ideas() -> None:
    """Past 300 lines a file is split."""
    assert [str(p) for p in sources() if len(p.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE] == []


def test_no_function_is_longer_than_a_screen() -> None:
    """Past 50 lines a function is split."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert wrong == []


def test_no_module_is_named_after_nothing() -> None:
    """A module is a noun of the field, never a drawer."""
    assert [str(p) for p in sources() if p.stem in VAGUE] == []


def test_every_module_says_what_belongs_in_it() -> None:
    """A module without a docstring has no promise to hold it to."""
    missing = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "migrations/versions" not in path.as_posix()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert missing == []


def test_no_file_names_an_index_host_or_a_path_of_a_machine() -> None:
    """What is committed installs and runs anywhere."""
    secret_places = re.compile(
        r"(?:files\.pythonhosted\.org|"
        + r"pypi\.org/simple|registry\.npm"
        + r"js\.org|/"
        + r"work/(?:main|shared)|/"
        + r"root/)"
    )
    wrong = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.suffix not in {".xz", ".png", ".npy", ".bin"}
        for match in [secret_places.search(path.read_text(encoding="utf-8", errors="ignore"))]
        if match
    ]
    assert wrong == []


def test_the_newcomers_commands_exist_and_can_be_run() -> None:
    """README promises these by name."""
    for name in ("scripts/demo", "scripts/test", "scripts/check", "scripts/bench", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name
