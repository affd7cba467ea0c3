"""Tables of who may come through which door: one line a door, `METHOD /path   word, word`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

EVERYBODY = "everybody"


@dataclass(frozen=True)
class Door:
    """One method at one address, as the application has it (`/views/{name}`), and the words of those who may."""

    method: str
    path: str
    words: frozenset[str]

    def at(self, examples: dict[str, str]) -> str:
        """Its address with something in the place of each parameter."""
        return re.sub(r"{(\w+)}", lambda name: examples.get(name[1], "unknown-1"), self.path)


def doors(table: str) -> tuple[Door, ...]:
    """What the table says; no door stands in it twice."""
    found = tuple(_door(line) for line in table.strip().splitlines() if line.strip())
    assert len({(door.method, door.path) for door in found}) == len(found)
    return found


def served(app: Any) -> set[tuple[str, str]]:
    """Every method and path that the application takes, documented or not; HEAD comes with its GET."""
    return {(method, path) for path, methods in _routes(app.routes) for method in methods if method != "HEAD"}


def documented(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Every operation of an OpenAPI document."""
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def assert_complete(table: Iterable[Door], there: set[tuple[str, str]]) -> None:
    """The table names every door that there is, and none that there is not."""
    named = {(door.method, door.path) for door in table}
    assert sorted(there - named) == [], "the table does not say who may"
    assert sorted(named - there) == [], "the table names what is not there"


def _door(line: str) -> Door:
    method, path, words = line.split(None, 2)
    return Door(method, path, frozenset(word.strip() for word in words.split(",")))


def _routes(routes: Iterable[Any]) -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        methods = getattr(route, "methods", None)
        yield re.sub(r":\w+}", "}", route.path), {"GET"} if methods is None else set(methods)
