"""`auth-gateway sessions`: who is logged in, and how to end that."""

from typing import Annotated

import typer

from auth_gateway.cli.console import fail, moment, opened, row
from auth_gateway.core.names import prepare_username
from auth_gateway.core.session import Session
from auth_gateway.flows.accounts import known_account

REASON = "operator"

app = typer.Typer(help="Sessions of people.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def show(
    username: Annotated[str | None, typer.Argument(help="Only this person's.")] = None,
) -> None:
    """Print the newest sessions: id, user, client, address, state and start."""
    prepared = None if username is None else prepare_username(username)
    with opened() as gateway:
        if username is not None:
            known_account(gateway.database, gateway.users, username)
        now = gateway.clock.now()
        for session in gateway.revoke.found(prepared):
            since = f"since {moment(session.created_at)}"
            row(session.session_id, session.user_id, session.client_id, session.ip, _state(session, now), since)


@app.command("revoke")
def revoke(
    session_id: Annotated[str | None, typer.Argument(help="The session to end.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="End all sessions of this person instead.")] = None,
) -> None:
    """End a session, or all of one person; their refresh tokens end with them."""
    if (session_id is None) == (user is None):
        fail("name either a session, as `auth-gateway sessions list` shows them, or a person by --user")
    with opened() as gateway:
        if session_id is not None:
            if not gateway.revoke.session(session_id, reason=REASON):
                fail("there is no running session of that id: `auth-gateway sessions list` shows them")
            typer.echo("ended")
        elif user is not None:
            account = known_account(gateway.database, gateway.users, user)
            typer.echo(f"{gateway.revoke.all_of(account.username, reason=REASON)} ended")


def _state(session: Session, now: float) -> str:
    if session.revoked_at is not None:
        return f"ended ({session.revoked_reason})"
    if now >= session.expires_at:
        return "expired"
    return "awaits a factor" if session.awaits_factor else "running"
