"""The operator's commands: each parses its arguments, calls one flow and prints. They work beside a running server."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

import typer
from typer.exceptions import Abort, Exit, TyperException

from auth_gateway.cli import clients, init, keys, policy, serving, sessions, signals, streams, users, webhooks
from auth_gateway.cli.console import WRONG_INPUT, complain

app = typer.Typer(
    help="The login gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serving.serve)
app.command("init")(init.init)
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")
app.add_typer(sessions.app, name="sessions")
app.add_typer(clients.app, name="clients")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(streams.app, name="streams")
app.add_typer(signals.app, name="signals")


def main() -> None:
    """The `auth-gateway` command: 0 done, 1 not possible now, 2 wrong input; what goes wrong is one line."""
    try:
        # Bytes that are no UTF-8 arrive as lone surrogates, which neither the database nor a terminal takes.
        " ".join(sys.argv).encode()
    except UnicodeEncodeError:
        complain("the arguments must be UTF-8: check the terminal's encoding")
        sys.exit(WRONG_INPUT)
    try:
        status = _run()
        sys.stdout.flush()
    except OSError as error:
        complain(f"input or output failed: {error.strerror}; mend that and run the command again")
        _leave_unwritten()
    sys.exit(status)


def _run() -> int:
    try:
        status = app(standalone_mode=False)
    except Exit as left:
        return left.exit_code
    except Abort:
        complain("stopped")
        return 130
    except TyperException as error:
        text = error.format_message()
        if text.startswith("Usage:"):  # a group without a command: the whole help, as it is
            typer.echo(text, err=True)
        else:
            complain(f"{' '.join(text.split())} Add --help to see what there is.")
        return WRONG_INPUT
    return status if isinstance(status, int) else 0


def _leave_unwritten() -> NoReturn:
    """Ends without the interpreter's own try to write what is left, which would fail again and change the status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    sys.exit(WRONG_INPUT)
