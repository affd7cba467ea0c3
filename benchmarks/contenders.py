"""What our endpoints are held against: an empty endpoint, and the usual reference design rebuilt.

The reference design looks each event's address up in a small in-memory list of networks, its city in a table of
coordinates, builds a DataFrame and asks scikit-learn's IsolationForest; it is rebuilt here from its description, with
the same number of trees, so that both run in the same minute.
"""

import ipaddress
import math
import time
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
    user_agent: str = ""
    device_id: str = ""
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


NETWORKS = [
    (ipaddress.ip_network(network), asn, reputation)
    for network, asn, reputation in (
        ("198.51.100.0/24", 64500, 5.0), ("203.0.113.0/24", 64511, 90.0), ("192.0.2.0/24", 64501, 10.0),
        ("10.0.0.0/8", 64512, 0.0), ("172.16.0.0/12", 64513, 0.0), ("192.168.0.0/16", 64514, 0.0),
    )
]  # fmt: skip
PLACES = {"San Jose": (37.34, -121.89), "Berlin": (52.52, 13.40), "Sao Paulo": (-23.55, -46.63)}


def enriched(event: ReferenceEvent) -> dict[str, Any]:
    """The event with its operator, reputation and distance from the user's mean place, one event at a time."""
    address = ipaddress.ip_address(event.ip)
    asn, reputation = next(((asn, rep) for network, asn, rep in NETWORKS if address in network), (None, 0.0))
    place = PLACES.get(event.city)
    distance = None if place is None else haversine_km(place, (40.0, 0.0))
    return {**event.model_dump(), "asn": asn, "ip_rep": reputation, "geo_distance_km": distance}


def haversine_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, place)) for place in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(half))


class ReferenceModel:
    """Global frequency counts and a forest, as the reference design describes them."""

    def __init__(self) -> None:
        rows = np.random.default_rng(0).poisson(20.0, size=(20_000, len(COLUMNS))).astype(float)
        self.forest = IsolationForest(n_estimators=100, max_samples=256, random_state=0).fit(
            pd.DataFrame(rows, columns=COLUMNS)
        )
        self.counts: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}

    def score(self, events: list[ReferenceEvent]) -> list[dict[str, Any]]:
        facts = [enriched(event) for event in events]
        frame = pd.DataFrame(facts)
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
                "ip_rep": frame["ip_rep"],
            }
        )[COLUMNS]  # fmt: skip
        raw = self.forest.decision_function(features)
        labels = self.forest.predict(features)
        span = float(np.ptp(raw)) or 1.0
        risk = 100 * (raw.max() - raw) / span
        return [
            {
                "risk_score": float(score),
                "risk_level": "low" if score < 60 else "high",
                "model_label": int(label),
                "explain": {**explain, "asn": fact["asn"], "geo_distance_km": fact["geo_distance_km"]},
                "ts_scored": time.time(),
            }
            for score, label, explain, fact in zip(risk, labels, features.to_dict("records"), facts, strict=True)
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
