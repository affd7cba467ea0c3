"""A real Chromium, driven over its own protocol."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Debian's Chromium without a window, else the whole one; None where there is neither."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Debian's Chromium, headless; its version is named in the closing lines.

    Not kept for the whole run: its event loop occupies the main thread, and other tests start theirs.
    """
    path = chromium_path()
    assert path, "scripts/test --browser installs chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        engines = [*getattr(request.config, "riskgate_engines", []), f"Chromium {browser.version}"]
        request.config.riskgate_engines = engines  # type: ignore[attr-defined]
        yield browser
        browser.close()


@pytest.fixture(
    params=[(1280, True), pytest.param((390, True), marks=pytest.mark.long), (390, False)],
    ids=["desk", "phone", "no-script"],
)
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that was never here."""
    width, has_scripts = request.param
    context = chromium.new_context(viewport={"width": width, "height": 844}, java_script_enabled=has_scripts)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said: errors and violations of the content security policy."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Page:
    """An empty page."""
    page = context.new_page()

    def heard(message: ConsoleMessage) -> None:
        # Chromium writes each 401 and 403 there by itself.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page.on("console", heard)
    return page
