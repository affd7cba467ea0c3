"""Joins the scenario lab."""

from risk_scorer.adapters.console.lab_past import LabPast
from risk_scorer.api.console.lab import LabPage
from risk_scorer.api.console.views import View
from risk_scorer.assembly import Scorer
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.lab import Lab
from risk_scorer.flows.console.ports import Gateway


def views(parts: Parts) -> tuple[View, ...]:
    """A login that never was."""
    return LabPage(desk=parts.desk, lab=lab_of(parts.scorer, parts.gateway)).views()


def lab_of(scorer: Scorer, gateway: Gateway) -> Lab:
    """The lab of this scorer: its model and look-ups, and nothing that it could write with."""
    return Lab(
        models=scorer.models,
        observer=scorer.lookups.observer,
        pasts=LabPast(scorer.database),
        pressures=scorer.surroundings,
        gateway=gateway,
        clock=scorer.clock,
    )
