"""The operator's commands: each parses its arguments, calls one flow and prints. They work beside a running server."""

import gc
import os
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Final, NoReturn

import typer
from typer.exceptions import Abort, Exit, TyperException

from auth_gateway.cli.complaints import WRONG_INPUT, complain

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "Serve until told to stop.",
    "init": "Set up a gateway: settings, keys, the first account with its authenticator, the first application.",
    "users": "People's accounts.",
    "keys": "The keys that sign tokens and seal secrets.",
    "database": "The database's schema.",
    "backup": "Copy the database and the keys that open it, beside a running server.",
    "restore": "Put a backup back into an empty AUTH_GATEWAY_STATE; nothing is overwritten.",
    "policy": "Rules beside the built-in tables.",
    "sessions": "Sessions of people.",
    "clients": "Registered applications.",
    "webhooks": "Those who are told of events.",
    "streams": "Streams of Shared Signals.",
    "signals": "Events of other providers.",
}
"""Each command is a module of its name, which is loaded when it is asked for; the overview needs these words alone."""


def commands(asked: Collection[str]) -> typer.Typer:
    """The command line, whole for the names that are asked for; of the others it knows what they are for."""
    app = typer.Typer(
        help="The login gateway.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name, summary in COMMANDS.items():
        if name not in asked:
            app.add_typer(typer.Typer(help=summary), name=name)
            continue
        module = import_module(f"{__name__}.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


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
        status = _loaded(sys.argv[1:])(standalone_mode=False)
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


def _loaded(asked: Collection[str]) -> typer.Typer:
    """`commands`, without looking for garbage among modules: none of them goes away, and the search takes a fifth."""
    gc.disable()
    try:
        return commands(asked)
    finally:
        gc.enable()


def _leave_unwritten() -> NoReturn:
    """Ends without the interpreter's own try to write what is left, which would fail again and change the status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    sys.exit(WRONG_INPUT)
