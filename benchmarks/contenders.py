"""What our endpoints are held against: an empty endpoint, and the usual reference design rebuilt.

The reference design scores each request by building a DataFrame and asking scikit-learn's IsolationForest; it is
rebuilt here from its description, with the same number of trees, so that both run in the same minute.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pandas as pd
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from sklearn.ensemble import IsolationForest

EMPTY_ANSWER = b'{"risk_score":12.5,"risk_level":"low","model_label":1}'

empty = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@empty.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@empty.post("/score")
async def nothing(request: Request) -> Response:
    """Reads the same body, does nothing, answers."""
    await request.body()
    return Response(EMPTY_ANSWER, media_type="application/json")


class ReferenceEvent(BaseModel):
    """The event of the reference design."""

    timestamp: str
    user_id: str
    ip: str
    user_agent: str
    device_id: str
    success: bool = True
    country: str = ""
    region: str = ""
    city: str = ""
    ja4: str | None = None
    ja4h: str | None = None
    ja4s: str | None = None


COLUMNS = [
    "hour", "day_of_week", "success", "user_freq", "ip_freq", "device_freq", "ua_freq", "ja4_freq", "ja4h_freq",
    "ja4s_freq", "ip_rep",
]  # fmt: skip


class ReferenceModel:
    """Global frequency counts and a forest, as the reference design describes them."""

    def __init__(self) -> None:
        rows = np.random.default_rng(0).poisson(20.0, size=(20_000, len(COLUMNS))).astype(float)
        self.forest = IsolationForest(n_estimators=100, max_samples=256, random_state=0).fit(
            pd.DataFrame(rows, columns=COLUMNS)
        )
        self.counts: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}

    def score(self, events: list[ReferenceEvent]) -> list[dict[str, Any]]:
        frame = pd.DataFrame([event.model_dump() for event in events])
        at = pd.to_datetime(frame["timestamp"], utc=True)
        features = pd.DataFrame(
            {
                "hour": at.dt.hour,
                "day_of_week": at.dt.dayofweek,
                "success": frame["success"].astype(int),
                **{
                    f"{name}_freq": frame[column].map(self.counts[f"{name}_freq"]).fillna(0)
                    for name, column in (
                        ("user", "user_id"), ("ip", "ip"), ("device", "device_id"), ("ua", "user_agent"),
                        ("ja4", "ja4"), ("ja4h", "ja4h"), ("ja4s", "ja4s"),
                    )
                },
                "ip_rep": 5.0,
            }
        )[COLUMNS]  # fmt: skip
        raw = self.forest.decision_function(features)
        labels = self.forest.predict(features)
        span = float(np.ptp(raw)) or 1.0
        risk = 100 * (raw.max() - raw) / span
        return [
            {"risk_score": float(score), "risk_level": "low", "model_label": int(label), "explain": explain}
            for score, label, explain in zip(risk, labels, features.to_dict("records"), strict=True)
        ]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.model = ReferenceModel()
    yield


reference = FastAPI(lifespan=_lifespan)


@reference.get("/health")
async def reference_health() -> dict[str, str]:
    return {"status": "ok"}


@reference.post("/score")
def reference_score(event: ReferenceEvent, request: Request) -> Any:
    return request.app.state.model.score([event])[0]


@reference.post("/bulk_score")
def reference_bulk(events: list[ReferenceEvent], request: Request) -> Any:
    return request.app.state.model.score(events)
