"""`/dashboard/sign-ins`: every scored login, by filters that stand in the address; files of them, and verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.newest import FEED
from risk_scorer.api.console.views import View
from risk_scorer.api.live import LiveFeed
from risk_scorer.contract.feedback import Feedback, VerdictKind
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.export import BYTE_ORDER_MARK, LIST_ENDS, csv_line, row_of_json
from risk_scorer.core.console.moments import span_words
from risk_scorer.core.console.sign_in_filter import DECISIONS, LEVELS, OUTCOMES, VERDICTS, SignInFilter
from risk_scorer.core.console.sign_in_line import COLUMNS, EXPORTED, columns_of, exported, line_of
from risk_scorer.core.console.sign_in_page import SignInPage
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.way_back import way_back
from risk_scorer.flows.console.judging import Judged
from risk_scorer.flows.console.sign_ins import MOST_ROWS, SignIns

PATH: Final = "/dashboard/sign-ins"
MOST_JUDGED: Final = 100
"""Sign-ins of one verdict: as many as somebody can have looked at."""
MOST_LIVE: Final = 100
"""Rows that a page keeps while it goes on: it grows no further, however long it is open."""
SPANS: Final = {"1h": "the last hour", "24h": "the last day", "7d": "the last week", "30d": "30 days"}
OFTEN: Final = (
    ("Risky, a day", "least=60&since=24h"),
    ("Denied, 7 days", "decision=deny&since=7d"),
    ("Factor not shown, 7 days", "outcome=mfa_failed&since=7d"),
    ("Confirmed compromised, 30 days", "verdict=confirmed_compromised&since=30d"),
)
"""What is asked again and again, each a filter that somebody can change further."""
ABOVE: Final = ("text", "level", "decision", "verdict", "since")
"""Filters that are always in sight."""

log = structlog.get_logger(__name__)


class SignInViews:
    """The table, its files and its verdicts."""

    def __init__(self, *, desk: Desk, sign_ins: SignIns, judge: Judged, feed: LiveFeed) -> None:
        self._desk = desk
        self._sign_ins = sign_ins
        self._judge = judge
        self._feed = feed

    async def table(self, request: Request) -> Response:
        """A page of those that the filter asks for. Raises: Refused."""
        query, veil = request.query_params, self._desk.veil(request)
        live_from = await self._feed.last()
        wanted, found = await self._sign_ins.asked(query)
        is_empty = not (found.rows or wanted.asked)
        late_seconds = await self._sign_ins.late_seconds() if is_empty else None
        columns = columns_of(query.get("columns", ""))
        return await self._desk.page(
            "console/sign_ins.html",
            request,
            lines=[line_of(row, veil) for row in found.rows],
            columns=columns,
            all_columns=COLUMNS,
            given={name: query.get(name, "") for name in SignInFilter.__struct_fields__},
            without=_without(wanted, query),
            choices={"level": LEVELS, "decision": DECISIONS, "outcome": OUTCOMES, "verdict": VERDICTS},
            spans=SPANS,
            often=OFTEN,
            above=ABOVE,
            export_query=wanted.query,
            back=_address(query, {}),
            searched_to=found.searched_to,
            pages=_pages(query, found),
            row_limit=MOST_LIVE,
            late=None if late_seconds is None else span_words(late_seconds),
            feed=_feed(wanted, query, live_from),
        )

    async def as_csv(self, request: Request) -> Response:
        """All that the filter asks for, as CSV. Raises: Refused."""
        return await self._file(request, "csv", "text/csv; charset=utf-8")

    async def as_json(self, request: Request) -> Response:
        """All that the filter asks for, as one JSON list. Raises: Refused."""
        return await self._file(request, "json", "application/json")

    async def _file(self, request: Request, kind: str, media_type: str) -> Response:
        operator, veil = self._desk.require(request), self._desk.veil(request)
        wanted = self._sign_ins.wanted(request.query_params)
        log.info("sign_ins_exported", operator=operator.name, kind=kind, filter=wanted.query, veiled=veil.is_on)
        # Read before the answer begins: afterwards nobody could be told that there is none.
        first = await self._sign_ins.page(wanted, None, limit=MOST_ROWS)
        lines = self._csv(wanted, first, veil) if kind == "csv" else self._json(wanted, first, veil)
        headers = {"content-disposition": f'attachment; filename="sign-ins.{kind}"', "cache-control": "no-store"}
        return StreamingResponse(lines, media_type=media_type, headers=headers)

    async def _csv(self, wanted: SignInFilter, first: SignInPage, veil: Veil) -> AsyncIterator[bytes]:
        yield (BYTE_ORDER_MARK + csv_line(EXPORTED)).encode()
        async for page in self._all(wanted, first):
            cells = (exported(row, veil) for row in page.rows)
            yield "".join(csv_line(each[name] for name in EXPORTED) for each in cells).encode()

    async def _json(self, wanted: SignInFilter, first: SignInPage, veil: Veil) -> AsyncIterator[bytes]:
        is_first = True
        async for page in self._all(wanted, first):
            for row in page.rows:
                yield row_of_json(exported(row, veil), is_first=is_first)
                is_first = False
        yield LIST_ENDS[is_first]

    async def _all(self, wanted: SignInFilter, first: SignInPage) -> AsyncIterator[SignInPage]:
        """Page after page; only one is in memory beside the first."""
        page = first
        yield page
        while page.next_cursor is not None:
            page = await self._sign_ins.page(wanted, page.next_cursor, limit=MOST_ROWS)
            yield page

    async def judge(self, request: Request) -> Response:
        """A verdict on the ticked sign-ins. Raises: Refused, and as `Desk.act`."""
        form = await self._desk.form(request)
        events, verdict = tuple(dict.fromkeys(form.all("event"))), form.one("verdict")
        if verdict not in VERDICTS:
            raise Refused("invalid_verdict", f"Choose one of {', '.join(VERDICTS)}.", status=422)
        if not 1 <= len(events) <= MOST_JUDGED:
            raise Refused("nothing_chosen", f"Tick 1 to {MOST_JUDGED} sign-ins first.", status=422)
        kind: VerdictKind = verdict  # type: ignore[assignment]  # one of them, as just looked at

        async def say(doing: Doing) -> str:
            operator, reason = doing.operator.name, doing.act.reason
            await self._judge.feedback(
                [
                    Feedback(event_id=event, verdict=kind, by=operator, reason=reason, source="analyst")
                    for event in events
                ],
                path="event",
            )
            words, many = verdict.replace("_", " "), "s" if len(events) > 1 else ""
            learns = "Nobody learns" if verdict == "dismissed" else "Histories and training learn"
            return f"{len(events)} sign-in{many}: {words}. {learns} from it."

        return await self._desk.act(
            request, "sign_in.verdict", events, effect=say, back=way_back(form.one("back", PATH) or PATH)
        )

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(name="sign-ins", path=PATH, title="Sign-ins", endpoint=self.table, in_menu=True),
            View(name="sign-ins-csv", path=f"{PATH}/export.csv", title="As CSV", endpoint=self.as_csv, kind="export"),
            View(
                name="sign-ins-json", path=f"{PATH}/export.json", title="As JSON", endpoint=self.as_json, kind="export"
            ),
            View(
                name="sign-ins-verdict",
                path=f"{PATH}/verdict",
                title="Judge sign-ins",
                endpoint=self.judge,
                role="analyst",
                kind="act",
            ),
        )


def _address(query: Mapping[str, str], changed: Mapping[str, str]) -> str:
    """This page with some of its query changed; "" leaves a name out."""
    return address(PATH, **{**query, **changed, "fragment": ""})


def _feed(wanted: SignInFilter, query: Mapping[str, str], live_from: int) -> str:
    """Where what comes from now on is told; "" for a page of the past, which nothing new belongs to."""
    is_past = any(query.get(name) for name in ("before", "after", "until"))
    return "" if is_past else address(FEED, **{**wanted.asked, "after": live_from})


def _without(wanted: SignInFilter, query: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, value, address without it) of everything that is asked for."""
    names = [name for name in wanted.asked if query.get(name)]
    return [(name, query[name], _address(query, {name: "", "before": "", "after": ""})) for name in names]


def _pages(query: Mapping[str, str], found: SignInPage) -> dict[str, str]:
    older = "" if found.next_cursor is None else _address(query, {"before": str(found.next_cursor), "after": ""})
    newer = "" if found.newer is None else _address(query, {"after": str(found.newer), "before": ""})
    return {"older": older, "newer": newer}
