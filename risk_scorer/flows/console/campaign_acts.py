"""What analysts do about a campaign: say what it was, and have its accounts frozen or signed out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, Protocol

from msgspec.structs import replace

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.campaigns import Campaign, CampaignSignal
from risk_scorer.contract.feedback import Feedback, VerdictKind
from risk_scorer.core.campaigns.names import network_of
from risk_scorer.core.console.enforced import Result
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.incidents.incident import Incident, IncidentChange
from risk_scorer.flows.console.acting import carry_out
from risk_scorer.flows.console.judging import Judged
from risk_scorer.flows.console.ports import Act, ActLog, Gateway
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.incidents import Incidents

Measure = Literal["freeze", "sign_out"]
MOST_JUDGED: Final = 100
LOOKED_EACH: Final = 20
"""Sign-ins of an account that are looked at for one which shows what is shared."""
MOST_ENFORCED: Final = 25
"""Accounts of one act: a page of them, which somebody can have looked at."""
MOST_SECONDS: Final = 20.0
"""Then the rest is not tried: somebody waits for the page."""
GONE: Final = frozenset({"gateway_unavailable", "gateway_not_configured", "gateway_refuses_console"})
"""What would be answered to the next one, too."""


class Membership(Protocol):
    async def members_among(self, campaign_id: str, user_ids: Sequence[str]) -> list[str]:
        """Who of them is in it. Raises: Refused."""
        ...


class CampaignActs:
    """What becomes true; who may, why, and the page are the desk's."""

    def __init__(
        self,
        *,
        members: Membership,
        sign_ins: SignIns,
        judge: Judged,
        incidents: Incidents,
        gateway: Gateway,
        acts: ActLog,
        clock: Clock,
    ) -> None:
        self._members = members
        self._sign_ins = sign_ins
        self._judge = judge
        self._incidents = incidents
        self._gateway = gateway
        self._acts = acts
        self._clock = clock

    async def sign_ins_of(
        self, campaign: Campaign, signals: Sequence[CampaignSignal], user_ids: Sequence[str]
    ) -> list[str]:
        """The newest sign-in of each, if one that shows what is shared is kept: what else the person did is not judged
        with it. Raises: Refused."""
        shared = frozenset((each.kind, each.value) for each in signals)
        found = []
        for user in user_ids[:MOST_JUDGED]:
            wanted = SignInFilter(user=user, since=campaign.first_seen, until=campaign.last_seen + 1.0)
            rows = (await self._sign_ins.page(wanted, limit=LOOKED_EACH)).rows
            found += [row.event_id for row in rows if shared & _shown_by(row)][:1]
        return found

    async def judge(self, events: Sequence[str], verdict: VerdictKind, *, by: str, reason: str) -> int:
        """Say it of each login that is still known; of how many. Raises: Refused."""
        said = [Feedback(event_id=event, verdict=verdict, by=by, reason=reason, source="analyst") for event in events]
        try:
            await self._judge.feedback(said, path="event")
        except Refused as refused:
            if refused.code != "unknown_event":
                raise
            gone = refused.evidence.get("positions")
            said = [each for at, each in enumerate(said) if isinstance(gone, list) and at not in gone]
            if not said:
                raise
            await self._judge.feedback(said, path="event")
        return len(said)

    async def close(self, incident: Incident | None, *, by: str, why: str, version: int) -> bool:
        """Close its incident, if there is one that is not; whether that was so. Raises: Refused (409)."""
        if incident is None or incident.state == "closed":
            return False
        change = IncidentChange(by=by, why=why, state="closed", version=version)
        await self._incidents.change(incident.incident_id, change)
        return True

    async def require_members(self, campaign_id: str, user_ids: Sequence[str]) -> None:
        """Raises: Refused `not_a_member`, `nothing_chosen` (422)."""
        if not 1 <= len(user_ids) <= MOST_ENFORCED:
            raise Refused("nothing_chosen", f"Tick 1 to {MOST_ENFORCED} accounts first.", status=422)
        known = await self._members.members_among(campaign_id, user_ids)
        if len(known) != len(user_ids):
            raise Refused("not_a_member", "Somebody who was ticked is not in this campaign.", status=422)

    async def enforce(self, measure: Measure, user_ids: Sequence[str], act: Act) -> list[Result]:
        """Have it done to one after the other, each with a row of the audit of its own; what became of each.

        Once the gateway does not answer, or time is up, the rest is not tried.
        """
        began, results = self._clock.monotonic(), list[Result]()
        is_over = False
        for user in user_ids:
            is_over = is_over or self._clock.monotonic() - began > MOST_SECONDS
            if is_over:
                results.append(Result(user, "not_tried"))
                continue
            one = replace(act, action=f"account.{measure}", subjects=(user[:256],))
            result = await self._result(user, one, self._effect(measure, user))
            results.append(result)
            is_over = result.code in GONE
        return results

    async def _result(self, user: str, act: Act, effect: Callable[[Act], Awaitable[object]]) -> Result:
        try:
            await carry_out(self._acts, act, effect)
        except Refused as refused:
            return Result(user, "unknown" if refused.code == "gateway_unavailable" else "refused", refused.code)
        return Result(user, "done")

    def _effect(self, measure: Measure, user: str) -> Callable[[Act], Awaitable[object]]:
        async def do(act: Act) -> object:
            if measure == "freeze":
                return await self._gateway.freeze(user, by=act.operator, why=act.reason)
            return await self._gateway.reset_sessions(user, by=act.operator, why=act.reason)

        return do


def _shown_by(row: SignIn) -> frozenset[tuple[str, str]]:
    """What the sign-in shows, as campaigns call it."""
    host, prefix = network_of(row.ip)
    return frozenset({("address", host), ("prefix", prefix), ("device", row.device_id), ("ja4", row.ja4)})
