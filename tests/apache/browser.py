"""A browser without JavaScript over HTTP: cookies, redirects, refreshes, and the sign-in page's forms."""

import re
from html.parser import HTMLParser

import httpx2
import pyotp

from tests.running_provider import Person

MOST_TURNS = 8


class _Form(HTMLParser):
    """The first form of a page: its hidden fields and the names of the others; and where the page sends us on to."""

    def __init__(self) -> None:
        super().__init__()
        self.action = self.refresh = ""
        self.fields: dict[str, str] = {}
        self._forms = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._forms += 1
            self.action = given.get("action") or self.action if self._forms == 1 else self.action
        elsewhere = re.fullmatch(r"0; *url=(.+)", given.get("content") or "")
        if tag == "meta" and given.get("http-equiv") == "refresh" and elsewhere:
            self.refresh = elsewhere[1]
        name = given.get("name")
        is_sent = tag == "input" or (tag == "button" and name not in self.fields)
        if self._forms == 1 and is_sent and name:
            self.fields[name] = given.get("value") or ""


class Browser:
    """One person's browser. Its address of the application is `localhost`, the provider's is 127.0.0.1: two sites, two
    sets of cookies."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.http = httpx2.Client(trust_env=False, timeout=20.0, follow_redirects=True)

    def close(self) -> None:
        self.http.close()

    def visit(self, url: str) -> tuple[httpx2.Response, list[str]]:
        """Where the journey ends, and the cards that were filled in on the way."""
        answer, cards = self.http.get(url), list[str]()
        for _ in range(MOST_TURNS):
            form = _Form()
            form.feed(answer.text)
            card = form.fields.get("card")
            if form.refresh:
                answer = self.http.get(form.refresh)
                continue
            if card is None:
                return answer, cards
            assert answer.status_code == 200, answer.text
            cards.append(card)
            answer = self._submit(answer, form)
        raise AssertionError(f"still asked after {cards}: {answer.text}")

    def _submit(self, page: httpx2.Response, form: _Form) -> httpx2.Response:
        known = {
            "username": self.person.username,
            "password": self.person.password,
            "code": pyotp.TOTP(self.person.totp).now(),
        }
        fields = {name: known.get(name, value) for name, value in form.fields.items()}
        origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
        headers = {"origin": origin, "sec-fetch-site": "same-origin"}
        return self.http.post(str(page.url.join(form.action)), data=fields, headers=headers)
