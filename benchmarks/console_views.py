"""Every view of the console as a browser asks for it: through the whole scorer, its storage, templates and menu,
without a socket. There is no gateway, so pages say that nobody told them of accounts; the pages that are the gateway's
own, of policy, are not asked for."""

import asyncio
import logging
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import structlog
from pydantic import SecretStr

from benchmarks.console_company import campaigns_of, sessions_of
from benchmarks.console_times import BESIDE, Took, took
from benchmarks.console_values import NOW, Drawn
from benchmarks.home import KEY, MODELS, ROOT, Home
from plumbing.clock import FixedClock
from risk_scorer.adapters.storage import FILE_NAME
from risk_scorer.app import create_app
from risk_scorer.assembly import assemble
from risk_scorer.console.joined import Console
from risk_scorer.settings import Settings

HERE: Final = "http://127.0.0.1:8000"
OF_OTHERS: Final = ("policy", "policy-version", "narrative")
"""The gateway's, and a language model's. A named view is asked by somebody for any span, and may take its seconds."""
SCORED: Final = 40
"""Logins that are scored first: the page of one of them has all that a page of a sign-in can have."""
WEEKS: Final = (4, 12, 26)
COUNTING: Final = "being counted"

Path_ = Callable[[Drawn], str]


def _id(prefix: str, of: Callable[[int], int]) -> Path_:
    return lambda drawn: f"{prefix}{drawn.chance.randrange(of(drawn.size))}"


