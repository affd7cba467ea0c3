"""A person is erased from a gateway with a real scorer behind it: nothing of them is left on either side."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import select

from auth_gateway.adapters.storage.tables import metadata as gateway_tables
from auth_gateway.flows.erasure import AGAIN_SECONDS, SCORER_ENDPOINT
from auth_gateway.wiring.erasing import erase_account
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.tables import metadata as scorer_tables
from risk_scorer.app import create_app
from risk_scorer.assembly import Scorer, assemble
from tests.integration.risk_scorer.published import publish_model
from tests.integration.risk_scorer.service import settings_for, shared_lookups
from tests.ports import free_port
from tests.postgresql import Server
from tests.stories.gateway.story import NOW, Story, running_story

BOB = "id-bob"
PATIENCE_SECONDS = 60.0


@dataclass
class Both:
    """A gateway, and its scorer, which can be away."""

    story: Story
    place: Path
    scorer_database: dict[str, Any]
    port: int
    credential: str = ""

    @contextmanager
    def scorer(self) -> Iterator[Scorer]:
        """The scorer, up until the block ends, on the same database and address each time."""
        settings = settings_for(self.place, **self.scorer_database)
        scorer = assemble(
            settings, clock=FixedClock(NOW), randomness=SeededRandomness(self.port), lookups=shared_lookups()
        )
        app = create_app(settings, scorer=scorer)
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            assert self.comes_true(lambda: server.started)
            yield scorer
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)

    def comes_true(self, holds: Callable[[], bool]) -> bool:
        """Whether it does in time; the gateway works on meanwhile, and its clock goes on."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.story.runner.run(asyncio.sleep(0.1))
            self.story.clock.advance(1.0)
        return True

    def waits(self, *, at: str = SCORER_ENDPOINT) -> int:
        """How many words to the scorer have not arrived, of erasures or of another lane's."""
        with self.story.gateway.database.engine.connect() as connection:
            counted = connection.exec_driver_sql(
                f"SELECT count(*) FROM outbox WHERE endpoint = '{at}' AND delivered_at IS NULL"  # noqa: S608
            )
            return int(counted.scalar_one())

    def has_learned(self, scorer: Scorer) -> bool:
        """Bob logs in; whether his history arrives at the scorer."""
        assert self.story.login("bob").json()["allowed"] is True
        return self.comes_true(lambda: scorer.profiles.get_many([BOB]) != [None])


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    """Both services on one kind of database."""
    with ExitStack() as stack:
        ours: dict[str, Any] = {}
        theirs: dict[str, Any] = {}
        if request.param == "postgresql":
            server: Server = request.getfixturevalue("postgresql_server")
            ours["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
            theirs["risk_scorer_database"] = server.new_database()
            stack.callback(server.drop_database, theirs["risk_scorer_database"])
        place, port = tmp_path / "scoring", free_port()
        place.mkdir()
        publish_model(place / "models")
        first = assemble(settings_for(place, **theirs), clock=FixedClock(NOW), lookups=shared_lookups())
        scopes = ["score", "outcomes", "feedback", "erase"]
        ours |= {"risk_api_url": f"http://127.0.0.1:{port}", "risk_api_credential": first.credentials.add("gw", scopes)}
        first.database.close()
        story = stack.enter_context(running_story(tmp_path / "state", **ours))
        yield Both(story, place, theirs, port)


def tables_that_say(database: Database, metadata: Any, text: str) -> set[str]:
    """Every column that says it."""
    found = set()
    for table in metadata.sorted_tables:
        for row in database.read(lambda tx, table=table: tx.all(Statement(select(table)))):  # type: ignore[misc]
            for column, value in zip(table.columns, row, strict=True):
                seen = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                if text.encode() in seen:
                    found.add(f"{table.name}.{column.name}")
    return found


def test_history_and_labels_go_with_the_account(both: Both) -> None:
    """At the gateway at once, at the scorer a moment later; a second time there is nobody, and nothing is told."""
    story = both.story
    with both.scorer() as scorer:
        assert both.has_learned(scorer)
        assert "user_histories.user_id" in tables_that_say(scorer.database, scorer_tables, BOB)
        assert erase_account(story.gateway)("bob").is_scorer_told
        assert both.comes_true(lambda: tables_that_say(scorer.database, scorer_tables, BOB) == set())
        assert tables_that_say(story.gateway.database, gateway_tables, BOB) == {"outbox.body"}
        story.clock.advance(AGAIN_SECONDS)
        assert both.comes_true(lambda: both.waits() == 0)
        with pytest.raises(Refused, match="unknown_user"):
            erase_account(story.gateway)("bob")
        assert both.waits() == 0
        assert story.login("bob").status_code == 401


def test_a_scorer_that_is_away_is_told_when_it_is_back(both: Both) -> None:
    """The word waits in the outbox; nobody has to remember it."""
    with both.scorer() as scorer:
        assert both.has_learned(scorer)
    erase_account(both.story.gateway)("bob")
    both.story.runner.run(asyncio.sleep(0.3))
    assert both.waits() == 2
    with both.scorer() as scorer:
        both.story.clock.advance(AGAIN_SECONDS)
        assert both.comes_true(lambda: both.waits() == 0)
        assert tables_that_say(scorer.database, scorer_tables, BOB) == set()


def test_whoever_logs_in_at_that_very_moment_is_erased_too(both: Both) -> None:
    """Either nobody comes in, or the session ends; after the second word nothing is left."""
    story = both.story
    with both.scorer() as scorer:
        assert both.has_learned(scorer)
        erasing = threading.Thread(target=erase_account(story.gateway), args=("bob",))
        erasing.start()
        answers = [story.login("bob") for _ in range(3)]
        erasing.join(PATIENCE_SECONDS)
        assert story.login("bob").status_code == 401
        for answer in answers:
            assert answer.status_code in {200, 401}, answer.text
            if answer.status_code == 200:
                assert story.refresh(answer.json()["tokens"]["refresh_token"]).status_code == 400
        assert both.comes_true(lambda: both.waits(at="scorer") == 0), "what was on its way has 15 minutes for it"
        story.clock.advance(AGAIN_SECONDS)
        assert both.comes_true(lambda: both.waits() == 0)
        assert both.comes_true(lambda: tables_that_say(scorer.database, scorer_tables, BOB) == set())
        left = tables_that_say(story.gateway.database, gateway_tables, BOB)
        assert left <= {"outbox.body", "audit.user_id", "audit.facts"}
