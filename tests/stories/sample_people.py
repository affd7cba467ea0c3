"""The people of the bundled log as attackers and victims: where each usually is, and a scorer that knows them all."""

import csv
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from demo.house import SAMPLE

LOG_ENDS = 1_754_755_200.0  # 2025-08-09T16:00:00Z, when the log has just ended
HOUR, DAY = 3600.0, 86_400.0
MEDIUM_FROM, HIGH_FROM = 60.0, 80.0

Context = dict[str, Any]
Answer = dict[str, Any]

NETWORK_FIELDS = ("ip", "asn", "ip_rep", "country", "region", "city")
CLIENT_FIELDS = ("user_agent", "device_id", "ja4", "ja4h", "ja4s")
SESSION_FIELDS = ("ip", "user_agent", "device_id", "ja4")

ABROAD: Context = {"ip": "203.0.113.25"}
TOR_EXIT: Context = {"ip": "185.220.101.4"}
LISTED: Context = {"ip": "203.0.113.200"}
HOSTING: Context = {"ip": "140.82.0.128"}
FIREFOX: Context = {
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "ja4": "t13d1715h2_5b57614c22b0_3d5424432f57",
    "device_id": "somebodys-firefox",
}
CURL: Context = {"user_agent": "curl/8.7.1", "ja4": "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", "device_id": ""}
PROGRAM_JA4 = "t13d190900_9dc949149365_97f8aa674fd9"
"""The TLS handshake of a Go program, which no browser has."""


@dataclass(frozen=True)
class People:
    """Each person's own finished logins, oldest first, as contexts to score; attacks and failures are left out."""

    logins: dict[str, list[Context]]

    def known(self, at_least: int = 5) -> list[str]:
        """People with so many logins."""
        return sorted(user for user, own in self.logins.items() if len(own) >= at_least)

    def usual(self, user: str) -> Context:
        """The newest login from the place and with the client that the person has most often."""

        def place_and_client(login: Context) -> tuple[Any, ...]:
            return tuple(login.get(field) for field in ("ip", "device_id", "user_agent", "country", "city"))

        own = self.logins[user]
        often = Counter(map(place_and_client, own))
        most = max(often.values())
        return next({**login, "user_id": user} for login in reversed(own) if often[place_and_client(login)] == most)

    def elsewhere(self, user: str, network: Context, **client: Any) -> Context:
        """The person's usual client, unless changed, on another network, of which only the address is reported."""
        kept = {field: value for field, value in self.usual(user).items() if field not in NETWORK_FIELDS}
        return {**kept, **network, **client}

    def pairs(self, number: int, *, seed: int) -> list[tuple[str, str]]:
        """So many pairs of a victim and another person."""
        chance, known = random.Random(seed), self.known()
        return [(victim, other) for victim, other in (chance.sample(known, 2) for _ in range(number))]


def read_people() -> People:
    """Everybody who is in the log."""
    logins: dict[str, list[Context]] = defaultdict(list)
    with SAMPLE.open(newline="") as rows:
        for row in csv.DictReader(rows):
            if row["success"] == "true" and not row["label"]:
                context: Context = {name: row[name] for name in (*NETWORK_FIELDS, *CLIENT_FIELDS) if row[name]}
                context |= {name: kind(context[name]) for name, kind in NUMBERS.items() if name in context}
                logins[row["user_id"]].append(context)
    return People(dict(logins))


NUMBERS: dict[str, type[int] | type[float]] = {"asn": int, "ip_rep": float}


def session_of(context: Context, *, at: float = LOG_ENDS - HOUR) -> dict[str, Any]:
    """The session that a login from this context began."""
    kept: dict[str, Any] = {name: context[name] for name in SESSION_FIELDS if name in context}
    return kept | {"started_at": at}


@dataclass
class SampleScorer:
    """A running scorer with the model of the bundled log, as a gateway and an operator use it."""

    client: httpx2.Client
    people: People
    numbers: Iterator[int]

    def score(self, context: Context, *, at: float = LOG_ENDS, **event: Any) -> Answer:
        """The answer to one login, which was not asked before; its reasons add up to its score."""
        body = {"event_id": f"asked-{next(self.numbers)}", **context, "timestamp": at, **event}
        found: Answer = self.client.post("/score", json=body).raise_for_status().json()
        points = [reason["points"] for reason in found["reasons"]]
        assert min(points) >= 0.0
        assert math.isclose(sum(points), found["risk_score"], abs_tol=1e-9)
        return found

    def points(self, context: Context, *, at: float = LOG_ENDS) -> float:
        """Its score alone."""
        found: float = self.score(context, at=at)["risk_score"]
        return found

    def scores(self, contexts: list[Context], *, at: float = LOG_ENDS) -> list[float]:
        """The scores of many at once."""
        answers = self.client.post("/bulk_score", json=[{"timestamp": at, **each} for each in contexts])
        return [answer["risk_score"] for answer in answers.raise_for_status().json()]

    def end(self, context: Context, outcome: str = "success", *, at: float = LOG_ENDS, event_id: str = "") -> str:
        """One login from this context ends so; its event id."""
        event_id = event_id or f"ended-{next(self.numbers)}"
        event = {**context, "timestamp": at, "event_id": event_id}
        body = {"event_id": event_id, "event": event, "outcome": outcome, "ts": at}
        assert self.client.post("/outcomes", json=body).raise_for_status().json()["learned"] == 1
        return event_id

    def judge(self, event_id: str, verdict: str) -> None:
        """Somebody finds that out about the login."""
        body = {"event_id": event_id, "verdict": verdict, "by": "soc/jane", "reason": "ticket 4711"}
        answer = self.client.post("/feedback", json=body).raise_for_status().json()
        assert answer == {"recorded": 1, "known_before": 0}


def codes(answer: Answer) -> list[str]:
    """The codes of its reasons, the heaviest first."""
    return [reason["code"] for reason in answer["reasons"]]


def said_of(answer: Answer, code: str) -> float:
    """The points that this reason adds; 0 when it is not told."""
    return float(sum(reason["points"] for reason in answer["reasons"] if reason["code"] == code))
