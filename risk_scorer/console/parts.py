"""What the console's views are made of. A view's own module takes from it what it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from risk_scorer.acting import Acting
from risk_scorer.api.access import Access
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.live import LiveFeed
from risk_scorer.assembly import Scorer
from risk_scorer.flows.activity.views import Views
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.narrate import Narrate


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One running scorer, and the desk for its views."""

    scorer: Scorer
    acting: Acting
    access: Access
    feed: LiveFeed
    narrate: Narrate
    abuse: Views
    desk: Desk
    gateway: Gateway
    cookie_scope: dict[str, Any]
    early: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What a process reads before anybody asks, because it takes longer than a page may."""
