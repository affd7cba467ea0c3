"""What the console's other pages read, beside the invented sign-ins, in sizes that belong to them: incidents,
campaigns, sessions, activity, verdicts, messages, what operators did, a day of a shadow. All of it is invented
(synthetic)."""

import random
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.console_pages import COLUMNS, EVENT, KEEP
from benchmarks.console_values import NOW, SHADOW, SPAN, user_of
from risk_scorer.core.incidents.incident import Evidence, Sighting, opened
from risk_scorer.core.known_session import Told

DAY: Final = 86_400.0
MEMBERS: Final = 20
NOT_CLOSED: Final = 700
"""Of incidents: the last 500 nobody has taken, on 200 somebody works."""
RANKED: Final = 1_000
OPERATORS: Final = 20
FACTS: Final = msgspec.msgpack.encode(Told())
MARKS: Final = b'{"marks":[],"overlap":0.5}'

Rows = Iterator[Mapping[str, Any]]


def with_company(store: Path) -> Path:
    """That store, in which all of it is, once."""
    with closing(sqlite3.connect(store)) as connection, connection:
        if connection.execute("SELECT 1 FROM incidents LIMIT 1").fetchone():
            return store
        size = connection.execute("SELECT max(seq) FROM sign_ins").fetchone()[0]
        people = max(20, size // 100)
        invented: dict[str, Rows] = {
            "campaigns": _campaigns(campaigns_of(size)),
            "campaign_members": _members(campaigns_of(size), people),
            "incidents": _incidents(people),
            "incident_members": ({"incident_id": f"inc_{n}", "user_id": user_of(n)} for n in range(people)),
            "session_risk": _risks(sessions_of(size), people),
            "known_sessions": _sessions(sessions_of(size), people),
            "account_scores": _ranked(people),
            "console_audit": _acts(size // 50, people),
            "outbox": _messages(size // 50),
            "shadow_scores": _shadow(size),
        }
        for table, rows in invented.items():
            _keep(connection, table, rows)
        connection.executemany(KEEP, _events(size // 10, sessions_of(size), people))
        connection.execute(
            "INSERT INTO verdict_words (event_id, user_id, verdict, by, source, ts, recorded_at) "
            "SELECT event_id, user_id, verdict, 'soc', 'analyst', ts, ts + 3600 FROM sign_ins "
            "WHERE verdict <> '' ORDER BY seq"
        )
    return store


def campaigns_of(size: int) -> int:
    """How many there are beside so many sign-ins."""
    return max(20, size // 10_000)


def sessions_of(size: int) -> int:
    """How many have a row of their own."""
    return size // 50


def _keep(connection: sqlite3.Connection, table: str, rows: Rows) -> None:
    first = next(rows)
    marks = ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.execute(statement, first)
    connection.executemany(statement, rows)


def _campaigns(many: int) -> Rows:
    for n in range(many):
        at, is_open = NOW - SPAN + SPAN / many * n, n > many - 20
        yield {
            "campaign_id": f"cmp_{n}", "state": "open" if is_open else "closed", "score": 60.0 + n % 40,
            "members": MEMBERS, "revision": 1, "first_seen": at, "last_seen": at + 3600.0, "opened_at": at,
            "updated_at": at + 3600.0, "closed_at": None if is_open else at + 7200.0, "evidence": MARKS,
        }  # fmt: skip


def _members(many: int, people: int) -> Rows:
    for n in range(many):
        at = NOW - SPAN + SPAN / many * n
        for user in {user_of((n * MEMBERS + each) % people) for each in range(MEMBERS)}:
            yield {
                "campaign_id": f"cmp_{n}", "user_id": user, "marks": "rhythm", "first_seen": at, "last_seen": at + 9.0,
                "told": 0,
            }  # fmt: skip


def _incidents(people: int) -> Rows:
    """One of each person."""
    for n in range(people):
        left = people - n
        state = "closed" if left > NOT_CLOSED else "open" if left > 200 else "acknowledged"
        at, owner = NOW - SPAN + SPAN / people * n, "" if state == "open" or n % 5 else f"soc-{n % OPERATORS}"
        cause = Evidence(code="cookie_moved", text="The cookie came from another country.", points=60.0, at=at)
        sighting = Sighting(kind="user", subject=user_of(n), at=at, score=60.0 + n % 40, evidence=(cause,), members=())
        incident = msgspec.structs.replace(opened(sighting, incident_id=f"inc_{n}"), state=state, owner=owner)
        yield {
            "incident_id": incident.incident_id, "key": incident.key, "state": state, "owner": owner,
            "score": incident.score, "opened_at": at, "updated_at": min(NOW, at + 5000.0),
            "body": msgspec.json.encode(incident), "version": 1, "due_at": None, "announced_at": at,
        }  # fmt: skip


def _risks(many: int, people: int) -> Rows:
    chance = random.Random(7)
    for n in range(many):
        at = NOW - SPAN + SPAN / many * n
        score = 0.0 if n % 2 else round(100 * chance.random() ** 4, 1)
        yield {
            "session_id": f"ses_{n}", "user_id": user_of(n % people), "score": score, "nats": score / 10,
            "signals": b"[]", "attack_likelihood": None, "model_version": "", "told": 0, "peak": score, "events": 5,
            "started_at": at, "updated_at": at + 600.0,
        }  # fmt: skip


def _sessions(many: int, people: int) -> Rows:
    for n in range(many):
        at, has_ended = NOW - SPAN + SPAN / many * n, n % 10 != 0
        yield {
            "session_id": f"ses_{n}", "user_id": user_of(n % people), "client_id": "app-0",
            "state": "ended" if has_ended else "started", "facts": FACTS, "started_at": at, "changed_at": at + 600.0,
            "ended_at": at + 600.0 if has_ended else None,
        }  # fmt: skip


def _ranked(people: int) -> Rows:
    for n in range(min(RANKED, people)):
        yield {
            "user_id": user_of(n), "score": 100.0 - n / 10, "z_score": 3.0, "isolation": 0.7, "furthest": "events",
            "updated_at": NOW,
        }  # fmt: skip


def _acts(many: int, people: int) -> Rows:
    for n in range(many):
        at = NOW - SPAN + SPAN / many * n
        yield {
            "at": at, "operator": f"soc-{n % OPERATORS}", "role": "analyst", "action": "user.dismiss",
            "subject": user_of(n % people), "reason": "seen before", "result": "done", "request_id": f"act_{n}",
            "ended_at": at + 1.0,
        }  # fmt: skip


def _messages(many: int) -> Rows:
    for n in range(many):
        at, is_dead = NOW - SPAN + SPAN / many * n, n % 100 == 0
        yield {
            "message_id": f"msg_{n:08d}", "endpoint": "announcements", "event_type": "incident.opened", "body": b"{}",
            "created_at": at, "next_attempt_at": at, "attempts": 1, "claimed_until": 0.0,
            "delivered_at": None if is_dead else at + 1.0, "dead_at": at + 9.0 if is_dead else None,
            "last_status": 500 if is_dead else 200, "last_error": "http_status" if is_dead else None,
        }  # fmt: skip


def _shadow(size: int) -> Rows:
    """As many as sign in within a day, all of the last one."""
    many, levels = max(1, int(size * DAY / SPAN)), ("low", "low", "low", "medium", "high")
    shadow, active = SHADOW
    for n in range(many):
        yield {
            "version": shadow, "event_id": f"evt_{n * 2_654_435_761 % 2**40:010x}", "user_id": "usr_0", "success": 1,
            "ts_scored": NOW - DAY + DAY / many * n, "active_version": active, "active_score": 10.0, "score": 10.0,
            "active_level": levels[n % 5], "level": levels[n % 501 % 5],
        }  # fmt: skip


def _events(many: int, sessions: int, people: int) -> Iterator[list[Any]]:
    for n in range(many):
        at, session = NOW - SPAN + SPAN / many * n, n * sessions // many
        event = {
            **EVENT, "event_id": f"act_{n}", "session_id": f"ses_{session}", "user_id": user_of(session % people),
            "ts": at, "ip": f"45.8.{n // 250 % 250}.{n % 250}", "endpoint": f"/orders/{n % 40}", "service": "shop",
        }  # fmt: skip
        yield [event[name] for name in COLUMNS]
