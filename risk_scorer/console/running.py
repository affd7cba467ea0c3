"""What a running scorer says of itself for the overview: read from memory, but for what drift was found. No rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from risk_scorer.adapters.console.gateway import GatewayClient
from risk_scorer.assembly import Scorer
from risk_scorer.console.parts import Parts
from risk_scorer.core.console.attention import State
from risk_scorer.core.facts import IpFacts
from risk_scorer.drifting import drift_rows

TIMES: Final = "riskgate_http_request_seconds"
BUDGET: Final = 0.02
"""What is promised where no model says otherwise: 2 % of people's logins."""


class RunningScorer:
    """One process of it."""

    def __init__(self, parts: Parts) -> None:
        self._scorer: Scorer = parts.scorer
        self._gateway = parts.gateway if isinstance(parts.gateway, GatewayClient) else None
        self._drift = drift_rows(parts.scorer)

    def budget(self) -> float:
        """The model's own, for a step-up."""
        model = self._scorer.models.current()
        mark = None if model is None else model.manifest.marks.get("step_up")
        return BUDGET if mark is None else mark.budget

    def timed(self) -> dict[float, float]:
        """How long answers to `POST /score` took."""
        return self._scorer.meters.buckets(TIMES, route="/score")

    def networks(self, addresses: Sequence[str]) -> list[IpFacts]:
        """What is known of each address."""
        return self._scorer.lookups.observer.networks(addresses)

    async def state(self) -> State:
        """What may need somebody; what the storage says of it is for others to fill in. Raises: Refused."""
        scorer = self._scorer
        looked = await self._drift.latest()
        now = scorer.clock.now()
        return State(
            now=now,
            has_model=scorer.model_version() is not None,
            late_seconds=0.0,
            waiting=None,
            campaigns=0,
            is_gateway_away=self._gateway is not None and self._gateway.is_away,
            prompts="unknown",
            drifted=0 if looked is None else len(looked.past),
            deliveries_fail=bool(scorer.delivery.failing),
            tables_age_days=scorer.lookups.tables_age_days(now),
            tables_most_days=float(scorer.settings.drift_ip_data_days),
        )

    def models(self) -> dict[str, str | bool | None]:
        """Which model answers, which one shadows and what keeps it from it, and whether other processes answer too."""
        shadowing = self._scorer.shadowing
        return {
            "active": self._scorer.model_version(),
            "shadow": shadowing.version,
            "shadow_problem": shadowing.problem,
            "is_one_of_many": self._scorer.settings.prometheus_multiproc_dir is not None,
        }

    def cities(self) -> Iterable[tuple[float, float]]:
        """Where there are places, by the address tables in use."""
        return self._scorer.lookups.cities()
