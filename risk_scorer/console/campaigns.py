"""Joins the pages of campaigns, and what is done about one."""

from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.campaign_rows import CampaignRows
from risk_scorer.adapters.console.campaign_seen import CampaignSightings
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.campaign_acts import CampaignForms
from risk_scorer.api.console.campaigns import CampaignViews
from risk_scorer.api.console.views import View
from risk_scorer.console.judging import shown_judge
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.campaign_acts import CampaignActs
from risk_scorer.flows.console.campaigns import Campaigns
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.incidents import Incidents
from risk_scorer.incident_desk import incident_rows


def views(parts: Parts) -> tuple[View, ...]:
    """Attacks by several accounts at once."""
    scorer = parts.scorer
    rows, acts = CampaignRows(scorer.database), ActRows(scorer.database, clock=scorer.clock)
    campaigns = Campaigns(rows=rows, sightings=CampaignSightings(scorer.database), gateway=parts.gateway)
    doing = CampaignActs(
        members=rows,
        sign_ins=SignIns(SignInRows(scorer.database), clock=scorer.clock),
        judge=shown_judge(scorer),
        incidents=Incidents(incident_rows(scorer)),
        gateway=parts.gateway,
        acts=acts,
        clock=scorer.clock,
    )
    pages = CampaignViews(desk=parts.desk, campaigns=campaigns, acts=acts)
    return (*pages.views(), *CampaignForms(desk=parts.desk, campaigns=campaigns, acts=doing).views())
