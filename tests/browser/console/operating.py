"""An operator at the console in a real browser. Each form is sent twice: without a reason, which is refused and leaves
nothing behind, and with one, which is written down in their name.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from risk_scorer.adapters.storage import FILE_NAME
from tests.browser.console.conftest import overheard
from tests.browser.place import enter_password, follow
from tests.console_place import Place

NO_REASON = " "  # a browser takes it for one

Row = tuple[str | float | None, ...]
Filled = Callable[[Page], Locator]
"""Fills in a form of the page, all but its reason."""


@dataclass
class Operator:
    """Signed in with a second factor; `page` is theirs, `complaints` what its browser said."""

    place: Place
    name: str
    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.place.url + path)
        return self.page

    def act(self, path: str, words: str, *, why: str, action: str, of: str | tuple[str, ...], **more: str) -> str:
        """What is told of the act with that name, once it was done; `more` are its fields by label."""

        def filled(_: Page) -> Locator:
            form = self.form(words)
            for label, value in more.items():
                form.get_by_label(label, exact=True).fill(value)
            return form

        subjects = (of,) if isinstance(of, str) else of
        return self.send(path, filled, words, why=why, written=[(action, each, "done") for each in subjects])

    def send(self, path: str, filled: Filled, words: str, *, why: str, written: list[tuple[str, str, str]]) -> str:
        """What is told of the form that this fills in, once it was done; `written` are actions, subjects, results."""
        before = self.acts()
        for reason in (NO_REASON, why):
            form = filled(self.go(path))
            form.get_by_label("Why").fill(reason)
            with self.page.expect_navigation():
                form.get_by_role("button", name=words, exact=True).click()
            if reason == NO_REASON:
                expect(self.page.locator("main")).to_contain_text("reason_required")
                assert self.acts() == before
        told = self.page.locator(".flash").inner_text()
        done = [(self.name, action, subject, why, result) for action, subject, result in written]
        assert sorted(self.acts()[len(before) :]) == sorted(done), told
        return told

    def form(self, words: str, *, is_open: bool = False) -> Locator:
        """The form with that name on this page, unfolded."""
        summary = self.page.locator("summary", has_text=re.compile(f"^{words}$"))
        form = self.page.locator("details.act", has=summary).first
        if not is_open:
            form.locator("summary").click()
        return form

    @property
    def open_incidents(self) -> int:
        """What the menu of this page says."""
        entry = self.page.locator("ul.menu a[href='/dashboard/incidents']").first
        number = re.search(r"\d+", entry.text_content() or "")
        return int(number[0]) if number else 0

    def acts(self) -> list[Row]:
        """What is written down at the console, in order."""
        return self.rows("SELECT operator, action, subject, reason, result FROM console_audit ORDER BY id")

    def rows(self, sql: str, *values: str) -> list[Row]:
        """Read from the scorer's own file."""
        with closing(sqlite3.connect(self.place.scorer.place / "scorer" / FILE_NAME)) as database:
            return database.execute(sql, values).fetchall()

    def rows_everywhere(self) -> dict[tuple[str, Path], int]:
        """How many there are in each table of both services."""
        found, state = {}, self.place.scorer.place
        for path in (state / "scorer" / FILE_NAME, state / "gateway" / "gateway.db"):
            assert path.exists()
            with closing(sqlite3.connect(path)) as database:
                for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    found[name, path] = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        return found


@contextmanager
def operator_of(chromium: Browser, place: Place, role: str) -> Iterator[Operator]:
    """Somebody of that role, by the gateway, until the block ends."""
    person, complaints = place.people[role], list[str]()
    context = chromium.new_context(viewport={"width": 1280, "height": 844})
    page = overheard(context, complaints)
    page.goto(f"{place.url}/operator/begin?to=/dashboard&fresh=1")
    enter_password(page, person.password, username=person.username)
    page.locator("#code").fill(place.code(person))
    follow(page, "form:has(#code) button[type=submit]")
    page.wait_for_url(f"{place.url}/dashboard**")
    yield Operator(place, person.username, page, complaints)
    context.close()
