"""A browser at the pages of the own account."""

import re
from dataclasses import dataclass
from html import unescape

import httpx2
import pyotp

from tests.stories.gateway.relying_party import ISSUER, Browser
from tests.stories.gateway.story import Story

ACCOUNT = f"{ISSUER}/account"
CODE_CARD = 'name="card" value="code"'
"""What every page has that asks for a second factor."""


@dataclass
class AccountBrowser(Browser):
    """Keeps cookies as a browser does, opens account pages and sends their forms."""

    def open(self, page: str = "") -> httpx2.Response:
        """The page, or whatever stands before it."""
        self.where = f"{ACCOUNT}{page}"
        return self.follow(self.ask("GET", self.where))

    def enter(self, username: str = "bob", page: str = "") -> httpx2.Response:
        """Signs in on the way to a page, by name and password; a second after whatever was before."""
        self.story.clock.advance(1)
        self.open(page)
        return self.password(username)

    def strong(self, page: str = "") -> httpx2.Response:
        """Alice on the way to a page, by password and the code that comes next."""
        self.enter("alice", page)
        return self.code()

    def csrf(self) -> str:
        """What the page's forms bring back."""
        assert self.page is not None
        found = re.search(r'name="csrf" value="([^"]+)"', self.page.text)
        assert found is not None, self.page.text
        return found[1]

    def send(self, page: str, headers: dict[str, str] | None = None, **fields: str) -> httpx2.Response:
        """One of the forms of this page, sent to another address of the account."""
        data = {"csrf": self.csrf(), **fields} if "csrf" not in fields else fields
        given = {"origin": ISSUER, "sec-fetch-site": "same-origin", **(headers or {})}
        return self.follow(self.ask("POST", f"{ACCOUNT}{page}", data=data, headers=given))

    def offer(self) -> str:
        """The sealed offer of the authenticator's page."""
        assert self.page is not None
        found = re.search(r'name="offer" value="([^"]+)"', self.page.text)
        assert found is not None, self.page.text
        return found[1]

    def secret(self) -> str:
        """The key of the authenticator's page, as its owner would copy it."""
        assert self.page is not None
        found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", self.page.text)
        assert found is not None, self.page.text
        return found[1].replace(" ", "")

    def options(self) -> str:
        """What the passkeys' page asks the browser to make."""
        assert self.page is not None
        found = re.search(r'data-passkey="create" data-options="([^"]+)"', self.page.text)
        assert found is not None, self.page.text
        return unescape(found[1])

    def new_code(self) -> str:
        """What an application shows that took that key."""
        return pyotp.TOTP(self.secret()).at(int(self.story.clock.now()))


def lines(browser: Browser, *kinds: str) -> list[tuple[str, str | None, str | None]]:
    """The audit lines of those kinds, the oldest first."""
    story = browser.story
    events = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 1000))
    return [(line.kind, line.rule, line.detail) for line in reversed(events) if line.kind in kinds]


def letters(story: Story) -> list[str]:
    """The kinds of the letters that wait or went, in their order."""
    with story.gateway.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT event_type FROM outbox WHERE endpoint = 'mail' ORDER BY rowid")
        return [row[0] for row in rows]
