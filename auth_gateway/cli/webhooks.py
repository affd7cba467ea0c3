"""`auth-gateway webhooks`: who is told of events, what became of the messages, and once more what happened."""

import time
from typing import Annotated

import typer

from auth_gateway.cli.console import NOT_NOW, fail, moment, moment_given, opened, row
from auth_gateway.cli.webhook_terms import AsJson, Name, Types, add, print_json, update
from auth_gateway.cli.webhooks_shown import show_deliveries, show_delivery, show_destination, show_replay
from auth_gateway.flows.deliveries import Delivered, Deliveries
from auth_gateway.telling import deliveries as deliveries_of
from auth_gateway.telling import listeners, replays
from webhooks.delivery_log import Status

LOOK_EVERY_SECONDS = 0.2

app = typer.Typer(help="Those who are told of events.", no_args_is_help=True, rich_markup_mode=None)

Seconds = Annotated[float, typer.Option("--wait", min=0, max=600, help="Seconds to wait for what becomes of it.")]


app.command("add")(add)
app.command("update")(update)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Print name, kind, format, state and address of each."""
    with opened() as gateway:
        for each in listeners(gateway).list():
            if as_json:
                print_json(each)
            else:
                row(each.name, each.kind, each.format, each.disabled_reason or "enabled", each.url)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Print all that is known of one; its secret is never shown again."""
    with opened() as gateway:
        found = listeners(gateway).find(name)
    if as_json:
        print_json(found)
    else:
        show_destination(found)


@app.command("test")
def send_test(name: Name, wait: Seconds = 10.0, as_json: AsJson = False) -> None:
    """Send `webhook.test` to it alone and say what became of it; status 1 if it has not arrived."""
    with opened() as gateway:
        desk = deliveries_of(gateway)
        sent = _awaited(desk, name, desk.test(name), wait)
    _show_one(sent, as_json)
    if sent.status != "delivered":
        fail(_why(sent), NOT_NOW)


@app.command("rotate-secret")
def rotate_secret(
    name: Name,
    overlap: Annotated[int, typer.Option("--overlap", min=0, help="Hours that the old secret signs too.")] = 24,
) -> None:
    """Print a new secret, this once; messages are signed with the old one too until the overlap ends."""
    with opened() as gateway:
        listeners(gateway).rotate_secret(name, overlap_seconds=overlap * 3600, show=typer.echo)


@app.command("enable")
def enable(name: Name) -> None:
    """Tell it again from now on; what waited for it is sent."""
    with opened() as gateway:
        is_new = listeners(gateway).enable(name)
    typer.echo("enabled" if is_new else "was enabled")


@app.command("disable")
def disable(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="What others are told.")] = "by_operator",
) -> None:
    """Tell it nothing from now on; what waits for it waits."""
    with opened() as gateway:
        is_new = listeners(gateway).disable(name, reason=reason)
    typer.echo("disabled" if is_new else "was disabled")


@app.command("remove")
def remove(name: Name) -> None:
    """Forget it and its secret; what waits for it and its dead letters are deleted."""
    with opened() as gateway:
        listeners(gateway).remove(name)
    typer.echo("removed")


@app.command("deliveries")
def deliveries(
    name: Name,
    status: Annotated[Status | None, typer.Option("--status", help="Only these; `dead` were given up.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many, 500 at the most.")] = 50,
    before: Annotated[str, typer.Option("--before", help="What the last page named for the next.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print messages to it, the newest first, and how each stands."""
    with opened() as gateway:
        page = deliveries_of(gateway).page(name, status=status, limit=limit, before=before)
    if as_json:
        print_json({"deliveries": page.deliveries, "next": page.following})
    else:
        show_deliveries(page)


@app.command("retry")
def retry(
    name: Name,
    message_id: Annotated[str, typer.Argument(help="A message; left out with --dead.")] = "",
    dead: Annotated[bool, typer.Option("--dead", help="All that was given up.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try a message at once, or all dead ones, with all their attempts before them."""
    if dead == bool(message_id):
        fail("name a message, or give --dead for all that was given up")
    with opened() as gateway:
        desk = deliveries_of(gateway)
        if message_id:
            _show_one(desk.retry(name, message_id), as_json)
            return
        count = desk.retry_dead(name)
    if as_json:
        print_json({"retried": count})
    else:
        typer.echo(f"{count} messages are tried again")


@app.command("replay")
def replay(
    name: Name,
    since: Annotated[str, typer.Option("--from", help="First moment, such as 2026-01-31 or 2026-01-31T08:00Z; UTC.")],
    until: Annotated[str, typer.Option("--to", help="The moment before which it ends; now if left out.")] = "",
    types: Types = None,
    as_json: AsJson = False,
) -> None:
    """Tell it again what happened in a span; the gateway does that, and goes on after a stop. One at a time."""
    begin = moment_given(since, "--from")
    with opened() as gateway:
        end = moment_given(until, "--to") if until else gateway.clock.now()
        asked = replays(gateway).begin(name, since=begin, until=end, types=tuple(types or ()))
    show_replay(asked, as_json=as_json)


@app.command("replays")
def list_replays(
    name: Name,
    stop: Annotated[bool, typer.Option("--stop", help="End the one that runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the replays to it, the newest first, and how far each has come."""
    with opened() as gateway:
        if stop:
            replays(gateway).stop(name)
        for each in replays(gateway).list(name):
            show_replay(each, as_json=as_json)


def _awaited(desk: Deliveries, name: str, sent: Delivered, seconds: float) -> Delivered:
    """How it stands once there is something to say of it, or the time is over."""
    clock = desk.listeners.clock
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        if sent.status in {"delivered", "dead"} or sent.last_error is not None:
            break
        time.sleep(LOOK_EVERY_SECONDS)
        sent = desk.find(name, sent.message_id)
    return sent


def _why(sent: Delivered) -> str:
    if sent.last_error is not None:
        again = "" if sent.next_attempt_at is None else f"; the next attempt is at {moment(sent.next_attempt_at)}"
        return f"it has not arrived: {sent.last_error}{again}"
    return "nobody has tried to send it yet: is the gateway running?"


def _show_one(sent: Delivered, as_json: bool) -> None:
    if as_json:
        print_json(sent)
    else:
        show_delivery(sent)
