"""`auth-gateway clients`: applications that log people in, and what they are trusted with."""

import re
from typing import Annotated

import msgspec
import typer

from auth_gateway.assembly import Gateway
from auth_gateway.cli.console import fail, opened, row
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import PUBLIC_CLIENT_ID
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.credentials import new_credential
from plumbing.statements import Transaction

REASON = "client_removed"
SECRET_PREFIX = "rgc"  # noqa: S105 - the public mark of a client's secret, not one
# No colon: HTTP Basic ends the id there (RFC 7617, section 2).
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

app = typer.Typer(help="Registered applications.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The client's id: letters, digits, dot, dash, underscore.")]


@app.command("add")
def add(
    name: Name,
    may_vouch: Annotated[
        bool, typer.Option("--may-vouch", help="What it says about a login's circumstances is believed.")
    ] = False,
    may_see_scores: Annotated[
        bool, typer.Option("--may-see-scores", help="Its answers hold the score and its reasons.")
    ] = False,
) -> None:
    """Register an application and print its secret, this once; the secret counts only if the command succeeds."""
    if not _NAME.fullmatch(name) or name == PUBLIC_CLIENT_ID:
        fail("a client's id has 1 to 64 letters, digits, dots, dashes or underscores, and is not `public`")
    client = RegisteredClient(client_id=name, may_vouch=may_vouch, may_see_scores=may_see_scores, may_log_in=True)
    with opened() as gateway:
        secret, digest = new_credential(gateway.randomness, SECRET_PREFIX)
        line = _line(gateway, "client.added", name)

        def job(tx: Transaction) -> bool:
            if not gateway.clients.add(tx, client, digest, line.ts):
                return False
            gateway.audit.record(tx, line)
            return True

        is_taken = any(known.client_id == name for known in gateway.database.read(gateway.clients.list))
        if not is_taken:
            # Shown before it is stored: a client whose secret nobody saw cannot come to be, however printing fails.
            typer.echo(secret)
        if is_taken or not gateway.database.write_sync(job):
            fail("there is a client of this id already")


@app.command("list")
def show() -> None:
    """Print id and rights of every client; the secrets themselves are not stored."""
    with opened() as gateway:
        for client in gateway.database.read(gateway.clients.list):
            rights = [
                right
                for right, is_given in (("may-vouch", client.may_vouch), ("may-see-scores", client.may_see_scores))
                if is_given
            ]
            row(client.client_id, ",".join(rights) or "-")


@app.command("remove")
def remove(name: Name) -> None:
    """Forget an application; its sessions and refresh tokens end, whoever gets its name later."""
    with opened() as gateway:
        line = _line(gateway, "client.removed", name)

        def job(tx: Transaction) -> bool:
            ended = gateway.clients.remove(tx, name, now=line.ts, reason=REASON)
            if ended is None:
                return False
            gateway.audit.record(tx, msgspec.structs.replace(line, detail=f"{ended} sessions ended"))
            return True

        if not gateway.database.write_sync(job):
            fail("there is no client of this id")
    typer.echo("removed")


def _line(gateway: Gateway, kind: Kind, client_id: str) -> AuditEvent:
    event_id = gateway.randomness.event_id("evt")
    return AuditEvent(event_id=event_id, ts=gateway.clock.now(), kind=kind, client_id=client_id)
