"""`risk-scorer views`: what analysts ask of the event store, on the command line."""

from __future__ import annotations

import csv
import sys
from typing import Annotated, Any

import msgspec
import typer

from plumbing.clock import SystemClock
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.adapters.activity.views.asking import Question
from risk_scorer.command_frame import fail, opened, settings_of_process
from risk_scorer.core.abuse.view import BadParameter, Parameter, asked

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula (OWASP, CSV Injection)."""

views = typer.Typer(help="Questions to the event store, by name.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="One of `views list`.")]


@views.command("list")
def list_views() -> None:
    """Each view with what it answers."""
    for question in ALL.values():
        typer.echo(f"{question.view.name}\t{question.view.text}")


@views.command()
def show(name: Name) -> None:
    """A view's parameters, its columns, and the statement that the database gets."""
    question, settings = _question(name), settings_of_process()
    typer.echo(question.view.text)
    for parameter in question.view.parameters:
        typer.echo(f"  --param {parameter.name}=…\t{parameter.text} ({_usual(parameter)})")
    for column in question.view.columns:
        typer.echo(f"  {column.name}\t{column.text}")
    typer.echo(question.sql("postgresql" if settings.is_shared else "sqlite"))


def _usual(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        return parameter.choices[0]
    return f"{parameter.usual:g} s before now" if parameter.kind == "moment" else f"{parameter.usual:g}"


@views.command()
def run(
    name: Name,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    json: Annotated[bool, typer.Option("--json", help="A JSON line for each row instead of CSV.")] = False,
) -> None:
    """Its rows, as CSV."""
    question, settings = _question(name), settings_of_process()
    try:
        values = asked(question.view, _given(param or []), now=SystemClock().now())
    except BadParameter as error:
        fail(str(error))
    with opened(settings) as database:
        rows = database.read(lambda tx: question.ask(tx, values))
    if json:
        for row in rows:
            typer.echo(msgspec.json.encode(row).decode())
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(column.name for column in question.view.columns)
    table.writerows([_plain(value) for value in row.values()] for row in rows)


def _plain(value: Any) -> Any:
    """A text that no spreadsheet runs."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _given(parameters: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in parameters:
        name, sign, value = each.partition("=")
        if not sign or name in found:
            fail("--param is NAME=VALUE, each name once")
        found[name] = value
    return found


def _question(name: str) -> Question:
    question = ALL.get(name)
    if question is None:
        fail(f"a view is one of {', '.join(ALL)}")
    return question
