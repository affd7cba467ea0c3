"""Whatever strangers type is text: in every view of the table, every file and every fragment.

Two hundred and more texts (`tests.canaries`) stand in every field of a login that its reporter fills in, and in the
words of operators. A view is covered by being in the table.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import quote

import pytest

from risk_scorer.api.console.views import View
from risk_scorer.contract.decisions import Decision
from risk_scorer.core.console.export import FORMULA_SIGNS
from tests.canaries import CANARIES, PRODUCT, Canary
from tests.integration.risk_scorer.console.signing import by_link, form_token
from tests.integration.risk_scorer.console.test_sign_in_views import shown
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
SHOWN: Final = [canary for canary in CANARIES if "\0" not in canary.text]
"""What has a NUL is refused at the door."""
FILTERS: Final = ("user", "device", "ja4", "client", "text", "reason", "rule", "query", "q", "cursor", "before")
"""Parameters that views read; each view gets them all."""
ADDRESSES: Final = frozenset(
    {"href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "content"}
)
SHOWN_ATTRIBUTES: Final = frozenset({"title", "alt", "aria-label", "aria-description", "placeholder", "label"})
UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


class Reader(HTMLParser):
    """What a page is made of, and what is wrong with it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong = list[str]()
        self.text = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.wrong += [f"element {tag}"] if "cnry" in tag else []
        for name, value in attrs:
            if "cnry" in name or name.startswith("on") or name in ("style", "srcdoc"):
                self.wrong.append(f"attribute {name} of {tag}")
            plain = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name in ADDRESSES and re.match(r"(0;url=)?(javascript|vbscript|data):|(https?:)?[/\\]{2}canary", plain):
                self.wrong.append(f"{name}={value!r} of {tag}")
            if name in SHOWN_ATTRIBUTES:
                self.text.append(value or "")
            if name == "id" and "cnry" in plain:
                self.wrong.append(f"id {value!r}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.wrong.append(f"declaration {decl!r}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One that was told a login with each canary in every field, what was decided, and what operators wrote."""
    async with running(tmp_path_factory.mktemp("canaries")) as found:
        for number, canary in enumerate(CANARIES):
            answer = await found.client.post("/score", json=login(number, canary))
            assert answer.status_code == (422 if "\0" in canary.text else 200), (canary, answer.text)
        for first in range(0, len(SHOWN), 100):
            batch = [decision(canary) for canary in SHOWN[first : first + 100]]
            answer = await found.client.post("/decisions", json=batch)
            assert answer.status_code == 200, answer.text
        voucher = found.scorer.credentials.add("trusted", ["activity", "vouch"])
        bearer = {"authorization": f"Bearer {voucher}"}
        answer = await found.client.post("/assess/bulk", json=[deed(each) for each in SHOWN], headers=bearer)
        assert answer.status_code == 200, answer.text
        await shown(found, len(SHOWN))
        del found.client.headers["authorization"]
        await by_link(found, "admin")
        yield found


def login(number: int, canary: Canary) -> dict[str, Any]:
    text = canary.text[:120]
    names = ("user_id", "event_id", "user_agent", "device_id", "ja4", "ja4h", "ja4s", "country", "region", "city")
    return {
        **dict.fromkeys(names, text),
        "ip": f"203.0.113.{number % 250}",
        "ip_rep": 100.0 if number % 9 == 0 else 0.0,
    }


def deed(canary: Canary) -> dict[str, Any]:
    """Something that was done after a login, as an application that may vouch reports it."""
    text = canary.text[:120]
    who = dict.fromkeys(("user_id", "device_id", "geo", "user_agent", "session_id", "ja4"), text)
    what = dict.fromkeys(("endpoint", "service", "trace_id"), text)
    identity = {**who, "ip": "203.0.113.7", "roles": [text], "privileges": [text]}
    return {"identity": identity, "event": {**what, "method": text[:16], "metadata": {text: text}}, "event_id": text}


def decision(canary: Canary) -> dict[str, Any]:
    text = canary.text[:120]
    kinds = {
        "event_id": text,
        "decision": "deny",
        "rule": text,
        "factor": text,
        "client_id": text,
        "at": 1_760_000_000.0,
    }
    assert set(kinds) == set(Decision.__struct_fields__)
    return kinds


def views(service: Running, *kinds: str) -> list[View]:
    return [view for view in service.app.state.console.views if view.kind in kinds and view.name != "narrative"]


def asked(view: View, canary: Canary) -> str:
    """The view's address with that text for each of its parameters, and in its query."""
    text = quote(canary.text[:120], safe="")
    path = re.sub(r"{\w+(?::\w+)?}", lambda _: text, view.path)
    return path if "{" in view.path else f"{path}?{'&'.join(f'{name}={text}' for name in FILTERS)}"


def faults(html: str) -> Iterable[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    yield from reader.wrong
    whole = "".join(reader.text)
    yield from (f"bare {sign!r}" for sign in set(UNSEEN.findall(whole)))
    if PRODUCT in html:
        yield "a template ran"


async def test_no_view_makes_anything_of_what_strangers_typed(service: Running) -> None:
    """No element, no attribute, no address and no invisible sign is theirs; most of what they typed can be read."""
    wrong, seen = list[str](), set[str]()
    for view in views(service, "page"):
        for path in (re.sub(r"{\w+(?::\w+)?}", "unknown-1", view.path), *deeper(service, view)):
            answer = await service.client.get(path)
            assert answer.status_code < 500 or "gateway_not_configured" in answer.text, path
            wrong += [f"{view.name} {path[:80]}: {fault}" for fault in faults(answer.text)]
            seen |= set(re.findall(r"cnry\d\d\d", answer.text))
    assert "\n".join(wrong) == ""
    assert len(seen) > len(SHOWN) // 2


def deeper(service: Running, view: View) -> list[str]:
    """Its address made of canaries: of each the n-th where there are n views, so that all are somewhere."""
    every = views(service, "page")
    mine = CANARIES[every.index(view) :: len(every)]
    paths = [asked(view, canary) for canary in mine]
    return [*paths, *(f"{path}{'&' if '?' in path else '?'}fragment=1" for path in paths[:5])]


async def test_every_canary_is_shown_beside_its_login(service: Running) -> None:
    """Page after page of the table of sign-ins, with every column."""
    seen, path = set[str](), "/dashboard/sign-ins?limit=100"
    while path:
        html = (await service.client.get(path)).text
        assert "\n".join(faults(html)) == ""
        seen |= set(re.findall(r"cnry\d\d\d", html))
        older = re.search(r'href="([^"]*before=[^"]*)"', html)
        path = older[1].replace("&amp;", "&") if older else ""
    assert {canary.mark for canary in SHOWN} == seen


async def test_no_file_runs_anywhere(service: Running) -> None:
    """Each line of CSV has as many cells as its head, none of which is a formula; JSON and JSON lines are whole."""
    exports = views(service, "export")
    assert exports
    for view in exports:
        answer = await service.client.get(re.sub(r"{\w+(?::\w+)?}", "unknown-1", view.path))
        assert answer.status_code < 500 or "gateway_not_configured" in answer.text, view.name
        assert answer.headers["x-content-type-options"] == "nosniff", view.name
        if answer.is_success and "csv" in answer.headers["content-type"]:
            rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), strict=True))
            assert {len(row) for row in rows} == {len(rows[0])}, view.name
            cells = [cell for row in rows for cell in row]
            assert [cell for cell in cells if is_formula(cell)] == [], view.name
            assert [cell for cell in cells if UNSEEN.search(cell)] == [], view.name
        elif answer.is_success:
            json.loads(answer.content)


def is_formula(cell: str) -> bool:
    bare = cell.lstrip(" \u00a0\u3000\u2003")
    return bare[:1] in FORMULA_SIGNS | set("＝＋－＠") and not re.fullmatch(r"-?[\d.e+-]+", bare)


async def test_what_operators_write_is_text_as_well(service: Running) -> None:
    """A verdict's reason and where to go back to, as the record of acts shows them."""
    token, seen = await form_token(service), set[str]()
    for canary in SHOWN[:: 1 if len(SHOWN) < 50 else 5]:
        fields = {"form_token": token, "reason": canary.text, "verdict": "confirmed_safe", "event": canary.text[:120]}
        answer = await service.client.post("/dashboard/sign-ins/verdict", data={**fields, "back": canary.text})
        assert answer.status_code == 303, (canary, answer.text[-600:])
        assert answer.headers["location"].startswith("/dashboard"), canary
        html = (await service.client.get("/dashboard/audit")).text
        assert "\n".join(faults(html)) == ""
        seen |= set(re.findall(r"cnry\d\d\d", html)) & {canary.mark}
    assert len(seen) > 40
