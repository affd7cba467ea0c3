"""The commands about who may open the console."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from plumbing.clock import SystemClock
from plumbing.randomness import SystemRandomness
from risk_scorer.adapters.console.role_rows import OperatorRoles
from risk_scorer.adapters.operators import USUAL_NAME, Operators
from risk_scorer.command_frame import fail, opened, settings_of_process
from risk_scorer.core.console.operator import ROLES, Role, role_named

LONGEST_NAME = 256

operators = typer.Typer(help="Who may open the console by signing in at the gateway.", no_args_is_help=True)

RoleOption = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]


@operators.command("add")
def add_operator(
    name: Annotated[str, typer.Argument(help="The user name, or the user id (sub), at the gateway.")],
    role: RoleOption = "reader",
) -> None:
    """Let somebody in; given again, with another role."""
    chosen = _role(role)
    _check(name)
    settings = settings_of_process()
    with opened(settings) as database:
        OperatorRoles(database, clock=SystemClock()).give(name, chosen)
    typer.echo(f"{name} is {chosen}")


@operators.command("list")
def list_operators() -> None:
    """Print name, role and since when."""
    settings = settings_of_process()
    with opened(settings) as database:
        for name, role, added_at in OperatorRoles(database, clock=SystemClock()).listed():
            typer.echo(f"{name}\t{role}\tsince {datetime.fromtimestamp(added_at, UTC):%Y-%m-%d}")


@operators.command("remove")
def remove_operator(name: Annotated[str, typer.Argument()]) -> None:
    """Let somebody in no more; a page that they have open is their last."""
    settings = settings_of_process()
    with opened(settings) as database:
        if not OperatorRoles(database, clock=SystemClock()).take(name):
            fail("there is no operator of that name")
    typer.echo("removed")


def operator_link(
    role: RoleOption = "reader",
    name: Annotated[str, typer.Option("--name", help="For whom it is, as the audit says.")] = USUAL_NAME,
) -> None:
    """Print a link that opens the console once, within ten minutes; for when the gateway cannot vouch for anybody."""
    chosen = _role(role)
    _check(name)
    settings = settings_of_process()
    with opened(settings) as database:
        made = Operators(database, clock=SystemClock(), randomness=SystemRandomness())
        typer.echo(f"{settings.public_url}/operator/sign-in?token={made.new_link_token(chosen, name)}")


def _role(text: str) -> Role:
    chosen = role_named(text)
    if chosen is None:
        fail(f"the role must be one of {', '.join(ROLES)}")
    return chosen


def _check(name: str) -> None:
    if not name.isprintable() or not 1 <= len(name) <= LONGEST_NAME or name != name.strip():
        fail(f"the name must have 1 to {LONGEST_NAME} printable characters and no space at its ends")
