"""The console as a whole: its desk, and the views of every module here that has `views(parts)`.

A new view is a module of this package with that function, and nothing else to edit: modules are found by name, and the
menu orders them (`api/console/views.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from fastapi import FastAPI

from risk_scorer import console
from risk_scorer.acting import Acting
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.api.access import Access
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.entrance import Entrance, add_entrance, cookie_scope
from risk_scorer.api.console.serving import add_views
from risk_scorer.api.console.views import View
from risk_scorer.api.live import LiveFeed
from risk_scorer.assembly import Scorer
from risk_scorer.console.parts import Parts
from risk_scorer.flows.narrate import Narrate


@dataclass(frozen=True, kw_only=True)
class Console:
    """Everything that people may open."""

    desk: Desk
    entrance: Entrance
    views: tuple[View, ...]


def console_of(scorer: Scorer, *, acting: Acting, access: Access, feed: LiveFeed, narrate: Narrate) -> Console:
    """The console of this scorer; nothing is asked yet."""
    views: list[View] = []
    scope = cookie_scope(scorer.settings.public_url)
    desk = Desk(
        access=access,
        acts=ActRows(scorer.database, clock=scorer.clock),
        clock=scorer.clock,
        randomness=scorer.randomness,
        views=views,
        cookie_scope=scope,
        facts=lambda: {"scorer_model": scorer.model_version(), "credits": scorer.lookups.credits},
    )
    parts = Parts(
        scorer=scorer, acting=acting, access=access, feed=feed, narrate=narrate, desk=desk, cookie_scope=scope
    )
    views.extend(_found(parts))
    entrance = Entrance(operators=scorer.operators, cookie_scope=scope, contact=scorer.settings.console_contact)
    return Console(desk=desk, entrance=entrance, views=tuple(views))


def add_console(app: FastAPI, built: Console) -> None:
    """Put everything under its path."""
    add_entrance(app, built.entrance)
    add_views(app, built.desk, built.views)
    app.state.console = built


def _found(parts: Parts) -> Iterator[View]:
    for module in sorted(each.name for each in iter_modules(console.__path__)):
        joins = getattr(import_module(f"{console.__name__}.{module}"), "views", None)
        if joins is not None:
            yield from joins(parts)
