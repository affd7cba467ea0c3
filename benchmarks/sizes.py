"""What one more person, login, refresh and scored event takes in a database: bytes with indexes, and bytes of WAL.

`python -m benchmarks.sizes --people 100000 --events 1000000`. A real gateway and a real scorer make rows of each kind
on PostgreSQL and on SQLite. The gateway's are repeated with keys of their own, as often as is asked for, and what a
table has grown by is told for each row. `docs/scaling.md` reckons with these figures.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from rich.console import Console

from benchmarks import people
from benchmarks.home import KEY, MODELS, Home
from plumbing.clock import SystemClock
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import open_state
from risk_scorer.core import artefact
from risk_scorer.core.history import encode

# By name: what tests are made of is not checked as strictly as we are.
running = import_module("tests.integration.risk_scorer.service").running
running_server = import_module("tests.postgresql").running_server
running_story = import_module("tests.stories.gateway.story").running_story

CHANCE = random.Random(0)
LIVED_LOGINS, REFRESHES_EACH, SCORED, AT_ONCE = 200, 5, 4_000, 16
BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)
ARGON2ID = "$argon2id$v=19$m=19456,t=2,p=1$hDCm9N47h/A+h/AeQ0gJQQ$4cWSyx18F3knd3uZY5yIl4pQsprY80ELEgfFvruncZE"
TEMPLATES = {
    "users": "user_id = 'id-bob'",
    "known_devices": "true",
    "sessions": "true",
    "refresh_families": "true",
    "refresh_tokens": "successor_digest IS NOT NULL",
    "audit": "kind = 'login.allowed'",
    "audit of refreshes": "kind = 'token.refreshed'",
    "outbox": "event_type = 'login.outcome'",
}
"""One row of each kind, as the story made it."""
KEYS: Mapping[str, Callable[[], object]] = {
    "session_id": lambda: _uuid(),
    "family_id": lambda: _uuid(),
    "event_id": lambda: f"evt_{_uuid()[:22]}",
    "message_id": lambda: f"msg_evt_{_uuid()[:22]}",
    "token_digest": lambda: CHANCE.randbytes(32),
    "successor_digest": lambda: CHANCE.randbytes(32),
    "device_digest": lambda: CHANCE.randbytes(32),
}
"""What differs from row to row, drawn so that indexes are filled in the disorder of real keys."""

Rows = Iterator[Sequence[object]]


def _uuid() -> str:
    return str(uuid.UUID(int=CHANCE.getrandbits(128), version=4))


class OnPostgresql:
    """Tables of a PostgreSQL database; an audit trail by months counts as one table."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def row(self, table: str, which: str) -> dict[str, Any]:
        asked = f"SELECT * FROM {table} WHERE {which}"  # noqa: S608 # both are ours
        cursor = self.connection.execute(asked.encode())
        assert cursor.description is not None
        return dict(zip((column.name for column in cursor.description), cursor.fetchall()[-1], strict=True))

    def insert(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self.connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def size(self, table: str) -> int:
        months = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(%s::regclass) WHERE isleaf"
        found = self.connection.execute(
            f"SELECT coalesce(({months}), pg_total_relation_size(%s::regclass))",
            (table, table),
        ).fetchone()
        assert found is not None
        return int(found[0])

    def written(self) -> int:
        """Bytes of WAL since the server was made."""
        found = self.connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        assert found is not None
        return int(found[0])

    def close(self) -> None:
        self.connection.close()


class OnSqlite:
    """Tables of a file; a table's size is what the file grows by while it is filled."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)

    def row(self, table: str, which: str) -> dict[str, Any]:
        cursor = self.connection.execute(f"SELECT * FROM {table} WHERE {which}")  # noqa: S608
        return dict(zip((column[0] for column in cursor.description), cursor.fetchall()[-1], strict=True))

    def insert(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        marks = ", ".join("?" * len(columns))
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
        self.connection.execute("COMMIT")

    def size(self, _table: str) -> int:
        pages, free, each = (
            self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * each)

    def close(self) -> None:
        self.connection.close()


def live(story: Any, written: Callable[[], int] | None) -> dict[str, float]:
    """Real logins and refreshes, so that there are rows to repeat; the WAL of each where it is counted."""
    headers, spent = {"user-agent": BROWSER}, {}
    count = written or (lambda: 0)
    tokens, before = [], count()
    for _ in range(LIVED_LOGINS):
        answer = story.login(headers=headers)
        tokens.append(answer.json()["tokens"]["refresh_token"])
        story.clock.advance(1.0)
    spent["WAL of a login"] = (count() - before) / LIVED_LOGINS
    before = count()
    for token in tokens:
        for _ in range(REFRESHES_EACH):
            form = {"grant_type": "refresh_token", "refresh_token": token}
            token = story.ask("POST", "/token", data=form, headers=headers).json()["refresh_token"]
            story.clock.advance(1.0)
    spent["WAL of a refresh"] = (count() - before) / (LIVED_LOGINS * REFRESHES_EACH)
    return spent if written else {}


def repeated(place: OnPostgresql | OnSqlite, name: str, count: int, users: list[str]) -> float:
    """Bytes a row of that kind, indexes included, when there are so many more of it."""
    table = name.partition(" ")[0]
    row = place.row(table, TEMPLATES[name])
    row.pop("seq", None)

    def rows() -> Rows:
        for number in range(count):
            changed = {column: draw() for column, draw in KEYS.items() if row.get(column) is not None}
            if table == "users":
                changed = {"user_id": users[number], "username": f"person{number:08}", "password_hash": ARGON2ID}
                changed |= {"email": f"person{number:08}@example.com"}
            elif "user_id" in row:
                changed["user_id"] = users[number % len(users)]
            yield tuple((row | changed).values())

    before = place.size(table)
    place.insert(table, list(row), rows())
    return (place.size(table) - before) / count


def of_gateway(kind: str, url: str, many: argparse.Namespace) -> dict[str, float]:
    """The gateway's tables, on a new and empty database."""
    place: OnPostgresql | OnSqlite
    with tempfile.TemporaryDirectory() as state:
        given = {"auth_gateway_database": url} if kind == "PostgreSQL" else {}
        with running_story(Path(state) / "state", risk_api_credential="rgs_sizes", **given) as story:
            place = OnPostgresql(url) if given else OnSqlite(f"sqlite:///{state}/state/gateway.db")
            with closing(place):
                assert story.login().status_code == 200
                found = live(story, place.written if isinstance(place, OnPostgresql) else None)
                users = [_uuid() for _ in range(many.people)]
                for name in TEMPLATES:
                    count = many.events if name.startswith("audit") else many.people
                    found[name] = repeated(place, name, count, users)
    return found


async def of_scorer(place: Path, **settings: Any) -> int:
    """So many logins scored one by one, and reported; how many."""
    given = {"model_dir": MODELS, "model_public_keys": str(KEY.with_suffix(".pub")), **settings}
    async with running(place, with_model=False, **given) as scorer:
        now = SystemClock().now()
        events = [msgspec.to_builtins(event) for event in people.arriving(SCORED, now)]
        asked = iter(enumerate(events))

        async def client() -> None:
            for number, event in asked:
                event = {name: value for name, value in event.items() if value not in (None, "")}
                event_id = f"evt_{_uuid()[:22]}"
                score = await scorer.client.post("/score", json={**event, "event_id": event_id})
                assert score.status_code == 200, (number, score.text)
                body = {"event_id": event_id, "outcome": "success", "ts": now, "event": event}
                assert (await scorer.client.post("/outcomes", json=body)).status_code == 200

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return SCORED


def scorer_on_postgresql(server: Any, many: argparse.Namespace) -> dict[str, float]:
    """The scorer's tables: its log and lessons by real scores, histories like those of the sample's people."""
    url, known = server.new_database(), dict(artefact.histories((MODELS / artefact.HISTORIES).read_bytes()))
    with tempfile.TemporaryDirectory() as state:
        opened = open_state(Path(state) / "first", url)
        with closing(OnPostgresql(url)) as place:
            each = ((person, encode(one)) for person, one in people.histories_like(known, many.people))
            before = place.size("user_histories")
            ProfileStore(opened, clock=SystemClock()).import_histories("many", each)
            found = {"user_histories": (place.size("user_histories") - before) / many.people}
            opened.close()
            tables = ("scored_events", "event_places", "seen_outcomes")
            sizes, written = [place.size(table) for table in tables], place.written()
            count = asyncio.run(of_scorer(Path(state), risk_scorer_database=url))
            found |= {table: (place.size(table) - size) / count for table, size in zip(tables, sizes, strict=True)}
            found["WAL of a score and its outcome"] = (place.written() - written) / count
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=100_000)
    many, console = parser.parse_args(), Console(width=110)
    with Home(), running_server() as server:
        console.print(f"bytes a row, indexes included; {many.people:,} people, {many.events:,} lines of audit")
        for kind, url in (("PostgreSQL", server.new_database()), ("SQLite", "")):
            for name, size in of_gateway(kind, url, many).items():
                console.print(f"  gateway, {kind:10}  {name:32} {size:10,.0f}")
        for name, size in scorer_on_postgresql(server, many).items():
            console.print(f"  scorer,  PostgreSQL  {name:32} {size:10,.0f}")


if __name__ == "__main__":
    main()
