"""Joins the parts that watch for drift, and tells what they found as metrics. No rule lives here."""

from collections.abc import Iterable

import structlog

from plumbing.metrics import Meters, Reading
from plumbing.refusals import Refused
from risk_scorer.adapters.drift_rows import DriftRows, latest_of
from risk_scorer.assembly import ANNOUNCEMENTS, Scorer
from risk_scorer.core.drift_report import DriftReport
from risk_scorer.flows.drift import DriftTerms, DriftWatch

log = structlog.get_logger(__name__)


def drift_rows(scorer: Scorer) -> DriftRows:
    """What this scorer keeps of live logins."""
    return DriftRows(
        scorer.database,
        clock=scorer.clock,
        announce_to=None if scorer.settings.announce_url is None else ANNOUNCEMENTS,
        wake_delivery=scorer.delivery.wake,
    )


def drift_watch(scorer: Scorer) -> DriftWatch:
    """What keeps and looks, with this scorer's parts."""
    settings = scorer.settings
    terms = DriftTerms(marks=settings.drift_marks, window_days=settings.drift_window_days, tenant=settings.mfa_tenant)
    return DriftWatch(
        models=scorer.models,
        counts=scorer.live_counts,
        store=drift_rows(scorer),
        clock=scorer.clock,
        terms=terms,
        tables_age_days=scorer.lookups.tables_age_days,
    )


async def keep_the_rest(scorer: Scorer) -> None:
    """Keep what was counted since the last time; for the end of a process, which nothing of this holds up."""
    try:
        await drift_watch(scorer).keep()
    except Refused as refused:
        log.warning("drift_counts_not_kept", reason=refused.code)


class DriftGauges:
    """What the last look found, whichever process took it: read from the database, told from memory."""

    def __init__(self, scorer: Scorer) -> None:
        self._database = scorer.database
        self._found: DriftReport | None = None
        self._tell(scorer.meters)

    async def look(self) -> None:
        """Read what was last found. Raises: Refused."""
        looked = await self._database.read_in_thread(latest_of)
        self._found = None if looked is None else looked.report

    def _tell(self, meters: Meters) -> None:
        look = meters.look
        look("riskgate_drift_alarm", "1 while something is past its mark.", ["model"], self._alarm)
        look("riskgate_drift_past", "1 for each thing that is past its mark.", ["what"], self._past)
        look("riskgate_drift_logins", "Logins that the last look was about.", [], self._logins)
        look("riskgate_drift_looked_timestamp_seconds", "When the last look was taken.", [], self._looked_at)
        look("riskgate_drift_psi", "Population stability index of a feature or the score.", ["number"], self._psi)
        look("riskgate_drift_ks", "Kolmogorov-Smirnov distance of a feature or the score.", ["number"], self._ks)
        look("riskgate_drift_ratio", "Share of live logins, with its limits.", ["what", "limit"], self._ratios)

    def _alarm(self) -> Iterable[Reading]:
        found = self._found
        return [] if found is None else [((found.model_version,), float(bool(found.past)))]

    def _past(self) -> Iterable[Reading]:
        return [] if self._found is None else [((name,), 1.0) for name in self._found.past]

    def _logins(self) -> Iterable[Reading]:
        return [] if self._found is None else [((), float(self._found.logins))]

    def _looked_at(self) -> Iterable[Reading]:
        return [] if self._found is None else [((), self._found.until)]

    def _psi(self) -> Iterable[Reading]:
        found = self._found
        return [] if found is None else [((each.name,), each.psi) for each in (found.score, *found.features)]

    def _ks(self) -> Iterable[Reading]:
        found = self._found
        return [] if found is None else [((each.name,), each.ks) for each in (found.score, *found.features)]

    def _ratios(self) -> Iterable[Reading]:
        found = self._found
        for rate in () if found is None else (*found.prompts, *found.unknown):
            for limit, value in (("low", rate.low), ("share", rate.share), ("high", rate.high)):
                yield (rate.name, limit), value
