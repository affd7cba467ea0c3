"""Destinations, their messages and replays as a person reads them."""

from typing import Any

import msgspec
import typer

from auth_gateway.cli.console import moment, row
from auth_gateway.core.destination import Destination, folding_of
from auth_gateway.core.replay import Replay
from auth_gateway.flows.deliveries import Delivered, Page


def show_destination(found: Destination) -> None:
    """One line for each thing that is known."""
    row("name", found.name)
    row("id", found.destination_id)
    row("kind", found.kind)
    row("url", found.url)
    row("format", found.format)
    row("types", ", ".join(found.filter.types) or "every one")
    row("min score", f"{found.filter.min_score:g}")
    row("clients", ", ".join(found.filter.clients) or "every one")
    row("told", f"ip={found.privacy.ip} user={found.privacy.user} user_agent={str(found.privacy.user_agent).lower()}")
    terms = folding_of(found)
    row("storms", f"from {terms.burst}, {terms.per_minute:g} a minute" if terms.is_on else "told one by one")
    row("tenant", found.tenant or "the gateway's own")
    row("added", moment(found.created_at))
    is_enabled = found.disabled_at is None
    row("state", "enabled" if is_enabled else f"disabled at {moment(found.disabled_at or 0)}: {found.disabled_reason}")


def show_deliveries(page: Page) -> None:
    """A line each, and what to ask the next page with."""
    for each in page.deliveries:
        show_delivery(each)
    if page.following is not None:
        typer.echo(f"more: --before {page.following}", err=True)


def show_delivery(each: Delivered) -> None:
    """When it was made, its id and type, how it stands, how often it was tried, and what came last."""
    last = each.last_error or ("" if each.last_status is None else f"status_{each.last_status}")
    following = "" if each.next_attempt_at is None else f"next {moment(each.next_attempt_at)}"
    row(moment(each.created_at), each.message_id, each.event_type, each.status, str(each.attempts), last, following)


def show_replay(replay: Replay, *, as_json: bool) -> None:
    """A line: id, state, span, types, and how many messages it has made."""
    if as_json:
        typer.echo(msgspec.json.encode(replay_told(replay)).decode())
        return
    span = f"{moment(replay.since)} to {moment(replay.until)}"
    row(replay.replay_id, replay.state, span, ",".join(replay.types) or "every type", f"{replay.messages} messages")


def replay_told(replay: Replay) -> dict[str, Any]:
    """What programs are told of it."""
    known: dict[str, Any] = msgspec.to_builtins(replay)
    places = {"at_seq", "is_stopped"}
    return {"state": replay.state, **{name: value for name, value in known.items() if name not in places}}
