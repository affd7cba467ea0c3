"""`auth-gateway users risk` and `users verdict`: what is held against a person, and an analyst's word about it."""

from typing import Annotated

import typer

from auth_gateway.cli.console import fail, moment, opened, row
from auth_gateway.flows.risk_desk import MOST_SHOWN, PersonRisk
from auth_gateway.user_risks import risk_desk

Username = Annotated[str, typer.Argument(help="The name they log in with.")]


def show(
    username: Username,
    limit: Annotated[int, typer.Option(min=1, max=MOST_SHOWN, help="How much of its history.")] = 20,
) -> None:
    """Print a person's risk, and what raised and lowered it, the newest first."""
    with opened() as gateway:
        desk = risk_desk(gateway)
        _print(desk.show(desk.named(username), limit=limit))


def verdict(
    username: Username,
    by: Annotated[str, typer.Option(help="Who says it.")],
    why: Annotated[str, typer.Option(help="Why.")],
    safe: Annotated[bool, typer.Option("--safe", help="It was the person; the scorer learns that.")] = False,
    dismissed: Annotated[bool, typer.Option("--dismissed", help="Of no concern; nobody learns.")] = False,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else has the account: all are out until a new password.")
    ] = False,
) -> None:
    """Say what a person's risk was: --safe, --dismissed or --compromised."""
    given = {"safe": safe, "dismissed": dismissed, "compromised": compromised}
    said = [name for name, is_said in given.items() if is_said]
    if len(said) != 1:
        fail("give one of --safe, --dismissed and --compromised")
    with opened() as gateway:
        desk = risk_desk(gateway)
        _print(desk.verdict(desk.named(username), said[0], by=by, why=why))


def _print(risk: PersonRisk) -> None:
    row(f"{risk.value:.0f}", risk.level, "held" if risk.is_held else "fading")
    for noted in risk.history:
        change = noted.change
        said = f"{change.by}: {change.why}" if change.by else ""
        row(
            moment(change.ts),
            f"{change.before:.0f} -> {change.after:.0f}",
            change.source,
            change.reason,
            change.event_id,
            said,
        )
