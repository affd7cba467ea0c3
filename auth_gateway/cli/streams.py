"""`auth-gateway streams`: who is told by Shared Signals, and how to end that."""

from typing import Annotated

import msgspec
import typer

from auth_gateway.cli.console import moment, opened, row
from auth_gateway.core.ssf.stream import PUSH, configuration, standing
from auth_gateway.telling import oversight

app = typer.Typer(help="Streams of Shared Signals.", no_args_is_help=True, rich_markup_mode=None)

StreamId = Annotated[str, typer.Argument(help="As `auth-gateway streams list` shows it.")]


@app.command("list")
def show_all() -> None:
    """Print every stream: id, client, status, way, where to, and since when."""
    with opened() as gateway:
        for stream in oversight(gateway).list():
            way = "push" if stream.method == PUSH else "poll"
            since = f"since {moment(stream.created_at)}"
            row(stream.stream_id, stream.client_id, stream.status, way, stream.endpoint_url or "-", since)


@app.command("show")
def show(stream_id: StreamId) -> None:
    """Print what a stream delivers, as its receiver is told of it, as JSON."""
    with opened() as gateway:
        stream = oversight(gateway).find(stream_id)
        told = {**configuration(stream, gateway.settings.jwt_issuer), **standing(stream)}
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())


@app.command("remove")
def remove(stream_id: StreamId) -> None:
    """End a stream; what waits for it is given up."""
    with opened() as gateway:
        oversight(gateway).remove(stream_id)
        typer.echo("removed")