VIEWS: Final[dict[str, Path_]] = {
    "overview": lambda _: "/dashboard",
    "figures": lambda _: "/dashboard/figures?fragment=1",
    "sign-ins": lambda _: "/dashboard/sign-ins",
    "sign-ins: level high": lambda _: "/dashboard/sign-ins?level=high",
    "sign-ins: country, level medium": lambda drawn: f"/dashboard/sign-ins?level=medium&country={drawn.country()}",
    "sign-ins: user": lambda drawn: f"/dashboard/sign-ins?user={drawn.user()}",
    "sign-in": _id("/dashboard/sign-ins/bench-", lambda _: SCORED),
    "sign-in, fragment": lambda drawn: f"/dashboard/sign-ins/bench-{drawn.chance.randrange(SCORED)}?fragment=1",
    "sign-in, long ago": lambda drawn: f"/dashboard/sign-ins/{drawn.event()}",
    "users": lambda _: "/dashboard/users",
    "users: further": lambda drawn: f"/dashboard/users?from={25 * drawn.chance.randrange(1, 8)}",
    "users: search": lambda drawn: f"/dashboard/users?query={drawn.user()}",
    "user": lambda drawn: f"/dashboard/users/{drawn.user()}",
    "sessions": lambda _: "/dashboard/sessions",
    "sessions: that run": lambda _: "/dashboard/sessions?open=yes",
    "session-of": _id("/dashboard/sessions/ses_", sessions_of),
    "entities": lambda _: "/dashboard/entities",
    "entity: address": lambda drawn: f"/dashboard/entities/address/{drawn.address()}",
    "entity: network": lambda drawn: f"/dashboard/entities/address/{drawn.network()}",
    "entity: asn": lambda drawn: f"/dashboard/entities/asn/{drawn.asn()}",
    "entity: device": lambda drawn: f"/dashboard/entities/device/{drawn.device()}",
    "entity: fingerprint": lambda drawn: f"/dashboard/entities/fingerprint/{drawn.ja4()}",
    "entity: country": lambda drawn: f"/dashboard/entities/country/{drawn.country()}",
    "campaigns": lambda _: "/dashboard/campaigns",
    "campaigns: closed": lambda _: "/dashboard/campaigns?state=closed",
    "campaign: 20 accounts": _id("/dashboard/campaigns/cmp_", campaigns_of),
    "campaign: 5,000 accounts": lambda _: "/dashboard/campaigns/cmp_invented",
    "incidents": lambda _: "/dashboard/incidents",
    "incidents: closed": lambda _: "/dashboard/incidents?state=closed",
    "incidents: of one": lambda drawn: f"/dashboard/incidents?owner=soc-{drawn.chance.randrange(20)}",
    "incident": _id("/dashboard/incidents/inc_", lambda size: size // 100),
    "model": lambda _: "/dashboard/model",
    "drift": lambda _: "/dashboard/drift",
    "deliveries": lambda _: "/dashboard/deliveries",
    "receiver": lambda _: "/dashboard/deliveries/scorer/announcements",
    "receiver: dead": lambda _: "/dashboard/deliveries/scorer/announcements?status=dead",
    "audit": lambda _: "/dashboard/audit",
    "views": lambda _: "/dashboard/views",
    "lab": lambda drawn: f"/dashboard/lab?user={drawn.user()}&ip={drawn.address()}",
    "lab-session": lambda drawn: f"/dashboard/lab/session?preset=stolen&user={drawn.user()}",
    "executive": lambda _: "/dashboard/executive?weeks=12",
}
"""By the name of the view, and what of it is asked for."""


@dataclass(frozen=True)
class House:
    """A scorer that runs over the store, and somebody signed in at its console."""

    client: httpx2.AsyncClient
    console: Console
    clock: FixedClock
    version: str
    sign_in: Callable[[], str]


@asynccontextmanager
async def house(store: Path) -> AsyncIterator[House]:
    """It, with the time of the newest sign-in."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with Home(), tempfile.TemporaryDirectory() as place:
        (Path(place) / FILE_NAME).symlink_to(store)
        settings = Settings(
            model_dir=MODELS,
            model_public_keys=str(KEY.with_suffix(".pub")),
            risk_scorer_state=Path(place),
            risk_scorer_geo_cache=ROOT / "var" / "benchmarks" / "geo",
            risk_scorer_profile="demo",
            event_retention_days=3650,
            activity_retention_days=3650,
            console_audit_retention_days=3650,
            webhook_url="https://receiver.example/in",
            webhook_secret=SecretStr("whsec_" + "A" * 32),
        )
        clock = FixedClock(NOW)
        scorer = assemble(settings, clock=clock)
        app = create_app(settings, scorer=scorer)
        credential = scorer.credentials.add(f"bench-{Path(place).name}", ["score"])
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url=HERE, timeout=600.0) as client,
        ):
            await _score(client, credential)
            yield House(
                client=client,
                console=app.state.console,
                clock=clock,
                version=scorer.model_version() or "",
                sign_in=lambda: scorer.operators.new_link_token("admin", "bench"),
            )


async def view_times(store: Path, drawn: Drawn, *, times: int) -> dict[str, list[Took]]:
    """Of each time that each was asked for, other values each time; five seconds pass before each."""
    async with house(store) as opened:
        missing = {v.name for v in opened.console.views if v.kind == "page"} - _asked_for() - set(OF_OTHERS)
        assert missing == {"model-version", "view"}, missing
        found = dict[str, list[Took]]()
        views: dict[str, Path_] = {**VIEWS, "model-version": lambda _: f"/dashboard/model/{opened.version}"}
        for name, path in views.items():
            await opened.client.post("/operator/sign-in", params={"token": opened.sign_in()})
            drawn.chance.seed(name)
            if name == "executive":
                found |= await _executive(opened, times=times)
                continue
            await _get(opened.client, path(drawn))
            found[f"/ {name}"] = []
            for _ in range(times):
                opened.clock.advance(5.0)
                asked = path(drawn)
                found[f"/ {name}"].append(await took(lambda asked=asked: _get(opened.client, asked)))  # type: ignore[misc]
        return found


async def _executive(opened: House, *, times: int) -> dict[str, list[Took]]:
    """While its weeks are being counted for the first time, how long that takes, and afterwards."""
    found = dict[str, list[Took]]()
    for weeks in WEEKS:
        path = f"/dashboard/executive?weeks={weeks}"
        during, after = f"/ executive, {weeks} weeks, being counted", f"/ executive, {weeks} weeks, counted"
        found[during], found[after] = [], []

        async def counted(path: str = path, during: str = during) -> None:
            text = COUNTING
            while COUNTING in text:
                if len(found[during]) < times:
                    found[during].append(await took(lambda: _get(opened.client, path)))
                text = await _get(opened.client, path)
                await asyncio.sleep(0.1)

        found[f"{BESIDE}{weeks} weeks counted, as far as they were not"] = [await took(counted)]
        for _ in range(times):
            found[after].append(await took(lambda path=path: _get(opened.client, path)))  # type: ignore[misc]
    return found


def _asked_for() -> set[str]:
    return {re.split("[:,]", name)[0] for name in VIEWS} | ({"entity", "campaign"})


async def _get(client: httpx2.AsyncClient, path: str) -> str:
    answer = await client.get(path, follow_redirects=True)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


async def _score(client: httpx2.AsyncClient, credential: str) -> None:
    """So many logins, which the projector takes to the rows of the console; in a store that has them nothing is new."""
    for n in range(SCORED):
        event = {
            "event_id": f"bench-{n}", "user_id": f"usr_bench_{n}", "ip": f"198.51.100.{n}", "device_id": f"dev-{n}",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
        }  # fmt: skip
        answer = await client.post("/score", json=event, headers={"authorization": f"Bearer {credential}"})
        answer.raise_for_status()
