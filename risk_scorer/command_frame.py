"""What the operator's commands share: their settings, the opened database, and how they end when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import typer

from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.storage import BadStorage, open_state
from risk_scorer.settings import BadSettings, Settings, load_settings

WRONG_INPUT: Final = 2
"""The exit status where the input or the configuration is wrong."""
UNAVAILABLE: Final = 1
"""The exit status where something is not there, or cannot be had now."""


def fail(text: str, status: int = WRONG_INPUT) -> NoReturn:
    """One line on standard error, and the end."""
    typer.echo(f"risk-scorer: {text}", err=True)
    raise typer.Exit(status)


def settings_of_process(**given: object) -> Settings:
    """The settings; wrong ones end the command."""
    try:
        return load_settings(**given)
    except BadSettings as error:
        fail(str(error))


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database; one that cannot be used, or refuses, ends the command."""
    try:
        database = open_state(
            settings.risk_scorer_state, settings.database_url, may_migrate=settings.risk_scorer_migrate
        )
    except BadStorage as error:
        fail(str(error))
    try:
        yield database
    except Refused as refused:
        fail(refused.message, UNAVAILABLE)
    finally:
        database.close()
