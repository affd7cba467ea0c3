"""Takes a picture of every page, on a desk and on a phone, in light and in dark, into `docs/pages`."""

import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.conftest import QUIET, chromium_path
from tests.browser.place import running_place
from tests.browser.stations import CLIENTS, MAIL, furnish, stations

PLACE = Path(__file__).parents[2] / "docs" / "pages"
SIZES = {1280: 800, 390: 844}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MISTAKES = ("-missing", "-wrong", "-refused")
"""The page that they are made on, once more; on a phone is enough."""
MOST_BYTES = 6_000_000


def pictures(browser: Browser, width: int, scheme: Literal["light", "dark"], language: str) -> None:
    """Every page in one size and scheme, at a gateway where nothing has happened before."""
    with tempfile.TemporaryDirectory() as state, running_place(Path(state) / "gateway", CLIENTS, **MAIL) as house:
        furnish(house)
        viewport: ViewportSize = {"width": width, "height": SIZES[width]}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, locale=language)
        page = context.new_page()
        for name in stations(page, house):
            if width != min(SIZES) and name.endswith(MISTAKES):
                continue
            page.screenshot(path=PLACE / f"{name}-{width}-{scheme}.png", full_page=True, animations="disabled")
        context.close()


def main(language: str = "en") -> None:
    """Replace what is there.

    Raises: SystemExit where the pictures have become too large to be kept beside the code.
    """
    chromium = chromium_path()
    if chromium is None:
        raise SystemExit("scripts/pictures: needs chromium; scripts/test --browser installs it")
    PLACE.mkdir(parents=True, exist_ok=True)
    for old in PLACE.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for width, scheme in product(SIZES, SCHEMES):
            pictures(browser, width, scheme, language)
        browser.close()
    size = sum(picture.stat().st_size for picture in PLACE.glob("*.png"))
    print(f"{len(list(PLACE.glob('*.png')))} pictures, {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        raise SystemExit(f"scripts/pictures: more than {MOST_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
