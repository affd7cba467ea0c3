"""People who log in and refresh without a pause while something breaks, and a count of all that they were told."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from tests.stories.gateway.story import HOME, PASSWORD, Story

PAUSE_SECONDS = 0.1
RECOVERY_SECONDS = 10.0


@dataclass
class Told:
    """What a crowd was told: answers by path and status, the sessions and refreshes that were granted, what came
    without a time to come back, the longest wait at the side door, and when logins went on after the fault."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    sessions: list[str] = field(default_factory=list)
    refreshes: int = 0
    without_retry_after: int = 0
    slowest_health_seconds: float = 0.0
    over_at: float | None = None
    well_at: float | None = None

    @property
    def statuses(self) -> set[int]:
        return {status for _, status in self.answers}

    def take(self, path: str, answer: httpx2.Response) -> bool:
        """Count it; whether it is a 200."""
        self.answers[path, answer.status_code] += 1
        self.without_retry_after += answer.status_code in {429, 503} and "retry-after" not in answer.headers
        return answer.status_code == 200


class Crowd:
    """So many people at one gateway; what breaks does so on another thread, until it is mended."""

    def __init__(self, story: Story, people: int = 4) -> None:
        self._story = story
        self._people = [f"person-{number}" for number in range(people)]
        for name in self._people:
            story.gateway.accounts.add(name, PASSWORD)
        self._is_over = threading.Event()
        self.told = Told()

    def live_through(self, while_broken: Callable[[], object]) -> Told:
        """Everything that they were told, until logins work again or have not for too long."""
        thread = threading.Thread(target=self._break, args=(while_broken,))
        thread.start()
        self._story.runner.run(self._all())
        thread.join()
        return self.told

    def _break(self, while_broken: Callable[[], object]) -> None:
        try:
            while_broken()
        finally:
            self._is_over.set()
            self.told.over_at = time.monotonic()

    async def _all(self) -> None:
        transport = httpx2.ASGITransport(self._story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            await asyncio.gather(self._onlooker(client), *(self._person(client, name) for name in self._people))

    def _goes_on(self) -> bool:
        told = self.told
        if told.over_at is None:
            return True
        return told.well_at is None and time.monotonic() - told.over_at < RECOVERY_SECONDS

    async def _person(self, client: httpx2.AsyncClient, name: str) -> None:
        token = None
        while self._goes_on():
            token = await self._logged_in(client, name) if token is None else await self._refreshed(client, token)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _logged_in(self, client: httpx2.AsyncClient, name: str) -> str | None:
        began = time.monotonic()
        answer = await client.post("/login", json={"username": name, "password": PASSWORD})
        if not self.told.take("/login", answer):
            return None
        body = answer.json()
        self.told.sessions.append(body["session_id"])
        if self.told.over_at is not None and began >= self.told.over_at:
            self.told.well_at = self.told.well_at or time.monotonic()
        return str(body["tokens"]["refresh_token"])

    async def _refreshed(self, client: httpx2.AsyncClient, token: str) -> str | None:
        """The next token; the same after a 503, which says nothing against it; none after a while, for a new login."""
        answer = await client.post("/token", json={"grant_type": "refresh_token", "refresh_token": token})
        if not self.told.take("/token", answer):
            return token if answer.status_code == 503 and self.told.over_at is None else None
        self.told.refreshes += 1
        return str(answer.json()["refresh_token"]) if self.told.refreshes % 3 else None

    async def _onlooker(self, client: httpx2.AsyncClient) -> None:
        """Asks every tenth of a second; that nobody could even ask counts as waiting, as it would behind a socket."""
        due = time.monotonic()
        while self._goes_on():
            self.told.take("/health", await client.get("/health"))
            took = time.monotonic() - due
            self.told.slowest_health_seconds = max(self.told.slowest_health_seconds, took)
            due = time.monotonic() + PAUSE_SECONDS
            await asyncio.sleep(PAUSE_SECONDS)


def trail(story: Story) -> tuple[list[str], int]:
    """The sessions that the audit trail says were let in, and how many refreshes it knows."""
    found = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 100_000))
    sessions = [line.session_id or "" for line in found if line.kind == "login.allowed"]
    return sessions, sum(line.kind in {"token.refreshed", "token.retried"} for line in found)


def held_sessions(story: Story) -> set[str]:
    """The sessions that there are."""
    with story.gateway.database.engine.connect() as connection:
        return {str(row[0]) for row in connection.exec_driver_sql("SELECT session_id FROM sessions")}


def assert_nothing_unseen(story: Story, told: Told) -> None:
    """Each session that somebody was given has its audit line, and each line its session: none missing, none
    invented; and nobody was told anything but 200 or 503 with a time to come back."""
    assert told.statuses <= {200, 503}, told.answers
    assert told.without_retry_after == 0
    lines, refreshes = trail(story)
    assert len(set(lines)) == len(lines)
    assert set(lines) == held_sessions(story)
    assert set(told.sessions) <= set(lines)
    assert len(set(told.sessions)) == len(told.sessions)
    assert told.refreshes <= refreshes
    assert told.well_at is not None, "logins did not come back"
