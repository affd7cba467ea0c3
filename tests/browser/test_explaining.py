"""Asking for an explanation as a person does: by a press, by a link without scripts, and never as markup."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from risk_scorer.flows.narrate import LABEL
from tests.integration.risk_scorer.language_model import LanguageModel, Reply, language_model, told
from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.stories.scorer_process import Scorer, scorer

pytestmark = pytest.mark.browser
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=1</script>'


@pytest.fixture
def model() -> Iterator[LanguageModel]:
    with language_model() as found:
        found.reply = told(signals=MARKUP)
        yield found


@pytest.fixture
def service(tmp_path: Path, model: LanguageModel) -> Iterator[Scorer]:
    """A scorer with a narrator and one login that it has scored."""
    publish_model(tmp_path / "models")
    with scorer(tmp_path, OPENAI_BASE_URL=model.url, OPENAI_MODEL="tiny") as found:
        found.start()
        score(found, "earlier")
        yield found


def score(service: Scorer, user: str) -> None:
    event = {"user_id": user, "ip": "198.51.100.7", "user_agent": MARKUP, "event_id": f"evt/{user} ?&", **LOUD}
    with service.client(service.credential(name=user)) as client:
        client.post("/score", json=event).raise_for_status()


def signed_in(context: BrowserContext, service: Scorer, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{service.url}/operator/sign-in?token={service.operator_token()}")
    page.get_by_role("button").first.click()
    page.wait_for_url("**/dashboard")
    return page


def assert_text_only(page: Page) -> None:
    expect(page.get_by_text(f"{LABEL}.")).to_be_visible()
    expect(page.locator(".told dd").first).to_have_text(MARKUP)
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "1"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_press_shows_the_words_under_the_login(chromium: Browser, service: Scorer, width: int) -> None:
    """In a row that was there and in one that came live, as text, without leaving or widening the page."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = signed_in(context, service, complaints)
    page.get_by_role("link", name="Explain").click()
    assert_text_only(page)
    score(service, "live")
    row = page.locator("tr", has_text="live").first
    row.get_by_role("link", name="Explain").click()
    expect(row.get_by_text(f"{LABEL}.")).to_be_visible()
    assert page.url.endswith("/dashboard")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert complaints == []
    context.close()


def test_a_model_that_fails_is_said_and_may_be_asked_again(
    chromium: Browser, service: Scorer, model: LanguageModel
) -> None:
    """The row says why there is nothing, and the same link asks once more."""
    complaints: list[str] = []
    context = chromium.new_context()
    page = signed_in(context, service, complaints)
    model.reply = Reply(500)
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_text("The language model declined to answer.")).to_be_visible()
    model.reply = told(signals=MARKUP)
    page.get_by_role("link", name="Explain").click()
    assert_text_only(page)
    assert complaints == []
    context.close()


def test_without_scripts_the_link_opens_a_page(chromium: Browser, service: Scorer) -> None:
    """The facts of the login and the words about them, labelled, on a page of their own."""
    context = chromium.new_context(java_script_enabled=False)
    page = signed_in(context, service, [])
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="One login explained")).to_be_visible()
    expect(page.get_by_text("198.51.100.7", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{LABEL}.")).to_be_visible()
    expect(page.locator(".told dd").first).to_have_text(MARKUP)
    assert page.locator("img[src=x]").count() == 0
    context.close()
