"""The commands that make and read login logs: simulate, import."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from training.cli.frame import AsJson, Logs, Seed, answered, app, progress
from training.refusals import WrongInputError

LOGINS, ACTIVITY, ACTIVITY_DAYS = 20_000, 70_000, 21
"""So many rows are invented where nobody says how many."""


@app.command()
def simulate(
    out: Annotated[
        Path,
        typer.Option(
            help="The CSV file to write; with --schema rba a new folder; with --kind activity .csv, .parquet or .jsonl."
        ),
    ],
    rows: Annotated[
        int | None,
        typer.Option(help="How many logins, attacks among them: else 20,000; of activity about so many: else 70,000."),
    ] = None,
    kind: Annotated[
        Literal["logins", "activity"], typer.Option(help="Logins, or what people do after them.")
    ] = "logins",
    schema: Annotated[
        Literal["events", "rba"], typer.Option(help="Our event schema, or that of the RBA data set.")
    ] = "events",
    people: Annotated[
        int | None,
        typer.Option(
            help="With --schema rba or --kind activity: how many people; else one for every 10 logins or 140 events."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(help="With --kind activity: over how many days; else 21.")] = None,
    file_format: Annotated[
        Literal["csv", "parquet"] | None, typer.Option("--format", help="csv for events, parquet for rba.")
    ] = None,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Write a log of invented people and labelled attacks: synthetic, nobody's data.

    A small one as a CSV file in our event schema, or one of any size in the RBA data set's schema: Parquet by months.
    Activity behind the login of any size, with labels in a file of their own beside it.
    """
    from training.reports import tell

    with answered():
        _check_kind(kind, days, of_logins=schema != "events" or file_format is not None)
        if kind == "activity":
            facts = _simulated_activity(out, rows, people, days, seed, visible=not as_json)
        elif schema == "rba":
            facts = _simulated_rba(
                out, LOGINS if rows is None else rows, people, file_format, seed, visible=not as_json
            )
        else:
            facts = _simulated_events(out, LOGINS if rows is None else rows, people, file_format, seed)
        tell(facts, as_json=as_json, console=Console())


def _check_kind(kind: str, days: int | None, *, of_logins: bool) -> None:
    if days is not None and kind != "activity":
        raise WrongInputError("usage", "--days goes with --kind activity")
    if of_logins and kind == "activity":
        raise WrongInputError("usage", "--schema and --format are of logins; of activity the file's name says it")


def _simulated_activity(
    out: Path, rows: int | None, people: int | None, days: int | None, seed: int, *, visible: bool
) -> dict[str, Any]:
    from training.activity.files import simulate as simulated
    from training.activity.log import planned

    plan = planned(ACTIVITY if rows is None else rows, people, ACTIVITY_DAYS if days is None else days, seed)
    with progress(visible=visible) as moved:
        return simulated(plan, out, moved)


def _simulated_events(out: Path, rows: int, people: int | None, kind: str | None, seed: int) -> dict[str, Any]:
    from training.personas import counts_by_label, write_csv
    from training.personas import simulate as simulated

    if people is not None or kind == "parquet":
        raise WrongInputError("usage", "--people and --format parquet go with --schema rba")
    table = simulated(rows, seed)
    write_csv(table, out)
    return {"written": str(out), "rows": len(table), "seed": seed, "by_label": counts_by_label(table)}


def _simulated_rba(
    out: Path, rows: int, people: int | None, kind: str | None, seed: int, *, visible: bool
) -> dict[str, Any]:
    from training.rba_simulation import SYNTHETIC, planned
    from training.rba_simulation import simulate as simulated

    if kind == "csv":
        raise WrongInputError("usage", "--schema rba is written as Parquet: --format csv goes with --schema events")
    plan = planned(rows, people, seed)
    with progress(visible=visible) as moved:
        counts = simulated(plan, out, moved)
    by_label = dict(sorted(counts.items()))
    return {
        "written": str(out), "note": SYNTHETIC, "rows": rows, "people": plan.people, "seed": seed, "by_label": by_label
    }  # fmt: skip


@app.command(name="import")
def import_(
    sources: Logs,
    out: Annotated[Path, typer.Option(help="The Parquet file to write, in our event schema.")],
    as_json: AsJson = False,
) -> None:
    """Read a log, say what was dropped and why, and write it in our event schema."""
    from training.columns.reading import coded_log
    from training.log_sources import open_logs
    from training.outputs import require_apart, write_events
    from training.reports import import_facts, tell

    with answered():
        log = open_logs(sources)
        require_apart([out], sources)
        coded = coded_log(log)
        write_events(coded, out)
        tell({**import_facts(coded), "written": str(out)}, as_json=as_json, console=Console())
