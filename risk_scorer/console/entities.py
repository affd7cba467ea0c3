"""Joins the pages of addresses, operators, devices, fingerprints and countries."""

from risk_scorer.adapters.console.entity_rows import EntityRows
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.entities import EntityViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.entities import Entities
from risk_scorer.flows.console.sign_ins import SignIns


def views(parts: Parts) -> tuple[View, ...]:
    """What sign-ins have in common; the page of one comes last, since its address takes any value."""
    scorer = parts.scorer
    entities = Entities(
        sign_ins=SignIns(SignInRows(scorer.database), clock=scorer.clock),
        rows=EntityRows(scorer.database),
        observer=scorer.lookups.observer,
        clock=scorer.clock,
    )
    return EntityViews(desk=parts.desk, entities=entities, clock=scorer.clock).views()
