"""Joins the deliveries, of the gateway and of this scorer."""

from risk_scorer.adapters.activity.campaign_told import TO_GATEWAY
from risk_scorer.adapters.console.gateway_deliveries import GatewayDeliveries
from risk_scorer.adapters.console.own_deliveries import OwnDeliveries
from risk_scorer.api.console.deliveries import DeliveryViews
from risk_scorer.api.console.views import View
from risk_scorer.assembly import ANNOUNCEMENTS
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.deliveries import AllDeliveries


def views(parts: Parts) -> tuple[View, ...]:
    """Who gets messages."""
    scorer, settings = parts.scorer, parts.scorer.settings
    addresses = {TO_GATEWAY: settings.session_signal_url, ANNOUNCEMENTS: settings.announce_url}
    own = OwnDeliveries(
        scorer.database,
        clock=scorer.clock,
        randomness=scorer.randomness,
        named={name: url for name, url in addresses.items() if url is not None},
        tested=frozenset({ANNOUNCEMENTS}),
        tenant=settings.mfa_tenant,
        wake=scorer.delivery.wake,
        stopped=lambda: scorer.delivery.disabled,
    )
    deliveries = AllDeliveries({"gateway": GatewayDeliveries(parts.gateway), "scorer": own})
    return DeliveryViews(desk=parts.desk, deliveries=deliveries, now=scorer.clock.now).views()
