"""Asking a view: its parameters are read, the store is asked beside the event loop, and few may ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.abuse.view import BadParameter, Value, View, asked

AT_ONCE: Final = 2
"""A view may read the whole store, and both cores of a small machine would be its own."""


class Answers(Protocol):
    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows of this view. Raises: Refused."""
        ...


class Views:
    """The named questions, and their answers."""

    def __init__(self, views: Sequence[View], answers: Answers, *, clock: Clock) -> None:
        self.listed: Final = tuple(views)
        self._by_name = {view.name: view for view in views}
        self._answers = answers
        self._clock = clock
        self._asking = asyncio.Semaphore(AT_ONCE)

    def view(self, name: str) -> View:
        """The view of that name. Raises: Refused `unknown_view` (404)."""
        view = self._by_name.get(name)
        if view is None:
            raise Refused("unknown_view", "There is no view of this name; GET /views lists them.", status=404)
        return view

    def values(self, name: str, given: Mapping[str, str]) -> dict[str, Value]:
        """What would be asked: the usual values for what is not given. Raises: Refused, as `ask` does."""
        try:
            return asked(self.view(name), given, now=self._clock.now())
        except BadParameter as bad:
            raise Refused("invalid_request", bad.message, status=422, evidence={"field": f"query.{bad.name}"}) from None

    async def ask(self, name: str, given: Mapping[str, str]) -> tuple[dict[str, Value], list[dict[str, Any]]]:
        """What was asked, and the rows.

        Raises: Refused `unknown_view` (404), `invalid_request` (422), `busy` (429), and what the storage refuses.
        """
        values = self.values(name, given)
        if self._asking.locked():
            raise Refused("busy", "Other views are being read.", status=429, headers={"Retry-After": "1"})
        async with self._asking:
            return values, await self._answers.ask(name, values)
