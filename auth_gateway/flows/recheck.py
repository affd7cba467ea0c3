"""Somebody who was recognised before comes back, with a refresh token or with the code for a challenge: is this still
them? Asks the scorer and policy; what follows is written by the flow that asked.

Fails to "no score" like a login: then the gateway compares with its own eyes, and only what has not changed goes on.
"""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.decision import Deny
from auth_gateway.core.factor import FactorKind, is_phishing_resistant
from auth_gateway.core.origin import (
    Origin,
    as_scored,
    context_digest,
    is_context_unknown,
    is_same_client,
    is_same_context,
)
from auth_gateway.core.policy import CONTEXT_UNKNOWN, Policy, Unchanged, decide_refresh, decide_step_up, level_of
from auth_gateway.core.ruling import Ruling, ruling_on
from auth_gateway.flows.places import Places
from auth_gateway.flows.ports import Scorer
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import EventKind, LoginEvent

# Half of the scorer adapter's connections: however many refresh, logins find the scorer free.
MOST_REFRESHES_SCORED = 32


class RecentRulings(Protocol):
    """The latest ruling of a session for one exact context, for a while. Bounded; forgets the idle first."""

    def recall(self, session_id: str, context: bytes, now: float) -> Ruling | None: ...

    def remember(self, session_id: str, context: bytes, ruling: Ruling, now: float) -> None: ...


class Returning(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes back, from where, and what that is held against; scored under `event_id`.

    `has_key` says that the request has proven to come from the client that began (a DPoP key, a code's verifier).
    """

    event_id: str
    user_id: str
    client: Client
    context: LoginContext
    origin: Origin
    has_key: bool = False

    def event(self, kind: EventKind) -> LoginEvent:
        """The request in the scorer's own words."""
        origin, context = as_scored(self.origin, self.context)
        return login_event(
            context,
            event_id=self.event_id,
            user_id=self.user_id,
            success=True,
            kind=kind,
            session=origin.as_session(context.device_id),
        )

    def unchanged(self, score: RiskScore | None, *, must_show: bool) -> Unchanged:
        """What has stayed as it was; the country is the one that the scorer found."""
        country = score.explain.country if score is not None else ""
        return Unchanged(
            context=is_same_context(self.origin, self.context, must_show=must_show),
            client=is_same_client(self.origin, self.context, country, has_key=self.has_key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """Rules on refreshes and on answered challenges."""

    scorer: Scorer
    policy: Policy
    recent: RecentRulings
    places: Places = field(default_factory=lambda: Places(MOST_REFRESHES_SCORED))

    async def refresh(self, returning: Returning, session_id: str, now: float) -> Ruling:
        """Allow, challenge (a new login) or deny (the session ends).

        A context that was scored for this session a moment ago is not scored again: clients that refresh in a loop or
        in several tabs would only teach the scorer patience.

        Raises: Refused("busy", 503) when as many refreshes as may are being scored.
        """
        if is_context_unknown(returning.origin, returning.context, returning.client):
            return Ruling(decision=CONTEXT_UNKNOWN)
        context = context_digest(returning.context)
        known = self.recent.recall(session_id, context, now)
        if known is not None:
            return known
        with self.places.one():
            score = await self._score(returning, "refresh")
        decision = decide_refresh(score, unchanged=returning.unchanged(score, must_show=True), policy=self.policy)
        ruling = ruling_on(decision, score)
        if score is not None and not isinstance(ruling.decision, Deny):
            self.recent.remember(session_id, context, ruling, now)
        return ruling

    async def step_up(self, returning: Returning, *, shown: FactorKind) -> Ruling:
        """Allow or deny whoever has just shown the right proof for a challenge."""
        if is_context_unknown(returning.origin, returning.context, returning.client):
            return Ruling(decision=CONTEXT_UNKNOWN)
        score = await self._score(returning, "step_up")
        # A challenge lives minutes and a code was shown: without a scorer a client that keeps no cookie still logs in.
        unchanged = returning.unchanged(score, must_show=False)
        decision = decide_step_up(
            score, unchanged=unchanged, policy=self.policy, shown_phishing_resistant=is_phishing_resistant(shown)
        )
        return ruling_on(decision, score)

    async def _score(self, returning: Returning, kind: EventKind) -> RiskScore | None:
        if not returning.context.ip:  # the scorer takes no event without an address
            return None
        score = await self.scorer.score(returning.event(kind))
        return None if level_of(score) is None else score
