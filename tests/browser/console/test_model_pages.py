"""The pages of the model over a registry with an evaluation, which no other place of these tests has."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.place import fits
from tests.browser.test_pages import SMALL, violations
from tests.integration.risk_scorer.console.model_shelf import shelf
from tests.scorer_commands import scorer_command
from tests.stories.scorer_process import Scorer, scorer
from tests.unit.risk_scorer.core.stored_model import KEY
from training.publish import public_bytes

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scorer, list[str]]]:
    """A scorer that follows a registry, and the registry's versions."""
    place = tmp_path_factory.mktemp("model")
    registry, versions = shelf(place)
    key = place / "registry.pub"
    key.write_bytes(public_bytes(KEY))
    given = {"MODEL_REGISTRY": str(registry), "MODEL_PUBLIC_KEYS": str(key)}
    with scorer(place, **given) as found:
        found.start()
        yield found, versions


def signed_in(page: Page, house: Scorer) -> None:
    page.goto(scorer_command(house.environment(), "operator-link", "--role", "admin").strip())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_report_breaks_a_rule(chromium: Browser, house: tuple[Scorer, list[str]], scheme: Any, width: int) -> None:
    """axe-core finds nothing, nothing is scrolled sideways, and the pictures have their figures beside them."""
    running, versions = house
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    signed_in(page, running)
    for path in ("/dashboard/model", *(f"/dashboard/model/{version}" for version in versions)):
        page.goto(running.url + path)
        complaints += [f"{path}: {each}" for each in violations(page)]
        complaints += [f"{path}: small {each}" for each in page.evaluate(SMALL)]
        complaints += [] if fits(page) else [f"{path}: is wider than the window"]
    page.goto(f"{running.url}/dashboard/model/{versions[1]}")
    assert page.locator("svg.plot").count() == 3
    assert page.get_by_role("region", name="Attacks caught at shares of legitimate logins flagged").is_visible()
    context.close()
    assert "\n".join(complaints) == ""
