"""How a command says that something is wrong: one line on standard error. Loads nothing that takes time."""

from contextlib import suppress

import typer

WRONG_INPUT = 2


def printable(text: str) -> str:
    """The text in one line that cannot touch a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def complain(text: str) -> None:
    """One line on standard error; control characters in it cannot touch the terminal."""
    with suppress(OSError):  # nobody can be told; the exit status still says it
        typer.echo(f"auth-gateway: {printable(text)}", err=True)
