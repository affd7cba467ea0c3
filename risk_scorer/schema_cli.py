"""`risk-scorer database`: its schema, brought up ahead of a start."""

from __future__ import annotations

from typing import Annotated

import typer

from risk_scorer.adapters.storage import BadStorage, bring_up, missing_steps, told_of_database
from risk_scorer.settings import BadSettings, load_settings

WRONG_INPUT = 2
UNAVAILABLE = 1

schema = typer.Typer(help="The database's schema.", no_args_is_help=True)


@schema.callback()
def database() -> None:
    """The database's schema."""


@schema.command()
def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing: status 1, else 0.")] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Take away too what older releases need: none of them may serve.")
    ] = False,
) -> None:
    """Bring the database to this release's schema, while older processes go on serving."""
    try:
        settings = load_settings()
        with told_of_database(settings.risk_scorer_state, settings.database_url) as url:
            missing = missing_steps(url)
            if not check:
                bring_up(url, may_contract=contract or None)
                left = {step.revision for step in missing_steps(url)}
    except (BadSettings, BadStorage) as error:
        typer.echo(f"risk-scorer: {error}", err=True)
        raise typer.Exit(WRONG_INPUT) from None
    for step in missing:
        state = "missing" if check else "waits for --contract" if step.revision in left else "done"
        typer.echo(f"{step.revision}\t{'contracts' if step.contracts else 'expands'}\t{state}")
    if check and missing:
        raise typer.Exit(UNAVAILABLE)
