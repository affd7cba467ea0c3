"""`/dashboard/entities`: what sign-ins have in common. Today's most notable values, a search, and the page of one."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from plumbing.clock import Clock
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.entity import (
    FILTERS,
    HEADINGS,
    HOME,
    KINDS,
    Entity,
    Kind,
    can_be_asked,
    path_of,
    value_in,
)
from risk_scorer.core.console.entity_summary import SPANS, Notable
from risk_scorer.core.console.hour_bars import BOX, week_of
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_line import line_of
from risk_scorer.core.console.sign_in_page import Cursor
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import visible
from risk_scorer.flows.console.entities import Entities, Known

ONE: Final = f"{HOME}/{{kind}}/{{value:path}}"
SIGN_INS: Final = "/dashboard/sign-ins"
LONGEST_PLACE: Final = 64
LONGEST_SHOWN: Final = 64
MOST_BESIDE: Final = 5


class EntityViews:
    """The index, and one of them."""

    def __init__(self, *, desk: Desk, entities: Entities, clock: Clock) -> None:
        self._desk = desk
        self._entities = entities
        self._clock = clock

    async def index(self, request: Request) -> Response:
        """What is notable today; with `q`, the page of what is looked for. Raises: Refused."""
        query, veil = request.query_params, self._desk.veil(request)
        if query.get("q", "").strip():
            found = self._entities.entity(query.get("kind", ""), query["q"])
            return RedirectResponse(path_of(found.kind, _asked(found, veil)), status_code=303)
        notable = await self._entities.notable()
        return await self._desk.page(
            "console/entities.html",
            request,
            headings=HEADINGS,
            notable={kind: [_told(each, veil) for each in notable[kind]] for kind in KINDS},
        )

    async def one(self, request: Request) -> Response:
        """All of it. A veiled session sees the network of an address. Raises: Refused (422 for what is none)."""
        query, veil = request.query_params, self._desk.veil(request)
        value = request.path_params["value"] or query.get("value", "")
        entity = self._entities.entity(request.path_params["kind"], value)
        asked = _asked(entity, veil)
        if asked != entity.value:
            where = path_of(entity.kind, asked)
            return RedirectResponse(address(where, fragment=query.get("fragment", "")), status_code=303)
        if query.get("before"):
            people, older = await self._entities.people(entity, query["before"][:LONGEST_PLACE])
            named = {**_name(entity, veil), "people": people, "older": _older(entity, older)}
            return await self._desk.page("console/entity_people.html", request, **named)
        known = await self._entities.known(entity)
        return await self._desk.page("console/entity.html", request, **_page(entity, known, veil, self._clock.now()))

    def views(self) -> tuple[View, ...]:
        """Where they are; the page of one comes last, since its address takes any value."""
        return (
            View(name="entities", path=HOME, title="Entities", endpoint=self.index, in_menu=True),
            View(name="entity", path=ONE, title="One entity", endpoint=self.one),
        )


def _name(entity: Entity, veil: Veil) -> dict[str, Any]:
    return {
        "heading": HEADINGS[entity.kind],
        "value": _shown(entity.kind, entity.value, veil),
        "first_page": entity.path,
        "path_part": path_part,
    }


def _page(entity: Entity, known: Known, veil: Veil, now: float) -> dict[str, Any]:
    return {
        **_name(entity, veil),
        "known": known,
        "spans": [name for name, _ in SPANS],
        "hours": week_of(known.hours, now=now),
        "box": BOX,
        "latest": [line_of(row, veil) for row in known.latest],
        "beside": _beside(entity, known.latest, veil),
        "sign_ins": address(SIGN_INS, **{FILTERS[entity.kind]: entity.value}),
        "attacks": address(SIGN_INS, **{FILTERS[entity.kind]: entity.value, "level": "high"}),
        "older": _older(entity, known.older),
    }


def _older(entity: Entity, place: Cursor | None) -> str:
    """Where the list of people goes on; "" at its end."""
    sign = "&" if "?" in entity.path else "?"
    return "" if place is None else f"{entity.path}{sign}before={path_part(str(place))}"


def _beside(entity: Entity, rows: tuple[SignIn, ...], veil: Veil) -> list[tuple[str, list[tuple[str, str]], int]]:
    """(heading, texts with their addresses, how many more) of what its newest sign-ins had besides."""
    found = []
    for kind in (each for each in KINDS if each != entity.kind):
        given = (value_in(row, kind) for row in rows)
        values = [*dict.fromkeys(veil.subject(each) if kind == "address" else each for each in given)]
        asked = [(_shown(kind, value, veil), path_of(kind, value)) for value in values if can_be_asked(value)]
        if asked:
            found.append((HEADINGS[kind], asked[:MOST_BESIDE], max(0, len(asked) - MOST_BESIDE)))
    return found


def _asked(entity: Entity, veil: Veil) -> str:
    return veil.subject(entity.value) if entity.kind == "address" else entity.value


def _shown(kind: Kind, value: str, veil: Veil) -> str:
    text = veil.address(value) if kind == "address" else f"AS{value}" if kind == "asn" else veil.text(value)
    return visible(text, LONGEST_SHOWN)


def _told(each: Notable, veil: Veil) -> dict[str, Any]:
    asked = veil.subject(each.value) if each.kind == "address" else each.value
    return {
        "value": _shown(each.kind, each.value, veil),
        "name": visible(each.name, LONGEST_SHOWN),
        "path": path_of(each.kind, asked),
        "people": each.people,
        "sign_ins": each.sign_ins,
        "attacks": each.attacks,
        "last_seen": each.last_seen,
    }
