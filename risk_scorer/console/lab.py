"""Joins the scenario lab."""

from plumbing.randomness import SystemRandomness
from risk_scorer.acting import Acting
from risk_scorer.adapters.console.lab_activity import LabActivity
from risk_scorer.adapters.console.lab_past import LabPast
from risk_scorer.api.console.lab import LabPage
from risk_scorer.api.console.lab_session import SessionLabPage
from risk_scorer.api.console.views import View
from risk_scorer.assembly import Scorer
from risk_scorer.console.parts import Parts
from risk_scorer.flows.activity.observe import ActivityObserver
from risk_scorer.flows.console.lab import Lab
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.console.session_lab import SessionLab


def views(parts: Parts) -> tuple[View, ...]:
    """A login that never was, and a session that never was."""
    of_sessions = session_lab_of(parts.scorer, parts.acting, parts.gateway)
    login = LabPage(desk=parts.desk, lab=of_sessions.lab)
    return (*login.views(), *SessionLabPage(desk=parts.desk, lab=of_sessions).views())


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


def session_lab_of(scorer: Scorer, acting: Acting, gateway: Gateway) -> SessionLab:
    """The lab of its sessions: the engine in use, on copies. Ids that it draws are of its own chance."""
    return SessionLab(
        lab=lab_of(scorer, gateway),
        people=LabActivity(scorer.database),
        remembered=acting.memories,
        observer=ActivityObserver(scorer.lookups.observer),
        engine=acting.learned.engine,
        likelihood=acting.learned.likelihood,
        gateway=gateway,
        clock=scorer.clock,
        randomness=SystemRandomness(),
    )
