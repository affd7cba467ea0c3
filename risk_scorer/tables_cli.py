"""`risk-scorer tables`: what the address tables are made from, and how to renew or replace them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from plumbing.clock import SystemClock
from risk_scorer.command_frame import fail, settings_of_process
from risk_scorer.settings import Settings

if TYPE_CHECKING:  # the adapters start numpy and numba: only where needed
    from risk_scorer.adapters.ip_table_build import Progress as Counted
    from risk_scorer.adapters.ip_table_format import Source

tables = typer.Typer(help="Where addresses are: the tables and their renewal.", no_args_is_help=True)
Into = Annotated[Path | None, typer.Option("--into", help="Directory to write to; else IP_TABLES or the state's own.")]


@tables.command("show")
def show_tables() -> None:
    """Print the tables in use: where they are from, how old and how large they are, and what must be said of them."""
    from risk_scorer.adapters.ip_table_format import FILE_NAME, BadIpTable, read_header
    from risk_scorer.adapters.ip_tables import age_days

    path = _in_use(settings_of_process()) / FILE_NAME
    try:
        header, digest = read_header(path)
    except BadIpTable as error:
        fail(str(error))
    typer.echo(f"{path}\t{path.stat().st_size / 1e6:.1f} MB\t{digest[:16]}")
    for name, source in (("places", header.city), ("operators", header.asn)):
        typer.echo(f"{name}\t{_told(source)}")
    typer.echo(f"age\t{age_days(header, SystemClock().now()):.0f} days")
    for column in header.columns:
        typer.echo(f"{column.name}\t{column.rows} rows\t{column.size} bytes")


@tables.command("build")
def build_tables(
    city: Annotated[
        Path | None, typer.Option(help="Archive, directory or .mmdb with places; else npm gets it.")
    ] = None,
    asn: Annotated[Path | None, typer.Option(help="Archive, directory, .csv or .mmdb with operators.")] = None,
    into: Into = None,
) -> None:
    """Renew the tables from the published DB-IP Lite city and RouteViews ASN data, by npm. Takes minutes."""
    from risk_scorer.adapters.ip_table_upkeep import build

    target = _target(settings_of_process(), into)
    with _counted("reading addresses") as progress, _told_in_one_line():
        path = build(target, city=city, asn=asn, progress=progress)
    _say_where(path)


@tables.command("replace")
def replace_tables(
    city_mmdb: Annotated[list[Path] | None, typer.Option(help="Your city database; give v4 and v6 one by one.")] = None,
    asn_mmdb: Annotated[list[Path] | None, typer.Option(help="Your ASN database.")] = None,
    into: Into = None,
) -> None:
    """Make the tables from your own .mmdb files; what you do not give stays as it is."""
    from risk_scorer.adapters.ip_table_upkeep import replace

    settings = settings_of_process()
    with _counted("reading addresses") as progress, _told_in_one_line():
        path = replace(
            _target(settings, into),
            current=_in_use(settings),
            city_mmdb=city_mmdb or [],
            asn_mmdb=asn_mmdb or [],
            progress=progress,
        )
    _say_where(path)


def _in_use(settings: Settings) -> Path:
    from risk_scorer.adapters.ip_tables import tables_in_use

    return settings.ip_tables or tables_in_use(settings.risk_scorer_state)


def _target(settings: Settings, into: Path | None) -> Path:
    from risk_scorer.adapters.ip_tables import OWN_FOLDER

    return into or settings.ip_tables or settings.risk_scorer_state / OWN_FOLDER


def _told(source: Source) -> str:
    return "\t".join(
        text for text in (source.name, source.date, source.licence, source.attribution, source.url) if text
    )


def _say_where(path: Path) -> None:
    typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB); used from the next start of the scorer")


@contextmanager
def _counted(what: str) -> Iterator[Counted]:
    """A counter on the terminal, nothing in a log."""
    columns = (SpinnerColumn(), TextColumn(what), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda count: shown.advance(task, count)


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    from risk_scorer.adapters.ip_table_format import BadIpTable

    try:
        yield
    except BadIpTable as error:
        fail(str(error))
