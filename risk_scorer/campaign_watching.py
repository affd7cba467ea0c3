"""How the process that looks for campaigns is watched: by what it last wrote, since it answers nobody."""

from __future__ import annotations

from typing import Final

from plumbing.metrics import Meters, Reading
from plumbing.readiness import Parts
from risk_scorer.adapters.activity.campaign_reading import LastLook, newest_look
from risk_scorer.assembly import Scorer

LATE_SECONDS: Final = 300.0
"""What is promised: a campaign is seen within five minutes of the events that show it."""


class CampaignGauges:
    """Looks at the last look for campaigns. Where nobody ever looked there is nothing to tell."""

    def __init__(self, scorer: Scorer, parts: Parts) -> None:
        self._database, self._clock = scorer.database, scorer.clock
        self._last: LastLook | None = None
        parts.add("campaigns", self._late, is_needed=False)
        self._tell(scorer.meters)

    async def look(self) -> None:
        """See when campaigns were last looked for. Raises: Refused."""
        self._last = await self._database.read_in_thread(newest_look)

    @property
    def word(self) -> str | None:
        """`ok` or `campaigns_late`; None where nobody ever looked."""
        if self._last is None:
            return None
        is_late = self._clock.now() - self._last.looked_at > LATE_SECONDS
        return "campaigns_late" if is_late else "ok"

    async def _late(self) -> str | None:
        return None if self.word in (None, "ok") else self.word

    def _tell(self, meters: Meters) -> None:
        look = meters.look
        look("riskgate_campaigns_open", "Campaigns that go on.", [], lambda: self._of("open"))
        look("riskgate_campaigns_looked_timestamp_seconds", "When they were last looked for.", [], self._looked_at)
        look("riskgate_campaigns_look_seconds", "How long the last look took.", [], lambda: self._of("seconds"))
        look("riskgate_campaigns_look_events", "Events of the last look.", [], lambda: self._of("events"))

    def _looked_at(self) -> list[Reading]:
        return self._of("looked_at")

    def _of(self, name: str) -> list[Reading]:
        return [] if self._last is None else [((), float(getattr(self._last, name)))]
