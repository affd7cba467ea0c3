"""What consumers have kept, read past them from the database itself."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from risk_scorer.core.history import decode

READ_ROWS = 200


class _Score(msgspec.Struct):
    event_id: str


class _Event(msgspec.Struct):
    score: _Score


_ids = msgspec.json.Decoder(list[_Event])


@dataclass
class State:
    """The state of consumers at this place: on the server of that URL, or the file that they share."""

    place: Path
    url: str | None

    @property
    def settings(self) -> dict[str, str]:
        """What a process is told to keep its state there."""
        return {} if self.url is None else {"RISK_SCORER_DATABASE": self.url}

    def count(self) -> int:
        """How many events are in the log."""
        with self._rows("SELECT COALESCE(SUM(events), 0) FROM scored_events") as rows:
            return int(next(rows)[0])

    def events(self) -> Counter[str]:
        """Every event id in the log, with how often it is there."""
        with self._rows("SELECT body FROM scored_events") as rows:
            return Counter(each.score.event_id for row in rows for each in _ids.decode(row[0]))

    def logins(self) -> int:
        """How many logins all histories have learned."""
        with self._rows("SELECT blob FROM user_histories WHERE version > 0") as rows:
            return sum(decode(row[0]).logins for row in rows)

    @contextmanager
    def _rows(self, query: str) -> Iterator[Iterator[Any]]:
        if self.url is None:
            with closing(sqlite3.connect(self.place / "scorer" / "scorer.db")) as database:
                yield iter(database.execute(query))
            return
        with psycopg.connect(self.url) as server, server.cursor("reader") as cursor:
            cursor.itersize = READ_ROWS
            yield iter(cursor.execute(query.encode()))
