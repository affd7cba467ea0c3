"""Texts of the policy that wait for their authors: whichever process those come back to, not for long, and not many."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.draft_rows import DraftRows, erase_drafts
from risk_scorer.adapters.storage import open_database
from risk_scorer.core.console.kept_drafts import KEPT_SECONDS, MOST_KEPT, KeptDraft
from risk_scorer.core.console.operator import FRESH_SECONDS
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.signing import by_link, code_of, post
from tests.integration.risk_scorer.console.test_gateway_client import Gateway
from tests.integration.risk_scorer.service import running
from tests.postgresql import Server

pytestmark = pytest.mark.anyio
PAGE = "/dashboard/policy"
TYPED, REASON = "# typed by hand\n", "alice is away"
NOTHING_DECIDED = {"since": NOW, "is_whole": True, "decisions": {}, "rules": [], "gone": [], "built_in": []}
EVERY_ANSWER: dict[str, Any] = {
    **{"document": "# in force\n", "rules": [], "marks": [], "difference": []},
    "session_marks": {"step_up": 60, "reset": "off", "logout": "off", "freeze": "off", "report_only": False},
    **{"source": "saved", "version": 4, "at": NOW, "by": "zoe", "why": "", "restored": None},
    **{"day": NOTHING_DECIDED, "week": NOTHING_DECIDED, "versions": [], "next": None},
}
"""What a gateway answers to whatever it is asked of its policy: each reader takes its own fields."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    found = Gateway()
    found.body = json.dumps(EVERY_ANSWER).encode()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def shared_url(postgresql_server: Server) -> Iterator[str]:
    """A database that several processes may work on."""
    url = postgresql_server.kept("scorer", lambda new: open_database(new).close())
    yield url
    postgresql_server.empty(url)


def draft(document: str = TYPED, at: float = NOW) -> KeptDraft:
    return KeptDraft(document=document, reason=REASON, version=4, at=at)


async def test_a_text_that_one_process_took_waits_at_the_other(
    tmp_path: Path, shared_url: str, gateway: Gateway, clock: FixedClock
) -> None:
    """Its author proves who they are there, finds it once, and what was done is told at the first again."""
    shared = {"risk_scorer_database": shared_url, "console_issuer": gateway.url}
    shared |= {"console_client_id": "console", "console_client_secret": "s" * 43}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with (
        running(tmp_path / "one", with_model=False, clock=clock, **shared) as one,
        running(tmp_path / "two", with_model=False, clock=clock, credential=one.credential, **shared) as two,
    ):
        await by_link(one, "admin")
        clock.advance(FRESH_SECONDS + 1)
        refused = await post(one, f"{PAGE}/save", reason=REASON, document=TYPED, version="4")
        assert (refused.status_code, code_of(refused)) == (403, "fresh_link_required")
        await by_link(two, "admin")
        assert f'value="{REASON}"' in (await two.client.get(PAGE)).text
        assert {"document": TYPED, "edits": {}} in gateway.bodies  # which says what it means
        assert REASON not in (await two.client.get(PAGE)).text
        saved = await post(two, f"{PAGE}/save", reason=REASON, document=TYPED, version="4")
        assert saved.status_code == 303
        one.client.cookies = two.client.cookies
        assert "Version 4 is in force" in (await one.client.get(PAGE)).text


async def test_a_text_is_taken_once_and_by_its_author(database: Database) -> None:
    """The newest of theirs, for half an hour."""
    rows = DraftRows(database)
    await rows.keep("mara", draft("first"))
    await rows.keep("mara", draft("second", NOW + 1))
    await rows.keep("zoe", draft())
    assert await rows.take("nobody", NOW) is None
    assert await rows.take("mara", NOW + 1 + KEPT_SECONDS) == draft("second", NOW + 1)
    assert await rows.take("mara", NOW) is None
    assert await rows.take("zoe", NOW + KEPT_SECONDS + 1) is None


async def test_texts_are_few_and_the_old_ones_go(database: Database) -> None:
    """The oldest makes room; old ones go with the next text, or when the house is swept."""
    rows = DraftRows(database)
    for number in range(MOST_KEPT + 1):
        await rows.keep(f"person-{number}", draft(at=NOW + number))
    assert await rows.take("person-0", NOW) is None
    assert await rows.prune(NOW + 3) == 2
    await rows.keep("late", draft(at=NOW + 5 + KEPT_SECONDS))
    assert await rows.take("person-4", NOW + 5) is None
    assert await rows.take("person-5", NOW + 5) == draft(at=NOW + 5)


async def test_a_text_that_speaks_of_an_erased_person_goes(database: Database) -> None:
    """In the rules or in the reason; others wait on."""
    rows = DraftRows(database)
    await rows.keep("mara", draft('away = ["bob"]'))
    await rows.keep("zoe", draft('away = ["carol"]'))
    assert database.write_sync(lambda tx: erase_drafts(tx, "bob")) == 1
    assert await rows.take("mara", NOW) is None
    assert await rows.take("zoe", NOW) is not None
    await rows.keep("mara", draft())
    assert database.write_sync(lambda tx: erase_drafts(tx, "alice")) == 1
