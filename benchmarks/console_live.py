"""From a decision to a browser's screen at a hundred decisions a second: a real scorer, and a real Chromium that has
the first page of the console open. The logins are invented (synthetic), of ten thousand people.

Measured twice: as the page is by itself, which folds so many into a count and is up to date when the count has the
login; and with *Follow all*, where each login's own row must be in the table. A login counts from the moment it was
scored at (`ts_scored`) by the same machine's clock. The second is printed and has no bound: nobody reads so fast, and
what it takes is mostly the browser's painting.
"""

import asyncio
import itertools
import random
import re
import shutil
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from rich.console import Console

from benchmarks.bounds import Bounded, percentile, tell
from benchmarks.home import Address, Home, command

RATE: Final = 100.0
SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 3.0
PEOPLE: Final = 10_000
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
WATCH: Final = """() => {
  window.seen = {};
  window.counts = [];
  const rows = document.getElementById("rows");
  const painted = (then) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => then(Date.now() / 1000);
    after.port2.postMessage("");
  });
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]).map((row) => row.dataset.event);
    painted((now) => added.forEach((event) => { window.seen[event] ??= now; }));
  }).observe(rows, { childList: true });
  const count = document.getElementById("newer-count");
  new MutationObserver(() => {
    const many = Number(count.textContent);
    painted((now) => window.counts.push([now, many]));
  }).observe(count, { childList: true, characterData: true, subtree: true });
}"""
"""What the page shows and when, written down by the browser itself, once the frame that has it was painted: what a
frame takes is counted, and at most the wait for the next one too."""


@dataclass
class Sent:
    """What was scored: id and when, in the order of the answers."""

    scored: list[tuple[str, float]] = field(default_factory=list)


def measure(console: Console) -> list[Bounded]:
    """Thirty seconds in each way."""
    from playwright.sync_api import sync_playwright  # a part of the tests' browser, which nothing else here needs

    with Home() as home, home.scorer() as scorer, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-headless-shell"), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.goto(_link(home, scorer))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/dashboard")
        page.locator("#status", has_text="Live").wait_for()
        page.evaluate(WATCH)
        folded = _loaded(scorer, "folded")
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        counted, rows_first = page.evaluate("window.counts"), page.evaluate("window.seen")
        page.reload()
        page.locator("#status", has_text="Live").wait_for()
        page.evaluate(WATCH)
        warm = _loaded(scorer, "warm", seconds=3.0)
        page.get_by_role("button", name="Follow all").click()
        followed = _loaded(scorer, "followed")
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        seen, rows = page.evaluate("window.seen"), page.locator("#rows tr").count()
        chromium.close()
    by_count = _by_count(folded, counted, rows_first)
    by_row = [seen[event] - at for event, at in followed.scored if event in seen]
    console.print(f"  {len(folded.scored) + len(warm.scored) + len(followed.scored)} logins; {rows} rows in the page")
    _tell("followed", by_row, followed, console)
    _tell("folded", by_count, folded, console)
    figures = [
        Bounded("logins never on screen", float(len(folded.scored) - len(by_count)), "", most=0.0),
        Bounded("decision to screen, p95", percentile(by_count, 0.95), "s", most=1.0),
    ]
    tell(figures, console)
    return figures


def _tell(name: str, took: list[float], sent: Sent, console: Console) -> None:
    span = sent.scored[-1][1] - sent.scored[0][1]
    console.print(
        f"  {name}: {len(sent.scored) / span:.0f} a second for {span:.0f} s; on screen after "
        f"p50 {percentile(took, 0.5):.3f} s, p95 {percentile(took, 0.95):.3f} s, max {max(took):.3f} s; "
        f"{len(sent.scored) - len(took)} never"
    )


def _by_count(sent: Sent, counted: list[tuple[float, int]], seen: dict[str, float]) -> list[float]:
    """How long until each was on the screen: as a row, as long as the page did not fold, or in its count."""
    began = next((when for when, many in counted if many), float("inf"))
    shown_first = sum(when <= began for when in seen.values())
    took = []
    for place, (event, at) in enumerate(sorted(sent.scored, key=lambda each: each[1])):
        by_count = (when for when, many in counted if place >= shown_first and many + shown_first > place)
        moments = [*itertools.islice(by_count, 1), *([seen[event]] if event in seen else [])]
        if moments:
            took.append(min(moments) - at)
    return took


def _loaded(scorer: Address, name: str, *, seconds: float = SECONDS) -> Sent:
    sent = Sent()
    thread = threading.Thread(target=lambda: asyncio.run(_send(scorer, name, seconds, sent)))
    thread.start()
    thread.join()
    return sent


async def _send(scorer: Address, name: str, seconds: float, sent: Sent) -> None:
    """So many a second, each at its moment, whatever became of those before it."""
    people = random.Random(name)
    headers = {"authorization": f"Bearer {scorer.credential}"}
    limits = httpx2.Limits(max_connections=32)
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{scorer.port}", headers=headers, limits=limits, trust_env=False, timeout=10.0
    ) as client:

        async def score(number: int) -> None:
            person = people.randrange(PEOPLE)
            event: dict[str, Any] = {
                "event_id": f"{name}-{number}",
                "user_id": f"synthetic-{person}",
                "ip": f"91.{person % 64}.{person // 64 % 250}.{1 + person % 250}",
                "user_agent": AGENT,
                "device_id": f"device-{person}",
            }
            answer = (await client.post("/score", json=event)).raise_for_status().json()
            sent.scored.append((answer["event_id"], answer["ts_scored"]))

        began, asked = time.monotonic(), []
        for number in range(int(RATE * seconds)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            asked.append(asyncio.create_task(score(number)))
        await asyncio.gather(*asked)


def _link(home: Home, scorer: Address) -> str:
    """Opens the console once."""
    environment = {
        "RISK_SCORER_PROFILE": "demo",
        "RISK_SCORER_STATE": str(home.state / "scorer"),
        "RISK_SCORER_PORT": str(scorer.port),
    }
    printed = home.run(command("risk-scorer"), "operator-link", environment=environment)
    found = re.search(r"http\S+", printed)
    assert found is not None
    return found.group()
