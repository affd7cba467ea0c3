"""`/dashboard/views`: the named questions to the store, each with its text, its parameters, its rows, and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.export import BYTE_ORDER_MARK, LIST_ENDS, csv_line, row_of_json
from risk_scorer.core.console.view_rows import MOST_SHOWN, exported, fields, in_a_query, shown
from risk_scorer.flows.activity.views import Views

PATH: Final = "/dashboard/views"
ASK: Final = "ask"
"""What a form sends beside its parameters, so that one whose fields are all empty asks too."""
FRAME: Final = frozenset({ASK, "fragment"})

log = structlog.get_logger(__name__)


class NamedViews:
    """The list, and the page of each with its files."""

    def __init__(self, *, desk: Desk, named: Views, sql: Callable[[str], str]) -> None:
        """`sql` is the text that the database gets for the view of that name."""
        self._desk = desk
        self._named = named
        self._sql = sql

    async def listed(self, request: Request) -> Response:
        """All of them."""
        return await self._desk.page("console/named_views.html", request, named=self._named.listed, path=PATH)

    async def page(self, request: Request) -> Response:
        """One of them; its rows once somebody asks, for a long span takes long. Raises: Refused."""
        name, veil = str(request.path_params["name"]), self._desk.veil(request)
        view, given = self._named.view(name), _given(request)
        values, rows = self._named.values(name, given), None
        if given or ASK in request.query_params:
            values, rows = await self._named.ask(name, given)
        query = in_a_query(view, values)
        return await self._desk.page(
            "console/named_view.html",
            request,
            named=view,
            sql=self._sql(name),
            fields=fields(view, values),
            count=None if rows is None else len(rows),
            is_cut=rows is not None and len(rows) == values.get("limit"),
            rows=[shown(row, view.columns, veil) for row in (rows or ())[:MOST_SHOWN]],
            path=PATH,
            here_path=f"{PATH}/{name}",
            files={kind: address(f"{PATH}/{name}/export.{kind}", **query) for kind in ("csv", "json")},
        )

    async def as_csv(self, request: Request) -> Response:
        """The rows as CSV that no spreadsheet runs. Raises: Refused."""
        name, rows = await self._exported(request, "csv")
        columns = [column.name for column in self._named.view(name).columns]
        lines = (columns, *([row[column] for column in columns] for row in rows))
        return _file(BYTE_ORDER_MARK + "".join(map(csv_line, lines)), f"{name}.csv", "text/csv; charset=utf-8")

    async def as_json(self, request: Request) -> Response:
        """The rows as one JSON list. Raises: Refused."""
        name, rows = await self._exported(request, "json")
        pieces = [row_of_json(row, is_first=at == 0) for at, row in enumerate(rows)]
        return _file(b"".join(pieces) + LIST_ENDS[not rows], f"{name}.json", "application/json")

    async def _exported(self, request: Request, kind: str) -> tuple[str, list[dict[str, Any]]]:
        name, operator, veil = str(request.path_params["name"]), self._desk.require(request), self._desk.veil(request)
        _, rows = await self._named.ask(name, _given(request))
        log.info("view_exported", view=name, operator=operator.name, kind=kind, rows=len(rows), veiled=veil.is_on)
        return name, exported(rows, veil)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        one = f"{PATH}/{{name}}"
        return (
            View(name="views", path=PATH, title="Views", endpoint=self.listed),
            View(name="view-csv", path=f"{one}/export.csv", title="As CSV", endpoint=self.as_csv, kind="export"),
            View(name="view-json", path=f"{one}/export.json", title="As JSON", endpoint=self.as_json, kind="export"),
            View(name="view", path=one, title="One view", endpoint=self.page),
        )


def _given(request: Request) -> Mapping[str, str]:
    """What was asked for: an empty field asks for what is usual."""
    query = request.query_params
    return {name: value.strip() for name, value in query.items() if name not in FRAME and value.strip()}


def _file(content: str | bytes, name: str, media_type: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
