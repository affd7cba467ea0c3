"""The command that makes a model from a log: train."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from training.cli.frame import DEFAULT_KEY, AsJson, Listed, Logs, ModelDir, Overlays, Seed, answered, app, progress


@app.command()
def train(
    sources: Logs,
    model_dir: ModelDir = Path("models"),
    until: Annotated[str | None, typer.Option(help="Leave out this UTC day or moment and what follows.")] = None,
    left_out: Annotated[
        list[str] | None, typer.Option("--without", help="Train as if the log lacked this column; may be repeated.")
    ] = None,
    overlays: Overlays = None,
    listed: Listed = None,
    labels: Annotated[
        Path | None, typer.Option(help="What `export-labels` wrote: compromises leave what is usual and teach.")
    ] = None,
    seed: Seed = 7,
    key: Annotated[Path, typer.Option(help="The signing key, made when missing; never in the model's folder.")] = (
        DEFAULT_KEY
    ),
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="What reads and adds up: DuckDB here, or a Spark cluster.")
    ] = "duckdb",
    master: Annotated[
        str | None,
        typer.Option(help="Spark's cluster: spark://…, sc://…, yarn, local[2]; else as Spark is set up."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit, calibrate, check and sign a model; the published one is replaced only by one that passed."""
    from training.reports import tell
    from training.training_run import Request, trained

    request = Request(
        sources=sources,
        model_dir=model_dir,
        key=key,
        seed=seed,
        until=until,
        left_out=left_out or (),
        overlays=overlays or (),
        listed=listed or (),
        labels=labels,
        engine=engine,
        master=master,
    )
    with answered():
        with progress(visible=not as_json) as moved:
            facts = trained(request, moved)
        tell(facts, as_json=as_json, console=Console())
