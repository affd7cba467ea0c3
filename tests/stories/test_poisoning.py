"""An attacker cannot teach: whatever he tries first, he is as strange as before or stranger, and his victim gets in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo.house import NETWORKS, Workplace
from tests.stories.scorer_process import scorer

ATTACK_BEGINS = 1_754_755_200.0  # 2025-08-09T16:00:00Z, when the training log has just ended
ATTACK_ENDS = ATTACK_BEGINS + 3600.0
LEVELS = ["low", "medium", "high"]
MEDIUM_FROM = 60.0

VICTIM_AT_HOME: dict[str, Any] = {
    "user_id": "u214", "ip": "82.12.29.54", "device_id": "dev-a6c86b7cf6", "country": "GB", "region": "ENG",
    "city": "London", "asn": 5089,
    "user_agent": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/138.0.0.0 Safari/537.36"
    ),
    "ja4": "t13d1517h2_8daaf6152771_b0da82dd1658", "ja4h": "po20cr16enus_e783764ad05f",
    "ja4s": "t130200_1301_234ea6891581",
}  # fmt: skip
"""Somebody with two months of logins in the log, at the place of most of them."""

FIREFOX = {
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "ja4": "t13d1715h2_5b57614c22b0_3d5424432f57",
    "device_id": "attackers-box",
}
ATTACKERS: dict[str, dict[str, Any]] = {
    "abroad": {**FIREFOX, "ip": "203.0.113.25", "country": "BR", "region": "SP", "city": "São Paulo"},
    "same country": {**FIREFOX, "ip": "86.135.185.77", "country": "GB"},
    "next door": {**FIREFOX, "ip": "82.12.29.99", "country": "GB", "asn": 5089},
    "inside the home network": {**FIREFOX, "ip": "82.12.29.54", "country": "GB", "asn": 5089},
    "inside, with the victim's browser": {**VICTIM_AT_HOME, "device_id": "attackers-box"},
}


@dataclass
class World:
    """A scorer that knows everybody of the log, and an attacker's place in it."""

    client: httpx2.Client
    attacker: dict[str, Any]
    sent: int = 0

    def score(self, context: dict[str, Any], *, at: float = ATTACK_ENDS) -> tuple[float, str]:
        """What a login of the victim from this context would be answered with."""
        answer = self.client.post("/score", json={**context, "user_id": "u214", "timestamp": at})
        found = answer.raise_for_status().json()
        return found["risk_score"], found["risk_level"]

    def end(self, outcome: str, times: int, *, users: int = 0, **context: Any) -> None:
        """So many logins from the attacker's place end so, spread over an hour; for the victim or for many people."""
        reports = []
        for n in range(times):
            self.sent += 1
            ts = ATTACK_BEGINS + 3600.0 * n / times
            user = f"u{n % users + 1}" if users else "u214"
            event = {**self.attacker, "user_id": user, "timestamp": ts, **context}
            reports.append({"event_id": f"told-{self.sent}", "event": event, "outcome": outcome, "ts": ts})
        answer = self.client.post("/outcomes", json=reports).raise_for_status().json()
        assert answer == {"learned": times, "known_before": 0}

    def forge(self, times: int) -> None:
        """So many events that claim to be the victim's successful logins are sent to be scored, alone and in bulk."""
        claims = [
            {**self.attacker, "user_id": "u214", "timestamp": ATTACK_BEGINS + n, "success": True} for n in range(times)
        ]
        self.client.post("/bulk_score", json=claims[::2]).raise_for_status()
        for claim in claims[1::2]:
            self.client.post("/score", json=claim).raise_for_status()


@pytest.fixture(params=ATTACKERS)
def world(request: pytest.FixtureRequest, tmp_path: Path, trained_models: Path) -> Iterator[World]:
    """The real process with the model of the bundled log, for each place an attacker may be at."""
    key = Workplace(trained_models.parent / "demo", trained_models).signing_key.with_suffix(".pub")
    settings = {"MODEL_DIR": str(trained_models), "MODEL_PUBLIC_KEYS": str(key), "IP_OVERLAY": str(NETWORKS)}
    with scorer(tmp_path, **settings) as process:
        process.start()
        with process.client(process.credential()) as client:
            yield World(client, ATTACKERS[request.param])


def test_an_attacker_is_never_made_familiar_and_never_locks_the_owner_out(world: World) -> None:
    """Guesses, stopped factors, forged events, logins to an account of his own, waiting until the victim has signed in:
    each leaves him where he was, or worse off, and the victim at home below the mark for a second factor."""
    score, level = world.score(world.attacker)
    assert world.score(VICTIM_AT_HOME)[0] < MEDIUM_FROM
    attempts: list[Callable[[], None]] = [
        lambda: world.end("failure", 500),
        lambda: world.end("mfa_failed", 50),
        lambda: world.forge(200),
        lambda: world.end("failure", 300, users=100),
        lambda: world.end("success", 500, user_id="mallory"),
        lambda: world.end("success", 1, **VICTIM_AT_HOME),
    ]
    for attempt in attempts:
        attempt()
        after, level_after = world.score(world.attacker)
        assert after >= score
        assert LEVELS.index(level_after) >= LEVELS.index(level)
        assert world.score(VICTIM_AT_HOME)[0] < MEDIUM_FROM
    assert after > score  # a hundred people failed for from there are told to the next stranger
