"""A provider for the forgeries."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.provider import CALLBACK, GRANTS, Shop
from tests.stories.gateway.story import running_story
from tests.stories.gateway.visits import ISSUER, registered, signed_in


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A provider with an application that has every grant, and Alice, who is signed in there."""
    with running_story(tmp_path / "state", jwt_issuer=ISSUER, risk_api_credential="rgs_test") as story:
        app = registered(story, "shop", grant_types=GRANTS, redirect_uris=(CALLBACK,))
        yield Shop(story, app, signed_in(story, app))
