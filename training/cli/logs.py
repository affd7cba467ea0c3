"""The commands that make and read login logs: simulate, import."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.cli.frame import AsJson, Log, Seed, answered, app


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
    rows: Annotated[int, typer.Option(help="How many logins, attacks among them.")] = 20_000,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Write a log of invented people and labelled attacks."""
    from training.personas import counts_by_label, write_csv
    from training.personas import simulate as simulated
    from training.reports import tell

    with answered():
        table = simulated(rows, seed)
        write_csv(table, out)
        facts = {"written": str(out), "rows": len(table), "seed": seed, "by_label": counts_by_label(table)}
        tell(facts, as_json=as_json, console=Console())


@app.command(name="import")
def import_(
    source: Log,
    out: Annotated[Path, typer.Option(help="The Parquet file to write, in our event schema.")],
    as_json: AsJson = False,
) -> None:
    """Read a log, say what was dropped and why, and write it in our event schema."""
    from training.outputs import require_another_file, write_events
    from training.reports import import_facts, tell
    from training.sources import read_events

    with answered():
        require_another_file(out, source)
        table = read_events(source)
        write_events(table, out)
        tell({**import_facts(table), "written": str(out)}, as_json=as_json, console=Console())
