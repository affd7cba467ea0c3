"""The table of the console's views: what is where, under which title, and for whom. The menu comes from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.core.console.operator import Role, reaches

Endpoint = Callable[[Request], Awaitable[Response]]
Count = Callable[[], Awaitable[int]]
Kind = Literal["page", "act", "export", "feed"]

ORDER: Final = (
    "overview", "executive", "sign-ins", "users", "sessions", "entities", "campaigns", "incidents", "policy", "model",
    "drift", "deliveries", "lab", "audit",
)  # fmt: skip
"""The menu from top to bottom."""
KEYS: Final = {
    "overview": "o", "executive": "e", "sign-ins": "s", "users": "u", "sessions": "n", "entities": "t",
    "campaigns": "c", "incidents": "i", "policy": "p", "model": "m", "drift": "r", "deliveries": "d", "lab": "l",
    "audit": "a",
}  # fmt: skip
"""The letter after `g` that leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One address of the console. `path` may have parameters in braces; `role` is the weakest that may come.

    A `page` answers GET with a page (or, asked with `?fragment=1`, its main part), an `export` GET with a file, a
    `feed` GET with events; an `act` answers POST by `Desk.act`. `count` stands beside the title in the menu where it is
    not 0.
    """

    name: str
    path: str
    title: str
    endpoint: Endpoint
    role: Role = "reader"
    kind: Kind = "page"
    in_menu: bool = False
    count: Count | None = None

    @property
    def method(self) -> str:
        return "POST" if self.kind == "act" else "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the menu."""

    name: str
    path: str
    title: str
    key: str
    count: int
    is_here: bool


async def menu(
    views: Sequence[View], role: Role | None, path: str, counted: Callable[[View], Awaitable[int]]
) -> list[Entry]:
    """What this person may open, in the order of the menu."""
    shown = [view for view in views if view.in_menu and reaches(role, view.role)]
    shown.sort(key=lambda view: ORDER.index(view.name) if view.name in ORDER else len(ORDER))
    here = max((view.path for view in shown if is_within(path, view.path)), key=len, default="")
    return [
        Entry(
            name=view.name,
            path=view.path,
            title=view.title,
            key=KEYS.get(view.name, ""),
            count=await counted(view),
            is_here=view.path == here,
        )
        for view in shown
    ]


def is_within(path: str, of: str) -> bool:
    """Whether a page is the view's own or below it."""
    return path == of or path.startswith(f"{of}/")
