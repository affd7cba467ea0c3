"""Somebody who was recognised before comes back, with a refresh token or with the code for a challenge: is this still
them? Asks the scorer and policy; what follows is written by the flow that asked.

Fails to "no score" like a login: then the gateway compares with its own eyes, and only what has not changed goes on.
"""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from auth_gateway.core.circumstances import Circumstances, country_of, reason_codes, risk_at, risk_of
from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.decision import Decision, Deny
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.facts import Path
from auth_gateway.core.marks import Marks
from auth_gateway.core.origin import (
    Origin,
    as_scored,
    context_digest,
    is_context_unknown,
    is_same_client,
    is_same_context,
)
from auth_gateway.core.policy import Policy, Unchanged, decide_refresh, decide_step_up, level_of
from auth_gateway.core.policy_unseen import decide_unseen
from auth_gateway.core.policy_verdict import verdict
from auth_gateway.core.ruling import Ruling, ruling_on
from auth_gateway.core.user_risk import UserRisk
from auth_gateway.flows.places import Places
from auth_gateway.flows.policy_in_force import PolicyInForce
from auth_gateway.flows.ports import UNSCORED, Scorer
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
    `login_score`, `amr` and `acr` are those of the sign-in; `username` is "" and `risk`, what is held
    against the person, None where nobody has looked.
    """

    event_id: str
    user_id: str
    client: Client
    context: LoginContext
    origin: Origin
    has_key: bool = False
    username: str = ""
    login_score: float | None = None
    amr: tuple[str, ...] = ()
    acr: str = ""
    risk: UserRisk | None = None

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
    in_force: PolicyInForce = field(default_factory=PolicyInForce)

    async def refresh(self, returning: Returning, session_id: str, now: float) -> Ruling:
        """Allow, challenge (a new login) or deny (the session ends).

        A context that was scored for this session a moment ago is not scored again: clients that refresh in a loop or
        in several tabs would only teach the scorer patience.

        Raises: Refused("busy", 503) when as many refreshes as may are being scored.
        """
        coming = self._coming(returning, "refresh", now)
        if is_context_unknown(returning.origin, returning.context, returning.client):
            return self._unknown(coming)
        context = context_digest(returning.context, self._grounds(coming))
        known = self.recent.recall(session_id, context, now)
        if known is not None:
            return known
        with self.places.one():
            score = await self._score(returning, "refresh")
        unchanged = returning.unchanged(score, must_show=True)
        built_in = decide_refresh(
            score,
            unchanged=unchanged,
            policy=self.policy,
            shown_phishing_resistant=coming.shown_phishing_resistant,
            user_level=coming.user_level,
            marks=self._marks(coming, score),
        )
        ruling = self._ruled(coming, returning.context, score, unchanged, built_in)
        if score is not None and not isinstance(ruling.decision, Deny):
            self.recent.remember(session_id, context, ruling, now)
        return ruling

    async def step_up(self, returning: Returning, *, shown: FactorKind, now: float) -> Ruling:
        """Allow or deny whoever has just shown the right proof for a challenge."""
        coming = msgspec.structs.replace(self._coming(returning, "step_up", now), shown=shown)
        if is_context_unknown(returning.origin, returning.context, returning.client):
            return self._unknown(coming)
        score = await self._score(returning, "step_up")
        # A challenge lives minutes and a code was shown: without a scorer a client that keeps no cookie still logs in.
        unchanged = returning.unchanged(score, must_show=False)
        built_in = decide_step_up(
            score,
            unchanged=unchanged,
            policy=self.policy,
            shown_phishing_resistant=coming.shown_phishing_resistant,
            user_level=coming.user_level,
            marks=self._marks(coming, score),
        )
        return self._ruled(coming, returning.context, score, unchanged, built_in)

    def _coming(self, returning: Returning, path: Path, now: float) -> Circumstances:
        """What rules may ask about the request before anybody has looked at where it comes from."""
        username = self.in_force.username(returning.user_id, returning.username)
        return Circumstances(
            path=path,
            client_id=returning.client.client_id,
            username=username,
            login_risk=risk_at(returning.login_score, self.in_force.marks(returning.client.client_id, username)),
            user_risk=self._user_risk(returning, now),
            amr=returning.amr,
            acr=returning.acr,
        )

    def _marks(self, coming: Circumstances, score: RiskScore | None) -> Marks:
        return self.in_force.marks(coming.client_id, coming.username, score)

    def _user_risk(self, returning: Returning, now: float) -> float:
        if returning.risk is None:
            return self.in_force.user_risk(returning.user_id, now)
        return returning.risk.value_at(now, self.policy.user_risk_half_life_seconds)

    def _unknown(self, coming: Circumstances) -> Ruling:
        """An application's server asks: rules about the person and the application count, and there is no score."""
        built_in = decide_unseen(coming.path, coming.shown_phishing_resistant, coming.user_level)
        ruled = verdict(self.in_force.document, coming, built_in, policy=self.policy)
        return Ruling(decision=ruled.decision, verdict=ruled)

    def _ruled(
        self,
        coming: Circumstances,
        context: LoginContext,
        score: RiskScore | None,
        unchanged: Unchanged,
        built_in: Decision,
    ) -> Ruling:
        now = msgspec.structs.replace(
            coming,
            ip=context.ip,
            country=country_of(score, context.country),
            session_risk=risk_of(score, self._marks(coming, score)),
            reasons=reason_codes(score),
            same=unchanged,
            unscored=UNSCORED.get() if score is None and context.ip else "",
        )
        ruled = verdict(self.in_force.document, now, built_in, policy=self.policy)
        return ruling_on(ruled.decision, score, ruled)

    def _grounds(self, coming: Circumstances) -> bytes:
        """What else a ruling rests on beside the request: another document, application, or risk of the person is
        another ruling."""
        steps = msgspec.structs.replace(coming, user_risk=round(coming.user_risk))  # it fades all the time
        return msgspec.msgpack.encode((self.in_force.document.digest, steps))

    async def _score(self, returning: Returning, kind: EventKind) -> RiskScore | None:
        if not returning.context.ip:  # the scorer takes no event without an address
            return None
        score = await self.scorer.score(returning.event(kind))
        return None if level_of(score) is None else score
