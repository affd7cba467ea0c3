"""What a process that scores does before it begins, and beside its work. No rule lives here."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from plumbing.refusals import Refused
from risk_scorer.adapters.activity.retention import forgetting
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.draft_rows import DraftRows
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.console.sign_in_retention import SignInAges, SignInMonths
from risk_scorer.adapters.event_months import EventMonths
from risk_scorer.assembly import Scorer
from risk_scorer.core.console.kept_drafts import KEPT_SECONDS
from risk_scorer.drifting import drift_rows, drift_watch
from risk_scorer.flows.console.projection import project
from risk_scorer.flows.housekeeping import DAY_SECONDS, Prunable, keep_house
from risk_scorer.incident_desk import incident_rows, telling

OUTCOME_IDS_KEPT_DAYS: Final = 30.0
"""Longer than any sender keeps trying, so that a repeated outcome is always known; and at least as long as the log, so
that of every event in it we know whether it was learned."""
HEAR_SECONDS: Final = 1.0
"""How much later a process knows of what is being tried at another one; of histories each knows at once."""
COLLECT_AFTER: Final = (20_000, 20, 50)

log = structlog.get_logger(__name__)


async def prepare(scorer: Scorer) -> None:
    """Read the models, and remember what was lately being tried. Raises: Refused."""
    if scorer.redis is not None:
        scorer.redis.start()
    await scorer.models.start()
    await scorer.shadowing.model.start()
    heard = await asyncio.to_thread(scorer.surroundings.recall, scorer.profiles)
    log.info("newest_day_recalled", outcomes=heard)
    scorer.profiles.listen(scorer.surroundings.hear, hears_others=True)
    # What lives as long as the process need not be looked at by every garbage collection, and a bulk of events makes
    # so many short-lived values that Python's own thresholds would collect hundreds of times in one answer.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def company(scorer: Scorer) -> list[Coroutine[Any, Any, None]]:
    """What every process does for ever: keep what it counted, and where others learn, too, hear of it."""
    others = [_hear_others(scorer)] if scorer.profiles.has_company else []
    return [drift_watch(scorer).keep_again_and_again(), *others]


async def _hear_others(scorer: Scorer) -> None:
    while True:
        await asyncio.sleep(HEAR_SECONDS)
        try:
            await scorer.profiles.hear_others()
        except Refused as refused:
            log.warning("others_not_heard", reason=refused.code)


def upkeep(scorer: Scorer) -> list[Coroutine[Any, Any, None]]:
    """What one process of those on a state does for ever: announce, forget what is old, watch for drift."""
    months = EventMonths(scorer.database, clock=scorer.clock)
    kept: list[tuple[Prunable, float]] = [
        (months if scorer.settings.is_shared else scorer.log, scorer.settings.event_retention_days * DAY_SECONDS),
        (scorer.shadowing.log, scorer.settings.event_retention_days * DAY_SECONDS),
        (scorer.profiles, max(OUTCOME_IDS_KEPT_DAYS, scorer.settings.event_retention_days) * DAY_SECONDS),
    ]
    kept.append((drift_rows(scorer), scorer.settings.event_retention_days * DAY_SECONDS))
    kept.append((incident_rows(scorer), scorer.settings.event_retention_days * DAY_SECONDS))
    rows = (
        SignInMonths(scorer.database, clock=scorer.clock) if scorer.settings.is_shared else SignInAges(scorer.database)
    )
    kept.append((rows, scorer.settings.event_retention_days * DAY_SECONDS))
    kept.append(
        (ActRows(scorer.database, clock=scorer.clock), scorer.settings.console_audit_retention_days * DAY_SECONDS)
    )
    kept.append((DraftRows(scorer.database), KEPT_SECONDS))
    kept += forgetting(
        scorer.database,
        clock=scorer.clock,
        is_shared=scorer.settings.is_shared,
        activity_days=scorer.settings.activity_retention_days,
        memory_days=scorer.settings.activity_memory_days,
    )
    house = keep_house(kept, scorer.clock)
    projecting = project(_projection(scorer))
    return [scorer.delivery.run(), house, drift_watch(scorer).look_again_and_again(), telling(scorer).run(), projecting]


def _projection(scorer: Scorer) -> Projection:
    """What takes the log to the console's rows, and tells how far it is."""
    projection = Projection(scorer.database, clock=scorer.clock)
    scorer.meters.look(
        "riskgate_sign_ins_taken_timestamp_seconds",
        "When the console's rows last had everything of the log.",
        [],
        lambda: [] if projection.taken_at is None else [((), projection.taken_at)],
    )
    return projection
