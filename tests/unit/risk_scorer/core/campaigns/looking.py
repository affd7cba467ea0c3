"""One look at invented crowds."""

from collections.abc import Iterable

from risk_scorer.adapters.activity.campaign_communities import Leiden
from risk_scorer.core.campaigns.found import FoundCampaign, Look, look_at
from risk_scorer.core.campaigns.sighting import Sighting
from risk_scorer.core.campaigns.window import Window
from tests.campaign_crowds import DAY, NOW


def looked(*crowds: Iterable[Sighting]) -> Look:
    """What is found among them all, over the last day."""
    window = Window()
    for crowd in crowds:
        window.add(list(crowd))
    return look_at(window, Leiden(), began=NOW - DAY, seconds=DAY)


def members(campaign: FoundCampaign) -> set[str]:
    return {each.user_id for each in campaign.members}
