"""A promise in a table of the documentation names the test that fails without it; here the names are checked."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("docs/security-bcp.md", "docs/conformance.md")
NAMED = re.compile(r"`(tests/[\w./-]+)::(\w+)`")
FILE_ONLY = re.compile(r"`(tests/[\w./-]+\.(?:py|mjs))`")


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file, in classes too; for another language, whatever looks like a name."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if not path.endswith(".py"):
        return frozenset(re.findall(r"\w+", text))
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def rows(path: Path) -> list[str]:
    """The lines of its tables, without heads and rules."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [line for line in lines if not set(line) <= set("|-: ")]


@pytest.mark.parametrize("table", TABLES)
def test_every_named_test_exists(table: str) -> None:
    """A test that was renamed or removed takes its promise with it, and that shows."""
    text = (ROOT / table).read_text(encoding="utf-8")
    named = NAMED.findall(text)
    assert named, f"{table} names no test"
    missing = [
        f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in functions_of(path)
    ]
    missing += [path for path in FILE_ONLY.findall(text) if not (ROOT / path).is_file()]
    assert missing == []


def test_no_module_or_clause_is_named_twice() -> None:
    """A row that was copied and not finished would hide the one that it came from."""
    for table in TABLES:
        firsts = [row.split("|")[1].strip() for row in rows(ROOT / table)]
        named = [first for first in firsts if first not in {"clause", "module"}]
        assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("table", TABLES)
def test_every_promise_names_a_test_or_says_that_it_is_none(table: str) -> None:
    """A row has a test, or says "not offered", "not ours" or "documented" and why."""
    heads = ("| clause", "| module")
    bare = [
        row
        for row in rows(ROOT / table)
        if not row.lower().startswith(heads)
        and not NAMED.search(row)
        and not re.search(r"\b(not offered|not ours|documented)\b", row, re.IGNORECASE)
    ]
    assert bare == []
