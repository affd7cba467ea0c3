"""Both services, some logins, and the console's views as its own table has them."""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from plumbing.clock import SystemClock
from risk_scorer.adapters.storage import FILE_NAME, open_database
from risk_scorer.api.console.views import View
from risk_scorer.app import create_app
from risk_scorer.assembly import assemble
from tests.console_place import Place, console_place
from tests.integration.risk_scorer.console.crowded import CAMPAIGN, attacked
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import WEBHOOK_SECRET, settings_for, shared_lookups
from tests.saved_policy import save_policy

EXAMPLES = {
    "side": "scorer",
    "receiver": "announcements",
    "user_id": "id-person3",
    "event_id": "evt-0",
    "kind": "address",
    "value": "198.51.100.7",
    "name": "weekly_cohorts",
    "session_id": "ses-stolen",
    "campaign_id": CAMPAIGN,
    "number": "2",
}
"""What stands for a parameter of a path; another one is filled with an id that nobody has."""
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=1</script>'


POLICY = """# Only counted: whoever is signed in by other tests goes on. 198.51.100.0/24
[groups]
away = ["nobody"] # </textarea><img src=x onerror="document.title=1">

[[rule]]
name = "away"
when = { group = "away" }
then = "deny"
report_only = true

[[marks]]
group = "away"
step_up = 45.5
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """With logins of three people, a loud one and a hostile one among them, and a campaign of bots."""
    # Nothing listens there: the loud login's announcement waits for it.
    told = {"WEBHOOK_URL": "http://127.0.0.1:9/in", "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with console_place(tmp_path_factory.mktemp("console"), **told) as found:
        with found.scorer.client(found.scorer.credential("score,outcomes,read,activity")) as client:
            for number in range(6):
                event = {"user_id": f"id-person{number % 3 + 1}", "ip": "198.51.100.7", "user_agent": "Mozilla/5.0"}
                more = LOUD if number == 4 else {"city": MARKUP} if number == 5 else {}
                client.post("/score", json={**event, **more, "event_id": f"evt-{number}"}).raise_for_status()
            steal(client)
        with closing(open_database(f"sqlite:///{found.scorer.place / 'scorer' / FILE_NAME}")) as database:
            attacked(database, SystemClock())
        for document in (POLICY.replace("45.5", "50"), POLICY):
            save_policy(found.provider.gateway, document, why=f"first only counted, at 198.51.100.7 {MARKUP}")
        yield found


def steal(client: Any, user_id: str = "id-person3", session_id: str = "ses-stolen") -> None:
    """Somebody else uses a session of the person's, who has done the same things for two weeks."""
    now, who = time.time(), {"user_id": user_id, "session_id": session_id}
    own = {"ip": "198.51.100.7", "user_agent": CHROME, "device_id": "dev"}
    begun = {**who, **own, "state": "started", "at": now - 1_300_000, "client_id": "shop"}
    client.post("/sessions", json=begun).raise_for_status()
    usual = [
        {"endpoint": ("/home", "/orders")[number % 2], "service": "shop", "bytes_out": 2000, "status_code": 200}
        | {"timestamp": now - 1_209_600 + number * 9000 + number * 7919 % 3701}
        for number in range(120)
    ]
    bodies = [
        {"identity": {**who, **own, "ja4": "t13d1516_8daaf6152771_02713d6af862"}, "event": each} for each in usual
    ]
    client.post("/assess/bulk", json=bodies).raise_for_status()
    other = {"ip": "203.0.113.77", "user_agent": "curl/8.5.0", "device_id": "other", "ja4": "t13d0001_aaaa_bbbb"}
    for number in range(12):
        what = {"endpoint": "/admin/export", "service": "admin", "bytes_out": 50_000_000, "status_code": 200}
        body = {"identity": {**who, **other}, "event": {**what, "timestamp": now - 50 + number}}
        client.post("/assess", json=body).raise_for_status()


@pytest.fixture(scope="session")
def views() -> tuple[View, ...]:
    """The table, as a scorer that is never started has it."""
    with tempfile.TemporaryDirectory() as folder:
        scorer = assemble(settings_for(Path(folder)), lookups=shared_lookups())
        found: tuple[View, ...] = create_app(scorer.settings, scorer=scorer).state.console.views
        scorer.close()
    return found


@pytest.fixture(scope="session")
def pages(views: tuple[View, ...]) -> list[str]:
    """The address of every page."""
    filled = lambda path: re.sub(r"{(\w+)(?::\w+)?}", lambda name: EXAMPLES.get(name[1], "unknown-1"), path)  # noqa: E731
    tried = "/dashboard/lab/session?preset=stolen&user=id-person3"
    return [tried, *(filled(view.path) for view in views if view.kind == "page" and view.name != "narrative")]


Opened = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said: errors and violations of the content security policy."""
    return []


def overheard(context: BrowserContext, complaints: list[str]) -> Page:
    """A new page whose errors are added to these."""

    def heard(message: ConsoleMessage) -> None:
        # Chromium writes each refusal's status there by itself.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page: Page = context.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@pytest.fixture
def opened(chromium: Browser, place: Place, complaints: list[str]) -> Iterator[Opened]:
    """A page of a new browser in which somebody of that role is signed in by a link; `given` is the browser's own."""
    contexts: list[BrowserContext] = []

    def made(role: str | None = "reader", **given: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 844}, **given})
        contexts.append(context)
        page = overheard(context, complaints)
        if role is not None:
            page.goto(place.link(role))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/dashboard")
        return page

    yield made
    for context in contexts:
        context.close()
