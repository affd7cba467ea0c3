"""What campaigns are judged with of the past: verdicts on logins, and the sessions of people with an incident.

Read again once it is a minute old. Bounded by the newest: a flood of verdicts or incidents forgets the oldest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import structlog
from sqlalchemy import bindparam, select

from plumbing.database import Database, Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Row, Statement
from risk_scorer.adapters.activity.known_sessions import session_of
from risk_scorer.adapters.tables import incidents, known_sessions, verdicts
from risk_scorer.core.campaigns.past import NO_PAST, REMEMBERED_SECONDS, Finding, Past, Stay, past_of
from risk_scorer.core.campaigns.sighting import ADDRESS, DEVICE, JA4
from risk_scorer.core.incidents.incident import user_key
from risk_scorer.core.lessons import decode_taught

FRESH_SECONDS: Final = 60.0
MOST_VERDICTS: Final = 10_000
MOST_PEOPLE: Final = 2000
MOST_SESSIONS: Final = 50_000

_v = verdicts.c
VERDICTS = Statement(
    select(_v.user_id, _v.ts, _v.verdict, _v.context)
    .where(_v.recorded_at >= bindparam("since"), _v.verdict != "dismissed")
    .order_by(_v.recorded_at.desc())
    .limit(MOST_VERDICTS)
)
_i = incidents.c
PEOPLE = Statement(
    select(_i.key)
    .where(_i.updated_at >= bindparam("since"), _i.key.like(user_key("%")))
    .order_by(_i.updated_at.desc())
    .limit(MOST_PEOPLE)
)
_k = known_sessions.c
SESSIONS = Statement(
    select(_k.session_id, _k.user_id, _k.client_id, _k.state, _k.facts, _k.started_at, _k.changed_at, _k.ended_at)
    .where(_k.user_id.in_(texts_of(bindparam("people"))), _k.changed_at >= bindparam("since"))
    .order_by(_k.changed_at.desc())
    .limit(MOST_SESSIONS)
)

log = structlog.get_logger(__name__)


class PastRows:
    """Reads it, once a minute at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._past, self._read_at = NO_PAST, float("-inf")

    def past(self, now: float) -> Past:
        """What is remembered, at most a minute old. Raises: Refused."""
        if not 0.0 <= now - self._read_at < FRESH_SECONDS:
            self._past, self._read_at = self._database.read(lambda tx: _past(tx, now)), now
        return self._past

    def forget(self) -> None:
        """Remember nothing that was read: somebody was erased."""
        self._past, self._read_at = NO_PAST, float("-inf")


def _past(tx: Transaction, now: float) -> Past:
    since = now - REMEMBERED_SECONDS
    people = {row[0].removeprefix(user_key("")) for row in tx.all(PEOPLE, since=since)}
    asked = msgspec.json.encode(sorted(people)).decode()
    sessions = map(session_of, tx.all(SESSIONS, people=asked, since=since) if people else ())
    stays = [
        Stay(user_id=each.user_id, started_at=each.started_at, ended_at=each.ended_at, reason=each.told.reason)
        for each in sessions
    ]
    return past_of(list(_findings(tx.all(VERDICTS, since=since))), stays, now=now)


def _findings(rows: list[Row]) -> Iterator[Finding]:
    for user_id, at, verdict, context in rows:
        try:
            taught = decode_taught(context)
        except msgspec.MsgspecError:
            log.warning("verdict_unreadable")
            continue
        signals = ((ADDRESS, taught.ip), (DEVICE, taught.device_id), (JA4, taught.ja4))
        is_compromised = verdict == "confirmed_compromised"
        yield Finding(user_id=user_id, at=at, is_compromised=is_compromised, signals=signals)
