"""A browser as far as the walk needs one: cookies, redirects, and forms with their hidden fields."""

import re
from dataclasses import dataclass
from html import unescape
from types import TracebackType
from typing import Self

import httpx2

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True)
class Page:
    """What is shown, and where."""

    address: str
    status: int
    text: str

    def asks_for(self, field: str) -> bool:
        """Whether the page has a field of this name."""
        return f'name="{field}"' in self.text


class Browser:
    """One person's browser with nothing in it yet."""

    def __init__(self, user_agent: str) -> None:
        self._http = httpx2.Client(
            trust_env=False, timeout=15.0, follow_redirects=True, headers={"user-agent": user_agent}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def open(self, address: str) -> Page:
        return _page(self._http.get(address))

    def fill(self, page: Page, **typed: str) -> Page:
        """Send the page's form with what was typed."""
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
        return _page(self._http.post(page.address, data={**hidden, **typed}))


def _page(answer: httpx2.Response) -> Page:
    return Page(str(answer.url), answer.status_code, answer.text)
