"""Nothing stands in the vocabulary that nobody writes, and nothing is told that is not in it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from auth_gateway.core.audit import Kind
from auth_gateway.core.vocabulary import EventType, told_kinds, type_of

PACKAGE = Path(__file__).resolve().parents[2] / "auth_gateway"
READERS = ("core", "adapters/storage")
"""Where kinds of lines are sorted and looked up, and none is written."""
MADE_OF_OTHERS = {"device.new", "login.high_risk", "webhook.test"}
"""Events without a line of their own kind: two are told beside another one, and one is sent at once."""


def texts_of_writers() -> Iterator[str]:
    """Every text that stands in code that may write lines."""
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).as_posix().startswith(READERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_kind_of_line_is_named_where_lines_are_written() -> None:
    """A kind that only tables know promises what never comes."""
    assert set(get_args(Kind)) - set(texts_of_writers()) == set()


def test_every_event_comes_of_a_line() -> None:
    """Or is one of the few that are made of others."""
    told = {type_of(kind) for kind in told_kinds()}
    assert told.isdisjoint(MADE_OF_OTHERS)
    assert told | MADE_OF_OTHERS == set(get_args(EventType))
