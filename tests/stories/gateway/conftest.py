"""One fresh gateway for each story."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from auth_gateway.settings import Settings
from tests.migrated import migrated_database
from tests.postgresql import Server
from tests.stories.gateway.story import Story, running_story


@pytest.fixture(autouse=True)
def _no_settings_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A new database of the newest schema: how it comes to that is not what stories are about."""
    yield from migrated_database(postgresql_server)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A gateway in the production profile with a scorer credential."""
    with running_story(tmp_path / "state", risk_api_credential="rgs_test") as running:
        yield running


@pytest.fixture
def story_with(tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """A gateway with the given settings."""
    with ExitStack() as stack:

        def start(**given: Any) -> Story:
            return stack.enter_context(running_story(tmp_path / "state", **given))

        yield start
