"""What analysts do about a campaign, by forms of its page: a word on it, and measures against ticked accounts."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.campaigns import ONE, PATH
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.forms import Form
from risk_scorer.api.console.views import View
from risk_scorer.contract.feedback import VerdictKind
from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.enforced import told
from risk_scorer.flows.console.campaign_acts import MOST_JUDGED, CampaignActs, Measure
from risk_scorer.flows.console.campaigns import Campaigns

VERDICTS: Final[dict[str, VerdictKind]] = {"attack": "confirmed_compromised", "no_attack": "confirmed_safe"}
MEASURES: Final[dict[str, Measure]] = {"freeze": "freeze", "sign_out": "sign_out"}
DONE: Final[dict[Measure, str]] = {"freeze": "Frozen", "sign_out": "Signed out everywhere"}


class CampaignForms:
    """Two forms."""

    def __init__(self, *, desk: Desk, campaigns: Campaigns, acts: CampaignActs) -> None:
        self._desk = desk
        self._campaigns = campaigns
        self._acts = acts

    async def judge(self, request: Request) -> Response:
        """An attack, or none: its sign-ins are judged, and what was none is closed. Raises: Refused, and as
        `Desk.act`."""
        campaign_id, form = request.path_params["campaign_id"], await self._desk.form(request)
        does = form.one("does")
        if does not in VERDICTS:
            raise Refused("invalid_verdict", f"Choose one of {', '.join(VERDICTS)}.", status=422)
        version = _version(form)
        found = await self._campaigns.find(campaign_id, None, limit=MOST_JUDGED)
        users = [each.user_id for each in found.members]
        events = await self._acts.sign_ins_of(found.campaign, found.signals, users)
        if not events:
            raise Refused("nothing_to_judge", "No sign-in that shows what its accounts share is kept.", status=422)

        async def say(doing: Doing) -> str:
            by, reason = doing.operator.name, doing.act.reason
            closed = ""
            if does == "no_attack" and await self._acts.close(found.incident, by=by, why=reason, version=version):
                closed = " Its incident is closed."
            many = await self._acts.judge(events, VERDICTS[does], by=by, reason=reason)
            words = VERDICTS[does].replace("_", " ")
            return f"Sign-ins of {many} of {found.campaign.members} accounts: {words}.{closed}"

        return await self._desk.act(
            request, f"campaign.{does}", (campaign_id, *events), effect=say, back=_page_of(campaign_id)
        )

    async def enforce(self, request: Request) -> Response:
        """Freeze the ticked accounts, or sign them out, one after the other. Raises: Refused, and as `Desk.act`."""
        campaign_id, form = request.path_params["campaign_id"], await self._desk.form(request)
        users = list(dict.fromkeys(form.all("user")))
        if form.one("does") not in MEASURES:
            raise Refused("invalid_measure", f"Choose one of {', '.join(MEASURES)}.", status=422)
        measure = MEASURES[form.one("does")]
        await self._campaigns.find(campaign_id, None, limit=1)
        await self._acts.require_members(campaign_id, users)
        line, is_good = "", True

        async def do(doing: Doing) -> str:
            nonlocal line, is_good
            results = await self._acts.enforce(measure, users, doing.act)
            line, is_good = told(DONE[measure], results), all(each.how == "done" for each in results)
            return line

        back = _page_of(campaign_id)
        answer = await self._desk.act(request, f"campaign.{measure}", campaign_id, effect=do, back=back, sensitive=True)
        return answer if is_good else self._desk.back(back, line, is_good=False)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(
                name="campaign-verdict",
                path=f"{ONE}/verdict",
                title="Judge a campaign",
                endpoint=self.judge,
                role="analyst",
                kind="act",
            ),
            View(
                name="campaign-members",
                path=f"{ONE}/members",
                title="Freeze accounts of a campaign",
                endpoint=self.enforce,
                role="analyst",
                kind="act",
            ),
        )


def _page_of(campaign_id: str) -> str:
    return f"{PATH}/{path_part(campaign_id)}"


def _version(form: Form) -> int:
    """Of the incident that was seen, 0 where there was none. Raises: Refused (422)."""
    text = form.one("version", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused("invalid_change", "Say which version of the incident you saw.", status=422)
    return max(1, int(text))
