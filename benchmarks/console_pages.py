"""The pages beside the table of sign-ins that read it: one of each kind of entity, the index of them, a campaign.

The campaign is invented too: five thousand accounts, the last forty of which did two thousand things each.
"""

import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.console_times import Took, took
from benchmarks.console_values import NOW, SHADOW, Drawn
from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.campaign_rows import CampaignRows
from risk_scorer.adapters.console.campaign_seen import CampaignSightings
from risk_scorer.adapters.console.entity_rows import EntityRows
from risk_scorer.adapters.console.gateway import NoGateway
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.adapters.shadow_log import ShadowLog
from risk_scorer.adapters.tables import activity_events
from risk_scorer.assembly import opened_lookups
from risk_scorer.core.console.sign_in_page import Cursor
from risk_scorer.flows.console.campaigns import Campaigns
from risk_scorer.flows.console.entities import Entities
from risk_scorer.flows.console.models import MOST_COUNTED
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.settings import Settings

CAMPAIGN: Final = "cmp_invented"
MEMBERS: Final = 5_000
BUSY: Final = 40
DEEDS: Final = 2_000
SPAN: Final = 86_400.0
JA4: Final = "t13d190900_9dc949149365_97f8aa674fc4"
EVENT: Final = {
    "event_id": "", "session_id": "s", "client_id": "app-0", "prefix": "", "asn": 0, "country": "", "device_id": "d",
    "ja4": JA4, "user_agent": "Mozilla/5.0", "browser": "", "endpoint": "/", "method": "GET", "status": 200,
    "latency_ms": None, "bytes_in": 0, "bytes_out": 0, "service": "", "trace_id": "", "event_type": "", "score": 1.0,
    "signals": "[]", "answered": None, "said": None,
}  # fmt: skip
COLUMNS: Final = tuple(column.name for column in activity_events.columns if column.name != "id")
KEEP: Final = f"INSERT INTO activity_events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608


class Pages(NamedTuple):
    """What is asked."""

    entities: Entities
    campaigns: Campaigns


Ask = Callable[[Pages, Drawn], Awaitable[object]]


def pages_of(database: Database, now: float) -> Pages:
    """The flows behind the pages, over that database; without a gateway."""
    clock = FixedClock(now)
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(risk_scorer_geo_cache=Path(place), risk_scorer_profile="demo")
        observer = opened_lookups(settings).observer
    sign_ins = SignIns(SignInRows(database), clock=clock)
    entities = Entities(sign_ins=sign_ins, rows=EntityRows(database), observer=observer, clock=clock)
    sightings = CampaignSightings(database)
    return Pages(entities, Campaigns(rows=CampaignRows(database), sightings=sightings, gateway=NoGateway()))


def _entity(kind: str, value: Callable[[Drawn], str | int], *, far: bool = False) -> Ask:
    async def ask(pages: Pages, drawn: Drawn) -> object:
        entity = pages.entities.entity(kind, str(value(drawn)))
        if far:
            return await pages.entities.people(entity, str(Cursor(drawn.moment(), 0)))
        return await pages.entities.known(entity)

    return ask


PAGES: Final[dict[str, Ask]] = {
    "entity: address": _entity("address", lambda drawn: drawn.address()),
    "entity: network": _entity("address", lambda drawn: drawn.network()),
    "entity: ASN": _entity("asn", lambda drawn: drawn.asn()),
    "entity: ASN, people far back": _entity("asn", lambda drawn: drawn.asn(), far=True),
    "entity: device": _entity("device", lambda drawn: drawn.device()),
    "entity: fingerprint": _entity("fingerprint", lambda drawn: drawn.ja4()),
    "entity: country": _entity("country", lambda drawn: drawn.country()),
    "entity: country, people far back": _entity("country", lambda drawn: drawn.country(), far=True),
    "notable entities": lambda pages, _: pages.entities.notable(),
    "campaigns": lambda pages, _: pages.campaigns.page(state="", after=""),
    "campaign": lambda pages, _: pages.campaigns.one(CAMPAIGN, ""),
}


async def page_times(database: Database, drawn: Drawn, *, times: int) -> dict[str, list[Took]]:
    """Of each time that each was asked."""
    pages, found = pages_of(database, NOW), dict[str, list[Took]]()
    log = ShadowLog(database)
    shadow, active = SHADOW
    for name, ask in PAGES.items():
        drawn.chance.seed(name)
        found[name] = [await took(lambda ask=ask: ask(pages, drawn)) for _ in range(times)]  # type: ignore[misc]
    found["a shadow's day"] = [
        await took(lambda: log.counts(active, shadow, NOW - SPAN, most=MOST_COUNTED)) for _ in range(times)
    ]
    found["a shadow's day, those that differ"] = [
        await took(lambda: log.differing(active, shadow, NOW - SPAN, 20, most=MOST_COUNTED)) for _ in range(times)
    ]
    return found


def with_campaign(store: Path, now: float) -> Path:
    """That store, in which it is, once."""
    with closing(sqlite3.connect(store)) as connection, connection:
        if not connection.execute("SELECT 1 FROM campaigns WHERE campaign_id = ?", (CAMPAIGN,)).fetchone():
            _invent(connection, now)
    return store


def _invent(connection: sqlite3.Connection, now: float) -> None:
    mark = '{"marks":[{"name":"rhythm","accounts":5000,"share":1.0,"base":0.02,"nats":24.0}],"overlap":1.0}'
    campaign = (CAMPAIGN, "open", 80.0, MEMBERS, 1, now - SPAN, now, now, now, None, mark.encode())
    connection.execute(f"INSERT INTO campaigns VALUES ({', '.join('?' * len(campaign))})", campaign)  # noqa: S608
    connection.executemany(
        "INSERT INTO campaign_signals VALUES (?, ?, ?, ?)",
        [(CAMPAIGN, "ja4", JA4, MEMBERS), *((CAMPAIGN, "address", f"45.9.0.{at}", 40) for at in range(60))],
    )
    connection.executemany(
        "INSERT INTO campaign_members VALUES (?, ?, 'rhythm', ?, ?, 0)",
        [(CAMPAIGN, _member(at), now - SPAN, now - at) for at in range(MEMBERS)],
    )
    for at in range(BUSY):
        deeds = (
            {**EVENT, "user_id": _member(at), "ts": now - SPAN + SPAN / DEEDS * n, "ip": f"45.9.0.{(at + n) % 60}"}
            for n in range(DEEDS)
        )
        connection.executemany(KEEP, ([each[name] for name in COLUMNS] for each in deeds))


def _member(at: int) -> str:
    return f"bot-{at:04d}"
