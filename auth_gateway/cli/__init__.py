"""The operator's commands: each parses its arguments, calls one flow and prints. They work beside a running server."""

import sys

import typer
from typer.exceptions import Abort, Exit, TyperException

from auth_gateway.cli import clients, keys, serving, sessions, users
from auth_gateway.cli.console import WRONG_INPUT, complain

app = typer.Typer(
    help="The login gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serving.serve)
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(sessions.app, name="sessions")
app.add_typer(clients.app, name="clients")


def main() -> None:
    """The `auth-gateway` command: 0 done, 1 not possible now, 2 wrong input; what goes wrong is one line."""
    try:
        status = app(standalone_mode=False)
    except Exit as left:
        sys.exit(left.exit_code)
    except Abort:
        complain("stopped")
        sys.exit(130)
    except TyperException as error:
        text = error.format_message()
        if text.startswith("Usage:"):  # a group without a command: the whole help, as it is
            typer.echo(text, err=True)
        else:
            complain(" ".join(text.split()))
        sys.exit(WRONG_INPUT)
    sys.exit(status if isinstance(status, int) else 0)
