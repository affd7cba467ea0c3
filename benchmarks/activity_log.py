"""The invented log that `activity` plays, as bodies of `POST /assess/bulk` in a file, its sessions told beforehand.

Made by a process of its own, so that what it takes is no part of what the scorer takes.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from risk_scorer.acting import Acting, acting_of
from risk_scorer.assembly import Scorer, assemble
from risk_scorer.contract.sessions import MAX_NOTICES, SessionNotice
from risk_scorer.settings import Settings
from risk_scorer.upkeep import prepare
from training.activity.event import Event
from training.activity.log import Plan, events
from training.activity.rows import assess_body

EVENTS_A_PERSON, A_BODY, DAYS = 400, 1_000, 21
LEAST_PEOPLE_IN_MEMORY: Final = 20_000
"""As many as the scorer keeps in memory where nobody says another number."""

_encode = msgspec.json.Encoder().encode


def main() -> None:
    """Writes `bodies` and `state` into a directory."""
    size, place = int(sys.argv[1]), Path(sys.argv[2])
    scorer = scorer_of(size, place)
    try:
        asyncio.run(_written(scorer, size, bodies_in(place)))
    finally:
        scorer.close()


def people(size: int) -> int:
    """How many people a log of that size is of."""
    return max(20, size // EVENTS_A_PERSON)


def bodies_in(place: Path) -> Path:
    """Where the log is: a body a line."""
    return place / "bodies"


def most_resident_bytes() -> int:
    """What this process had in memory at most, without what its parent had when it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def scorer_of(size: int, place: Path) -> Scorer:
    """The scorer whose state is there, with room for everybody in memory."""
    return assemble(
        Settings(
            risk_scorer_state=place / "state", risk_scorer_profile="demo", model_dir=place / "none",
            risk_scorer_log_level="error", activity_people_in_memory=max(LEAST_PEOPLE_IN_MEMORY, people(size)),
        )
    )  # fmt: skip


async def _written(scorer: Scorer, size: int, file: Path) -> None:
    acting = acting_of(scorer)
    await prepare(scorer)
    known: set[str] = set()
    notices: list[SessionNotice] = []
    body: list[Any] = []
    with file.open("wb") as lines:
        for event in events(Plan(rows=size, people=people(size), days=DAYS)):
            if event.session_id not in known:
                known.add(event.session_id)
                notices.append(notice_of(event))
            body.append(assess_body(event))
            if len(body) == A_BODY:
                lines.write(_encode(body) + b"\n")
                body = []
            if len(notices) == MAX_NOTICES:
                await _told(acting, notices)
                notices = []
        if body:
            lines.write(_encode(body) + b"\n")
        await _told(acting, notices)
        lines.flush()
        os.fsync(lines.fileno())  # else the scorer's own writes would wait for these


async def _told(acting: Acting, notices: list[SessionNotice]) -> None:
    if notices:
        await acting.hear.notices(notices, path="$")


def notice_of(event: Event) -> SessionNotice:
    """What the gateway tells of the event's session when it begins."""
    return SessionNotice(
        session_id=event.session_id, user_id=event.user_id, state="started", at=event.started, client_id="app",
        ip=event.ip, user_agent=event.user_agent, device_id=event.device_id, ja4=event.ja4 or None, roles=event.roles,
        privileges=event.privileges,
    )  # fmt: skip


if __name__ == "__main__":
    main()
