"""The whole scorer inside a test: real storage, a small signed model, and an HTTP client without a socket."""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from plumbing.clock import Clock
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.credentials import SCOPES
from risk_scorer.adapters.model_store import ModelStore
from risk_scorer.adapters.storage import FILE_NAME
from risk_scorer.app import create_app
from risk_scorer.assembly import Lookups, Scorer, assemble, opened_lookups
from risk_scorer.settings import Settings
from tests.integration.risk_scorer.published import PUBLIC_KEY, publish_model
from tests.migrated import migrated_scorer
from tests.unpacked import GEO_CACHE

WEBHOOK_SECRET = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
EVENT = {"user_id": "alice", "ip": "198.51.100.9", "user_agent": "Mozilla/5.0", "device_id": "dev-1"}


@dataclass(frozen=True)
class Running:
    """A scorer that runs; `client` brings a credential for everything."""

    scorer: Scorer
    client: httpx2.AsyncClient
    credential: str
    app: FastAPI

    @property
    def models(self) -> ModelStore:
        return self.scorer.models


def settings_for(place: Path, **changes: Any) -> Settings:
    """Settings of a demo-profile scorer whose own files are all below `place`."""
    key = place / "signing.pub"
    key.write_bytes(PUBLIC_KEY)
    wishes = {
        "model_dir": place / "models",
        "model_public_keys": str(key),
        "risk_scorer_state": place / "scorer",
        "risk_scorer_geo_cache": GEO_CACHE,
        "risk_scorer_profile": "demo",
        "webhook_secret": WEBHOOK_SECRET,
        **changes,
    }
    return Settings(**wishes)


@cache
def shared_lookups() -> Lookups:
    """The real look-ups, opened once: reading their tables takes longer than a test."""
    place = Path(tempfile.mkdtemp(prefix="scorer-tests-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return opened_lookups(settings_for(place))


@asynccontextmanager
async def running(
    place: Path, *, with_model: bool = True, clock: Clock | None = None, credential: str | None = None, **changes: Any
) -> AsyncIterator[Running]:
    """A started scorer and a client for it; stopped and closed afterwards.

    Started again at the same place, it is given the `credential` of before.
    """
    if with_model:
        publish_model(place / "models")
    settings = settings_for(place, **changes)
    if settings.risk_scorer_database is None:
        migrated_scorer(settings.risk_scorer_state / FILE_NAME)
    scorer = assemble(settings, clock=clock, randomness=SeededRandomness(5), lookups=shared_lookups())
    app = create_app(scorer.settings, scorer=scorer)
    credential = credential or scorer.credentials.add("tests", [each for each in SCOPES if each != "vouch"])
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1:8000",
            headers={"authorization": f"Bearer {credential}"},
        ) as client,
    ):
        yield Running(scorer, client, credential, app)
