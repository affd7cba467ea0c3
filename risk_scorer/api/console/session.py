"""How this session looks: whether addresses are veiled, and light or dark."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.access import OPERATOR_COOKIE
from risk_scorer.api.console.desk import THEME_COOKIE, THEMES, Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.way_back import way_back
from risk_scorer.flows.console.ports import Consoles

THEME_SECONDS = 365 * 86_400


class SessionForms:
    """The switches in the frame of every page."""

    def __init__(self, *, desk: Desk, consoles: Consoles, cookie_scope: dict[str, Any]) -> None:
        self._desk = desk
        self._consoles = consoles
        self._cookie_scope = cookie_scope

    async def mask(self, request: Request) -> Response:
        """Veil addresses in this session, or show them."""
        form = await self._desk.form(request)
        await self._consoles.veil(request.cookies[OPERATOR_COOKIE], is_on=form.one("mask") == "1")
        return self._desk.back(way_back(form.one("back")))

    async def theme(self, request: Request) -> Response:
        """Light, dark, or as the machine says."""
        form = await self._desk.form(request)
        answer, chosen = self._desk.back(way_back(form.one("back"))), form.one("theme")
        if chosen in THEMES:
            answer.set_cookie(THEME_COOKIE, chosen, max_age=THEME_SECONDS, **self._cookie_scope)
        else:
            answer.delete_cookie(THEME_COOKIE, **self._cookie_scope)
        return answer

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(name="mask", path="/dashboard/mask", title="Veil addresses", endpoint=self.mask, kind="act"),
            View(name="theme", path="/dashboard/theme", title="Light or dark", endpoint=self.theme, kind="act"),
        )
