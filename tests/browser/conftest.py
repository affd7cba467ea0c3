"""A real Chromium, driven over its own protocol."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Debian's Chromium, headless; its version is named in the closing lines.

    Not kept for the whole run: its event loop occupies the main thread, and other tests start theirs.
    """
    path = shutil.which("chromium")
    assert path, "scripts/test --browser installs chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        engines = [*getattr(request.config, "riskgate_engines", []), f"Chromium {browser.version}"]
        request.config.riskgate_engines = engines  # type: ignore[attr-defined]
        yield browser
        browser.close()
