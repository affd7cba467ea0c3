"""What people found out about logins, as lines for training, and the file they go to.

Apart from the store of verdicts, because the command line needs no history and starts without numpy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, select

from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.tables import verdicts
from risk_scorer.contract.events import LoginEvent

PAGE_ROWS = 1000
LABELS = {"confirmed_compromised": "compromised", "confirmed_safe": "safe"}

LABELLED = Statement(
    select(verdicts.c.event_id, verdicts.c.verdict, verdicts.c.by, verdicts.c.ts, verdicts.c.event)
    .where(verdicts.c.event_id > bindparam("after_id"), verdicts.c.verdict != "dismissed")
    .order_by(verdicts.c.event_id)
    .limit(PAGE_ROWS)
)
_events = msgspec.json.Decoder(LoginEvent)
_encode = msgspec.json.Encoder().encode


def label_lines(database: Database) -> Iterator[bytes]:
    """Every confirmed login as one JSON object a line: the event's fields, `label`, `by` and `at`. Raises: Refused."""
    after_id = ""
    while rows := database.read(lambda tx, after_id=after_id: tx.all(LABELLED, after_id=after_id)):  # type: ignore[misc]
        for event_id, verdict, by, ts, event in rows:
            fields = msgspec.structs.asdict(_events.decode(event))
            yield _encode({**fields, "event_id": event_id, "label": LABELS[verdict], "by": by, "at": ts}) + b"\n"
        after_id = rows[-1][0]


def write_whole(path: Path, lines: Iterable[bytes], *, may_replace: bool) -> int:
    """Write the lines to a new file at `path`; how many.

    It is there with all of them or stays as it was, and is closed to other users of the machine: it holds people's
    logins. Raises: FileExistsError unless it may be replaced, OSError.
    """
    draft, count = path.with_name(f".{path.name}.{os.getpid()}.part"), 0
    with suppress(FileNotFoundError):
        draft.unlink()
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for line in lines:
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        if may_replace:
            os.replace(draft, path)
        else:
            os.link(draft, path)  # refuses a file that is there, be it since this moment
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return count
