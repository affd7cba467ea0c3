"""What is stored of what a person does, for the lab: read from the database alone, so that no memory of this process
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.activity.known_sessions import OF_PERSON, session_of
from risk_scorer.adapters.tables import activity_events
from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.console.lab_presets import UsualLogin
from risk_scorer.core.console.session_scenes import MOST_OWN, SeenPerson, UsualAsk, UsualSession
from risk_scorer.core.known_session import KnownSession

LOOKED_AT: Final = 200
"""The person's newest events; whoever did nothing calm in as many has nothing usual."""
FEWEST: Final = 3
"""Calm requests that make a session."""
MOST_SESSIONS: Final = 10
FIRST_ERROR: Final = 400

_event = activity_events.c
_READ: Final = (
    _event.ts, _event.session_id, _event.client_id, _event.method, _event.endpoint, _event.service, _event.status,
    _event.bytes_out, _event.ip, _event.user_agent, _event.device_id, _event.ja4, _event.country, _event.score,
)  # fmt: skip
NEWEST = Statement(
    select(*_READ).where(_event.user_id == bindparam("of_user")).order_by(_event.ts.desc()).limit(LOOKED_AT)
)


class _Seen(NamedTuple):
    ts: float
    session_id: str
    client_id: str
    method: str
    endpoint: str
    service: str
    status: int
    bytes_out: int
    ip: str
    user_agent: str
    device_id: str
    ja4: str
    country: str
    score: float

    @property
    def is_usual(self) -> bool:
        """Whether it may stand for what the person does; a text with a gap in it has no place in a line."""
        is_plain = len(f"{self.method} {self.endpoint} {self.service} .".split()) == 3 + bool(self.service)
        return self.score < STEP_UP_FROM and self.status < FIRST_ERROR and is_plain and bool(self.ip)


class LabActivity:
    """Reads beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def person(self, user_id: str) -> SeenPerson:
        """What is stored of what they do. Raises: Refused."""

        def job(tx: Transaction) -> tuple[list[_Seen], list[KnownSession]]:
            events = [_Seen(*row) for row in tx.all(NEWEST, of_user=user_id)]
            return events, [session_of(row) for row in tx.all(OF_PERSON, of_user=user_id, up_to=MOST_SESSIONS)]

        events, sessions = await self._database.read_in_thread(job)
        told = next((each.told for each in sessions if each.told.roles is not None), None)
        usual = _usual([each for each in events if each.is_usual])
        return SeenPerson(
            login=None if not usual else _login(user_id, usual[-1]),
            usual=None if not usual else UsualSession(asks=_asks(usual), is_own=True),
            roles=None if told is None else told.roles,
            privileges=None if told is None else told.privileges,
        )


def _usual(calm: Sequence[_Seen]) -> list[_Seen]:
    """The requests of the newest session that has some, in their order; else of several."""
    by_session: dict[str, list[_Seen]] = {}
    for each in calm:
        by_session.setdefault(each.session_id, []).append(each)
    longest = next((each for each in by_session.values() if len(each) >= MOST_OWN), list(calm))
    return sorted(longest, key=lambda each: each.ts)[-MOST_OWN:] if len(longest) >= FEWEST else []


def _asks(usual: Sequence[_Seen]) -> tuple[UsualAsk, ...]:
    pauses = [0.0, *(after.ts - before.ts for before, after in pairwise(usual))]
    return tuple(
        UsualAsk(
            pause=pause,
            method=each.method,
            endpoint=each.endpoint,
            status=each.status,
            bytes_out=each.bytes_out,
            service=each.service,
        )
        for pause, each in zip(pauses, usual, strict=True)
    )


def _login(user_id: str, newest: _Seen) -> UsualLogin:
    return UsualLogin(
        user=user_id,
        ip=newest.ip,
        user_agent=newest.user_agent,
        device_id=newest.device_id,
        ja4=newest.ja4,
        client=newest.client_id,
        country=newest.country,
        origin="own",
    )
