"""Takes a picture of every view of the console, in light, in dark and narrow, into `docs/pages/console`.

What they show is an invented company (`console_world`): synthetic, and said so beside them.
"""

import re
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Literal

import httpx2
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from risk_scorer.api.console.views import View
from risk_scorer.app import create_app
from risk_scorer.assembly import assemble
from risk_scorer.settings import Settings
from tests.browser.company_policy import decide
from tests.browser.conftest import QUIET, chromium_path
from tests.browser.console_world import fitted, told
from tests.console_place import Place, console_place
from tests.integration.risk_scorer.service import shared_lookups
from tests.scorer_commands import scorer_command

PLACE = Path(__file__).parents[2] / "docs" / "pages" / "console"
LOOKS: tuple[tuple[str, Literal["light", "dark"], ViewportSize, int], ...] = (
    ("light", "light", {"width": 1280, "height": 900}, 1_300),
    ("dark", "dark", {"width": 1280, "height": 900}, 900),
    ("narrow", "light", {"width": 390, "height": 844}, 1_100),
)
"""Each with the pixels of a page that a picture has at most; below are more rows of the same."""
PLACELESS = """(path) => document.querySelectorAll("pre, code").forEach((one) => {
  if (one.textContent.includes(path)) one.textContent = one.textContent.replaceAll(path, "registry");
})"""
"""Where the registry is on this machine is nobody's business."""
MOST_BYTES = 10_000_000
LEFT_OUT = frozenset({"narrative", "figures"})
"""One wants somebody's language model, the other is a part of the overview."""


def settings_of(place: Place) -> Settings:
    given = place.scorer.environment()
    return Settings(**{name: given[name.upper()] for name in Settings.model_fields if name.upper() in given})  # type: ignore[arg-type]


def pages(place: Place) -> list[View]:
    """The views of the table that are pages."""
    with closing(assemble(settings_of(place), lookups=shared_lookups())) as scorer:
        every: tuple[View, ...] = create_app(scorer.settings, scorer=scorer).state.console.views
    return [view for view in every if view.kind == "page" and view.name not in LEFT_OUT]


def address(page: Page, place: Place, view: View) -> str | None:
    """Where that view is; one of something is found by a link of what lists it."""
    if "{" not in view.path:
        return view.path
    start = view.path.partition("{")[0]
    for listing in (f"{start.rstrip('/')}?least=60", start.rstrip("/"), "/dashboard"):
        page.goto(place.url + listing)
        shape = re.compile(f"{re.sub(r'{[^}]*}', '[^?]+', view.path)}$")
        links: list[str] = page.eval_on_selector_all(
            "main a[href]", "all => all.map((one) => one.getAttribute('href'))"
        )
        bare = [link.partition("?")[0] for link in links]
        found = [link for link in bare if shape.match(link) and not link.endswith((".csv", ".json"))]
        if found:
            return found[0]
    return None


def pictures(browser: Browser, place: Place, views: list[View]) -> list[str]:
    """Every view in every look; the names of those that nothing leads to."""
    lost = list[str]()
    for look, scheme, viewport, tallest in LOOKS:
        context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(place.link("admin"))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/dashboard")
        for view in views:
            where = address(page, place, view)
            if where is None:
                lost.append(view.name)
                continue
            page.goto(place.url + where)
            page.evaluate(PLACELESS, str(place.scorer.changes["MODEL_REGISTRY"]))
            tall = min(tallest, int(page.evaluate("document.documentElement.scrollHeight")))
            clip = {"x": 0, "y": 0, "width": viewport["width"], "height": tall}
            path = PLACE / f"{view.name}-{look}.png"
            page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]
        context.close()
    return sorted(set(lost))


def furnish(place: Place, folder: Path, later: list[dict[str, str]]) -> None:
    """Thirty days of the company, its campaigns, and accounts at the gateway for some of its people."""
    place.scorer.stop()
    told(settings_of(place), later, folder, now=time.time())
    scorer_command(place.scorer.environment(), "campaigns", "run", "--window", "7d")
    place.scorer.start()
    names = sorted({row["user_id"] for row in later if row["user_id"].startswith("u")})[:24]
    decide(place, [place.provider.person(name) for name in names])
    deadline = time.monotonic() + 60
    with httpx2.Client(trust_env=False) as http:
        while time.monotonic() < deadline and not http.get(f"{place.scorer.url}/ready").is_success:
            time.sleep(0.2)
    time.sleep(5.0)


def main(kept: str = "") -> None:
    """Replace what is there; `kept` is a folder in which a fitted model stays for the next time.

    Raises: SystemExit where the pictures have become too large to be kept beside the code, or a view is not found.
    """
    chromium = chromium_path()
    if chromium is None:
        raise SystemExit("scripts/pictures: needs chromium; scripts/test --browser installs it")
    PLACE.mkdir(parents=True, exist_ok=True)
    for old in PLACE.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as state:
        folder = Path(state)
        model = fitted(Path(kept) if kept else folder / "model")
        with console_place(folder / "place", **model.settings) as place:
            furnish(place, folder, list(model.later))
            views = pages(place)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
                lost = pictures(browser, place, views)
                browser.close()
    size = sum(picture.stat().st_size for picture in PLACE.glob("*.png"))
    print(f"{len(list(PLACE.glob('*.png')))} pictures, {size / 1e6:.1f} MB; nothing leads to {lost}")
    if lost or size > MOST_BYTES:
        raise SystemExit(f"scripts/pictures: a view without a link, or more than {MOST_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
