"""How commands get a password: never as an argument, which everybody sees who can list processes."""

import sys

import typer

from auth_gateway.cli.console import fail

MOST_PASSWORD_INPUT = 8_192


def read_password(*, from_stdin: bool) -> str:
    """The password, typed twice at a terminal or read from input."""
    if not from_stdin:
        if not sys.stdin.isatty():
            fail("there is no terminal to ask for the password: use --password-stdin")
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    raw = sys.stdin.buffer.read(MOST_PASSWORD_INPUT + 1)
    if len(raw) > MOST_PASSWORD_INPUT:
        fail("the password is too long: choose one of at most 256 characters")
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        fail("the password is not UTF-8: send it in that encoding")
