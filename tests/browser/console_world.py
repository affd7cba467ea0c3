"""Thirty days of an invented company at a scorer, told through its own doors by a clock that is led through them.

Everything is synthetic: logins and what people did afterwards come from `risk-training simulate`, what was decided and
how it ended from simple rules below. Kept apart from what strangers of a real company would see.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2

from plumbing.clock import FixedClock
from plumbing.randomness import SeededRandomness
from risk_scorer.app import create_app
from risk_scorer.assembly import assemble
from risk_scorer.settings import Settings
from tests.integration.risk_scorer.service import shared_lookups

TRAINING: Final = "from training.cli import main; main()"
DAY: Final = 86_400.0
DAYS: Final = 30
LOGINS, DEEDS, ACTIVE_PEOPLE, ACTIVE_DAYS = 6_000, 6_000, 40, 3
RULES: Final = {"allow": "low", "challenge": "medium_risk", "deny": "high_risk"}
NAMES: Final = ("ip", "user_agent", "device_id", "country", "region", "city", "ja4", "ja4h", "ja4s")


@dataclass(frozen=True, slots=True)
class Model:
    """A registry with a version in use, the keys to it, and the log that the model did not see."""

    registry: Path
    key: Path
    later: Sequence[dict[str, str]]

    @property
    def settings(self) -> dict[str, str]:
        return {"MODEL_REGISTRY": str(self.registry), "MODEL_PUBLIC_KEYS": str(self.key.with_suffix(".pub"))}


def training(*arguments: str | Path) -> str:
    """What a command of `risk-training` printed."""
    command = [sys.executable, "-c", TRAINING, *(str(each) for each in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fitted(place: Path) -> Model:
    """Two versions in a registry, the first in use and the second beside it, from all but the log's last month."""
    log, early, registry, key = (place / name for name in ("all.csv", "early.csv", "registry", "signing.key"))
    place.mkdir(parents=True, exist_ok=True)
    training("simulate", "--rows", str(LOGINS), "--seed", "11", "--out", log)
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    until = _seconds(rows[-1]["timestamp"]) - DAYS * DAY
    later = [row for row in rows if _seconds(row["timestamp"]) >= until]
    if registry.exists():
        return Model(registry, key, later)
    with early.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row for row in rows if _seconds(row["timestamp"]) < until)
    why = ("--override", "data_age", "--override", "budget_deny", "--reason", "an invented company")
    for seed, act in (("1", "promote"), ("2", "shadow")):
        models = place / f"models-{seed}"
        training("train", "--input", early, "--model-dir", models, "--key", key, "--registry", registry, "--seed", seed)
        training(act, "newest", "--registry", registry, "--key", key, *(why if act == "promote" else ()))
    return Model(registry, key, later)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def told(settings: Settings, later: Sequence[dict[str, str]], place: Path, *, now: float) -> None:
    """The scorer's database afterwards has those logins as of the last thirty days, and three days of deeds."""
    deeds = place / "deeds.jsonl"
    people, days = str(ACTIVE_PEOPLE), str(ACTIVE_DAYS)
    sizes = ("--rows", str(DEEDS), "--people", people, "--days", days)
    training("simulate", "--kind", "activity", *sizes, "--seed", "11", "--out", deeds)
    done = [json.loads(line) for line in deeds.read_text().splitlines()]
    asyncio.run(_tell(settings, later, done, now))


@dataclass(slots=True)
class Desk:
    """Analysts who judge some of what they see, an hour or two later."""

    client: httpx2.AsyncClient
    waiting: list[tuple[float, dict[str, str]]] = field(default_factory=list)

    async def work(self, now: float) -> None:
        due = [said for at, said in self.waiting if at <= now]
        self.waiting = [each for each in self.waiting if each[0] > now]
        for said in due:
            (await self.client.post("/feedback", json=said)).raise_for_status()


async def _tell(settings: Settings, logins: Sequence[dict[str, str]], deeds: list[dict[str, Any]], now: float) -> None:
    attacks = [place for place, row in enumerate(logins) if row["label"] not in ("", "honest")]
    logins = logins[: attacks[-1] + 12]
    shift = now - 120.0 - _seconds(logins[-1]["timestamp"])
    first = _seconds(logins[0]["timestamp"]) + shift
    clock, chance = FixedClock(first), random.Random(11)
    scorer = assemble(settings, clock=clock, randomness=SeededRandomness(5), lookups=shared_lookups())
    app = create_app(scorer.settings, scorer=scorer)
    credential = scorer.credentials.add("company", ["score", "outcomes", "feedback", "activity", "vouch"])
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app),
            base_url="http://127.0.0.1:8000",
            headers={"authorization": f"Bearer {credential}"},
        ) as client,
    ):
        desk = Desk(client)
        for row in logins:
            clock.advance(max(0.0, _seconds(row["timestamp"]) + shift - clock.now()))
            await _login(desk, row, clock.now(), chance)
            await desk.work(clock.now())
        last = max(_seconds(str(each["event"]["timestamp"])) for each in deeds)
        for each in deeds:
            _move(each, now - 60.0 - last)
        for start in range(0, len(deeds), 200):
            answer = await client.post("/assess/bulk", json=deeds[start : start + 200])
            assert answer.status_code == 200, answer.text
            await asyncio.sleep(0)
        await asyncio.sleep(2.0)  # the loops behind the log come to its end


async def _login(desk: Desk, row: dict[str, str], now: float, chance: random.Random) -> None:
    """One login, what was decided about it, and how it ended: an attack never passes a second factor."""
    event = {name: row[name] for name in NAMES} | {"user_id": account(row["user_id"]), "timestamp": now}
    client = desk.client
    scored = (await client.post("/score", json=event)).raise_for_status().json()
    score, id_ = scored["risk_score"], scored["event_id"]
    decision = "allow" if score < 60 else "challenge" if score < 80 else "deny"
    owner = row["label"] in ("", "honest")
    outcome = "success" if decision == "allow" else "mfa_passed" if owner and chance.random() < 0.9 else "mfa_failed"
    factor = {"challenge": chance.choice(("totp", "webauthn", "push"))}.get(decision, "")
    words = {"event_id": id_, "decision": decision, "rule": RULES[decision], "factor": factor}
    words |= {"client_id": chance.choice(("payroll", "wiki", "mail")), "at": now}
    body = {"event_id": f"out-{id_}", "event": {**event, "event_id": id_}, "outcome": outcome, "ts": now}
    if decision != "deny":
        (await client.post("/outcomes", json=body | {"decisions": [words]})).raise_for_status()
    else:
        (await client.post("/decisions", json=[words])).raise_for_status()
    if score >= 60 and chance.random() < 0.4:
        verdict = "confirmed_safe" if owner else "confirmed_compromised"
        said = {"event_id": id_, "verdict": verdict, "by": "mara", "reason": "asked the person by telephone"}
        desk.waiting.append((now + chance.uniform(600.0, 14_400.0), said))


def account(name: str) -> str:
    """The gateway's id of that person."""
    return f"id-{name}"


def _move(deed: dict[str, Any], shift: float) -> None:
    deed["identity"]["user_id"] = account(deed["identity"]["user_id"])
    for part in (deed["identity"], deed["event"], deed.get("privilege_change") or {}):
        if "timestamp" in part:
            part["timestamp"] = _seconds(str(part["timestamp"])) + shift
