"""What people found out about logins, as lines for training, and the file they go to.

Apart from the store of verdicts, because the command line needs no history and starts without numpy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import bindparam, select

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import verdicts
from risk_scorer.adapters.verdict_words import Word, words_between
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import VerdictKind, source_of

PAGE_ROWS = 1000
WITHDRAWN = "withdrawn"
LABELS = {"confirmed_compromised": "compromised", "confirmed_safe": "safe", "dismissed": WITHDRAWN}

LABELLED = Statement(
    select(
        verdicts.c.event_id, verdicts.c.verdict, verdicts.c.by, verdicts.c.ts, verdicts.c.recorded_at, verdicts.c.event
    )
    .where(verdicts.c.event_id > bindparam("after_id"))
    .order_by(verdicts.c.event_id)
    .limit(bindparam("rows"))
)
_events = msgspec.json.Decoder(LoginEvent)
_encode = msgspec.json.Encoder().encode


class LabelPage(msgspec.Struct, frozen=True):
    """Some labelled logins as JSON objects, and the id after which the next page begins (None: there is none)."""

    labels: list[msgspec.Raw]
    next: str | None


def label_page(tx: Transaction, *, after_id: str, rows: int) -> LabelPage:
    """The labels of the next `rows` judged logins, in the order of their ids.

    Each has the event's fields, `label` (compromised, safe, or withdrawn where the newest word takes back what others
    said), whose word that is (`by`, `source`, `at`, `known_at`), and all `words`. A login that was only ever dismissed
    is no label. Raises: Refused.
    """
    found = tx.all(LABELLED, after_id=after_id, rows=rows)
    if not found:
        return LabelPage([], None)
    words = words_between(tx, found[0][0], found[-1][0])
    lines = []
    for event_id, verdict, by, ts, recorded_at, event in found:
        kind = cast(VerdictKind, verdict)
        alone = Word(verdict=kind, by=by, source=source_of(by, None), at=ts, known_at=recorded_at)
        said = words.get(event_id) or [alone]
        if any(word.verdict != "dismissed" for word in (*said, alone)):
            lines.append(msgspec.Raw(_encode(_label(event_id, event, kind, said))))
    return LabelPage(lines, found[-1][0] if len(found) == rows else None)


def _label(event_id: str, event: bytes, verdict: VerdictKind, words: list[Word]) -> dict[str, Any]:
    last = next((word for word in reversed(words) if word.verdict == verdict), words[-1])
    return {
        **msgspec.structs.asdict(_events.decode(event)),
        "event_id": event_id,
        "label": LABELS[verdict],
        "by": last.by,
        "source": last.source,
        "at": last.at,
        "known_at": last.known_at,
        "words": words,
    }


def label_lines(database: Database) -> Iterator[bytes]:
    """Every labelled login as one JSON object a line, as `label_page` has it. Raises: Refused."""
    after_id: str | None = ""
    while after_id is not None:
        page = database.read(lambda tx, after_id=after_id: label_page(tx, after_id=after_id, rows=PAGE_ROWS))  # type: ignore[misc]
        for line in page.labels:
            yield bytes(line) + b"\n"
        after_id = page.next


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
