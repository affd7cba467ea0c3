"""A small log for the tests of training: forty people with homes, devices and habits, some travel, some strangers."""

from dataclasses import replace
from typing import Any

import numpy as np

from risk_scorer.core.facts import IpFacts
from training.lookups import Lookups
from training.sources import EventTable

START = 1_590_969_600.0
"""2020-06-01T00:00:00Z, a Monday."""
COUNTRIES = ("NO", "US", "DE", "SE")
PLACES = {"NO": (59.9, 10.7), "US": (40.7, -74.0), "DE": (52.5, 13.4), "SE": (59.3, 18.1)}
BROWSERS = ("Chrome 84", "Firefox 78", "Edge 84", "Safari 13")
SYSTEMS = ("Windows 10", "Mac OS X 10", "Ubuntu 20", "iOS 13")
JA4S = ("t13d1516h2_8daaf6152771_02713d6af862", "t13d1715h2_5b57614c22b0_3d5424432f57", "not-a-ja4")


def objects(values: list[Any]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def log(rows: int = 3000, *, seed: int = 1, people: int = 40) -> EventTable:
    """So many logins over sixty days, with every column of our schema."""
    chance = np.random.default_rng(seed)
    who = chance.integers(0, people, rows)
    away = chance.random(rows) < 0.04
    fresh = chance.random(rows) < 0.03
    country = [COUNTRIES[(person + (3 if gone else 0)) % 4] for person, gone in zip(who, away, strict=True)]
    operator = np.array([COUNTRIES.index(name) for name in country]) * 10 + 100 + who % 3
    host = np.where(fresh, chance.integers(50, 250, rows), who % 40 + 1)
    browser = [BROWSERS[(person + int(new)) % 4] for person, new in zip(who, fresh, strict=True)]
    return EventTable(
        timestamp=np.sort(START + chance.random(rows) * 60 * 86_400.0),
        user_id=objects([f"u{person}" for person in who]),
        ip=objects([f"10.{net}.{spare}.{last}" for net, spare, last in zip(operator, who % 7, host, strict=True)]),
        user_agent=objects([f"Agent of {name}" for name in browser]),
        device_id=objects([f"d{person}-{int(new)}" for person, new in zip(who, fresh, strict=True)]),
        success=chance.random(rows) < 0.85,
        country=objects(country),
        region=objects([""] * rows),
        city=objects([""] * rows),
        ja4=objects([JA4S[int(number)] for number in chance.choice(3, rows, p=(0.6, 0.38, 0.02))]),
        ja4h=objects([f"h{person % 5}" for person in who]),
        ja4s=objects([f"s{person % 2}" for person in who]),
        asn=operator.astype(np.int64),
        ip_rep=np.where(fresh, 60.0, 5.0) + who % 5,
        rtt_ms=np.full(rows, np.nan),
        browser=objects(browser),
        os=objects([SYSTEMS[(person + int(new)) % 4] for person, new in zip(who, fresh, strict=True)]),
        device_type=objects(["mobile" if person % 4 == 3 else "desktop" for person in who]),
        probe=objects([""] * rows),
        row_order=np.arange(rows),
        present=frozenset(
            {
                "timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "ja4", "ja4h", "ja4s",
                "asn", "ip_rep", "browser", "os", "device_type",
            }
        ),
        rows_in_file=rows,
    )  # fmt: skip


def without(table: EventTable, *columns: str) -> EventTable:
    """The same log, lacking these text columns."""
    empty = {name: objects([""] * len(table)) for name in columns}
    return replace(table, **empty, present=table.present - set(columns))


def network(ip: str) -> IpFacts:
    """True facts about the log's made-up addresses."""
    octet = int(ip.split(".")[1])
    country = COUNTRIES[(octet - 100) // 10]
    latitude, longitude = PLACES[country]
    return IpFacts(asn=octet, asn_name=f"Net {octet}", country=country, latitude=latitude, longitude=longitude)


LOOKUPS = Lookups(network=network)
