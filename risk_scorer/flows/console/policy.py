"""The gateway's policy, as people at the console read, try and change it. Everything raises Refused, as there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from plumbing.clock import Clock
from risk_scorer.core.console.moments import iso
from risk_scorer.core.console.policy import Difference, Draft, History, Policy, Trial, VersionText
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.console.rule_counts import CountedRules, RuleCounts

TRIAL_SECONDS: Final = 15.0
"""The gateway gives a trial up after eight; beside it logins are answered."""
SHOWN_VERSIONS: Final = 10


class PolicyBook(Struct, frozen=True, kw_only=True):
    """What a page shows: the policy, what each rule did, and who saved what. `counted` is None while that is counted
    for the first time."""

    policy: Policy
    counted: RuleCounts | None
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAtGateway:
    """The policy of one gateway."""

    gateway: Gateway
    rules: CountedRules
    clock: Clock

    async def book(self, before: int | None = None) -> PolicyBook:
        """What there is now; `before` pages in the history."""
        query: dict[str, str | int] = {"limit": SHOWN_VERSIONS, **({} if before is None else {"cursor": before})}
        policy, counted, history = await asyncio.gather(
            self.gateway.ask("GET", "/policy", Policy),
            self.rules.of_late(),
            self.gateway.ask("GET", "/policy/history", History, query=query),
        )
        return PolicyBook(policy=policy, counted=counted, history=history)

    async def draft(self, document: str, edits: Mapping[str, object]) -> Draft:
        """The text with these edits, and how it differs from what is in force."""
        return await self.gateway.ask("POST", "/policy/check", Draft, body={"document": document, "edits": edits})

    async def tried(self, document: str, span_seconds: float) -> Trial:
        """What it would have decided of the last so many seconds."""
        now = self.clock.now()
        body = {"document": document, "from": iso(now - span_seconds), "to": iso(now)}
        return await self.gateway.ask("POST", "/policy/backtest", Trial, body=body, seconds=TRIAL_SECONDS)

    async def save(self, document: str, *, version: int, by: str, why: str) -> Policy:
        """From now on this one, unless somebody saved another since that version."""
        body = {"document": document, "by": by, "why": why}
        return await self.gateway.ask("PUT", "/policy", Policy, body=body, headers=_seen(version))

    async def restore(self, number: int, *, version: int, by: str, why: str) -> Policy:
        """That version's text again."""
        body = {"version": number, "by": by, "why": why}
        return await self.gateway.ask("POST", "/policy/restore", Policy, body=body, headers=_seen(version))

    async def version(self, number: int) -> tuple[VersionText, Difference, Difference, Policy]:
        """A version, how it differs from the one before it and from the one in force, and that one."""
        policy = await self.gateway.ask("GET", "/policy", Policy)
        text, earlier, later = await asyncio.gather(
            self.gateway.ask("GET", f"/policy/history/{number}", VersionText),
            self.gateway.ask("GET", "/policy/diff", Difference, query={"from": max(0, number - 1), "to": number}),
            self.gateway.ask("GET", "/policy/diff", Difference, query={"from": policy.version, "to": number}),
        )
        return text, earlier, later, policy


def _seen(version: int) -> dict[str, str]:
    return {"if-match": f'"{version}"'}
