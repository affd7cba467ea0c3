"""`auth-gateway database`: its schema, brought up ahead of a start."""

from typing import Annotated

import typer

from auth_gateway.adapters.storage import bring_up, missing_steps
from auth_gateway.cli.console import NOT_NOW, fail, row, settings_or_fail
from auth_gateway.opening import CannotStart, told_of_database

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database's schema."""


@app.command()
def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing: status 1, else 0.")] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Take away too what older releases need: none of them may serve.")
    ] = False,
) -> None:
    """Bring the database to this release's schema, while older processes go on serving."""
    settings = settings_or_fail()
    try:
        with told_of_database(settings):
            missing = missing_steps(settings.database_url)
            if not check:
                bring_up(settings.database_url, may_contract=contract or None)
                left = {step.revision for step in missing_steps(settings.database_url)}
    except CannotStart as error:
        fail(str(error))
    for step in missing:
        state = "missing" if check else "waits for --contract" if step.revision in left else "done"
        row(step.revision, "contracts" if step.contracts else "expands", state)
    if check and missing:
        raise typer.Exit(NOT_NOW)
