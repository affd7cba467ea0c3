"""`/dashboard/deliveries`: who gets messages, of the gateway and of this scorer; what failed, and once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.forms import Form
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.deliveries import condition_of, counted, moment_in
from risk_scorer.flows.console.deliveries import AllDeliveries, DeliveryDesk

PATH: Final = "/dashboard/deliveries"
ONE: Final = f"{PATH}/{{side}}/{{receiver}}"
STATUSES: Final = ("waiting", "in_flight", "delivered", "dead")
LONGEST: Final = 300
SENSITIVE: Final = frozenset({"replay"})
"""What sends much of what people did to somebody: it wants a second factor just now."""
ACTS: Final = ("retry", "retry_dead", "test", "replay", "stop", "pause", "resume")


class DeliveryViews:
    """Everybody who gets messages, one of them, and what admins ask of it."""

    def __init__(self, *, desk: Desk, deliveries: AllDeliveries, now: Callable[[], float]) -> None:
        self._desk = desk
        self._deliveries = deliveries
        self._now = now

    async def all(self, request: Request) -> Response:
        """Both sides; one that is away is said in its place."""
        return await self._desk.page(
            "console/deliveries.html",
            request,
            sides=await self._deliveries.all(),
            condition=lambda each: condition_of(each, self._now()),
            worst_first=lambda found: sorted(found, key=lambda each: condition_of(each, self._now()).rank),
            counted=counted,
            quote=path_part,
        )

    async def one(self, request: Request) -> Response:
        """One with its messages. Raises: Refused."""
        side, receiver, query = _side(request), _receiver(request), request.query_params
        desk, status = self._deliveries.desk(side), query.get("status", "")
        if status and status not in STATUSES:
            raise Refused("invalid_filter", f"status must be one of {', '.join(STATUSES)}", status=422)
        found = await desk.page(receiver, status=status, before=query.get("before", "")[:LONGEST])
        here = f"{PATH}/{side}/{path_part(receiver)}"
        return await self._desk.page(
            "console/receiver.html",
            request,
            side=side,
            found=found.receiver,
            messages=found.deliveries,
            replays=await desk.replays(receiver) if found.receiver.kind == "destination" else [],
            condition=condition_of(found.receiver, self._now()),
            counted=counted,
            wanted=status,
            statuses=STATUSES,
            at=here,
            older="" if found.next is None else address(here, status=status, before=found.next),
        )

    async def change(self, request: Request) -> Response:
        """Try again, test, tell a span again, pause, resume. Raises: Refused, and as `Desk.act`."""
        side, receiver, form = _side(request), _receiver(request), await self._desk.form(request)
        desk, does = self._deliveries.desk(side), form.one("does")
        if does not in ACTS:
            raise Refused("invalid_change", f"What can be asked is {', '.join(ACTS)}.", status=422)

        async def do(doing: Doing) -> str:
            return await _done(desk, receiver, does, form, doing.act.reason)

        return await self._desk.act(
            request,
            f"delivery.{does}",
            f"{side} {receiver}",
            effect=do,
            back=f"{PATH}/{side}/{path_part(receiver)}",
            role="admin",
            sensitive=does in SENSITIVE,
        )

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(name="deliveries", path=PATH, title="Deliveries", endpoint=self.all, in_menu=True),
            View(name="receiver", path=ONE, title="One receiver", endpoint=self.one),
            View(
                name="receiver-change",
                path=f"{ONE}/change",
                title="Ask something of a receiver",
                endpoint=self.change,
                role="admin",
                kind="act",
            ),
        )


async def _done(desk: DeliveryDesk, receiver: str, does: str, form: Form, reason: str) -> str:
    """What was asked, in one line: what is on its way has not arrived yet. Raises: Refused."""
    if does in ("retry", "retry_dead"):
        count = await desk.retry(receiver, form.one("message_id") if does == "retry" else None)
        many = "message is" if count == 1 else "messages are"
        return f"{count} {many} tried now; look below what becomes of it." if count else "Nothing had to be tried."
    if does == "test":
        await desk.test(receiver)
        return "A test message is on its way; look below what becomes of it."
    if does == "replay":
        since, until = moment_in(form.one("from")), moment_in(form.one("to"))
        if since is None or (form.one("to").strip() and until is None):
            raise Refused("invalid_span", "Say from when on, and until when, as 2026-01-31T08:00.", status=422)
        await desk.replay(receiver, since, until)
        return "What happened in that span is being told again; the replay is listed below."
    if does == "stop":
        await desk.stop(receiver)
        return "The replay ends; what it has made is sent."
    if does == "pause":
        await desk.pause(receiver, reason[:200])
        return "Nothing is sent there any more; what waits waits."
    await desk.resume(receiver)
    return "It is told again, and what waited is sent now."


def _side(request: Request) -> str:
    return str(request.path_params["side"])


def _receiver(request: Request) -> str:
    receiver = str(request.path_params["receiver"])
    if len(receiver) > LONGEST or not receiver.isprintable():
        raise Refused("unknown_receiver", "Nobody of this name gets messages.", status=404)
    return receiver
