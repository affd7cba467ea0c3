"""Invented crowds for campaign detection (synthetic): ordinary people, offices, carriers, and bots."""

import random
from collections.abc import Iterator

from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, NEW, Sighting

NOW = 1_760_000_000.0
DAY = 86_400.0
CHROME, FIREFOX, SAFARI = "t13d1516h2_8daaf6152771_e5627efa2ab1", "t13d1715h2_5b57614c22b0_3d5424432f57", "t13d2014h2"
BROWSERS = ((CHROME, "Mozilla/5.0 Chrome/126"), (FIREFOX, "Mozilla/5.0 Firefox/127"), (SAFARI, "Mozilla/5.0 Safari/17"))
BOT_JA4 = "t13d190900_9dc949149365_97f8aa674fc4"


def people(
    count: int, chance: random.Random, *, address: str = "", name: str = "person", ja4: str = ""
) -> Iterator[Sighting]:
    """People with a device, a popular browser and a home, who come a few times a day and sometimes mistype; those with
    an `address` are all behind it half of the time, and those with a `ja4` all use that program."""
    for number in range(count):
        popular, agent = chance.choices(BROWSERS, (70, 15, 15))[0]
        home = f"81.{number // 200 % 200}.{number % 200}.{chance.randrange(1, 250)}"
        for _ in range(chance.randrange(3, 12)):
            yield Sighting(
                account=f"{name}-{number}",
                moment=NOW - chance.random() * DAY,
                address=address if address and chance.random() < 0.5 else home,
                device=f"device-{name}-{number}",
                ja4=ja4 or popular,
                user_agent=agent,
                marks=FAILED if chance.random() < 0.03 else 0,
            )


def bots(
    count: int,
    chance: random.Random,
    *,
    name: str = "bot",
    ja4: str = BOT_JA4,
    every: float = 30.0,
    began: float = NOW - 3600.0,
    events: int = 25,
    network: str = "45.9",
    marks: int = 0,
) -> Iterator[Sighting]:
    """Accounts each behind a proxy of its own, with one TLS fingerprint and one rhythm; nothing else is the same."""
    for number in range(count):
        at = began + chance.random() * every
        for _ in range(events):
            yield Sighting(
                account=f"{name}-{number}",
                moment=at,
                address=f"{network}.{number}.7",
                device=f"device-{name}-{number}",
                ja4=ja4,
                user_agent=chance.choice(BROWSERS)[1],
                marks=marks,
            )
            at += every * chance.uniform(0.95, 1.05)


def stuffing(count: int, *, address: str = "203.0.113.9", began: float = NOW - 1800.0) -> Iterator[Sighting]:
    """One machine that tries a password on each account, once."""
    for number in range(count):
        moment = began + number * 2.0
        yield Sighting(
            account=f"person-{number}",
            moment=moment,
            address=address,
            ja4="t13d-python",
            user_agent="python",
            marks=FAILED,
        )


__all__ = ["BOT_JA4", "DAY", "DETECTED", "NEW", "NOW", "bots", "people", "stuffing"]
