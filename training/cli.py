"""The engineers' command line: simulate, import, train, score, evaluate. Each parses, calls one step, says what came.

Exit status: 0 done, 2 wrong usage or input, 3 training refused, 4 no engine, 1 a bug. Heavy libraries load inside the
commands.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from training.refusals import EngineError, TrainingRefusedError, WrongInputError

if TYPE_CHECKING:
    from training.evaluation_run import Request

WRONG_INPUT, REFUSED, NO_ENGINE = 2, 3, 4

app = typer.Typer(
    name="risk-training",
    help="Make, read and judge login logs, and train the risk model on them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Log = Annotated[Path, typer.Option("--input", help="A login log: CSV, JSON, JSON lines or Parquet.")]
ModelDir = Annotated[Path, typer.Option("--model_dir", "--model-dir", help="Where the model's files are.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed gives the same result.")]
PublicKey = Annotated[
    Path, typer.Option("--public_key", "--public-key", help="The key that must have signed the model.")
]
Overlays = Annotated[
    list[Path] | None, typer.Option("--ip_overlay", "--ip-overlay", help="What you know better about networks (TOML).")
]
Listed = Annotated[list[Path] | None, typer.Option("--ip_listed", "--ip-listed", help="A list of bad networks.")]

DEFAULT_KEY = Path("var/training/signing.key")
DEFAULT_PUBLIC_KEY = Path("var/training/signing.pub")


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

    with _answered():
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

    with _answered():
        require_another_file(out, source)
        table = read_events(source)
        write_events(table, out)
        tell({**import_facts(table), "written": str(out)}, as_json=as_json, console=Console())


@app.command()
def train(
    source: Annotated[
        str,
        typer.Option("--input", help="A login log: CSV, JSON, JSON lines or Parquet. For Spark also a folder, s3a://…"),
    ],
    model_dir: ModelDir = Path("models"),
    until: Annotated[str | None, typer.Option(help="Leave out this UTC day or moment and what follows.")] = None,
    left_out: Annotated[
        list[str] | None, typer.Option("--without", help="Train as if the log lacked this column; may be repeated.")
    ] = None,
    overlays: Overlays = None,
    listed: Listed = None,
    labels: Annotated[
        Path | None, typer.Option(help="What `risk-scorer labels` wrote: confirmed compromises teach nothing.")
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
        source=source,
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
    with _answered():
        with _progress(visible=not as_json) as progress:
            facts = trained(request, progress)
        tell(facts, as_json=as_json, console=Console())


@app.command()
def score(
    source: Log,
    output: Annotated[Path, typer.Option(help="The Parquet file to write: one column `risk` in the log's row order.")],
    model_dir: ModelDir = Path("models"),
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    overlays: Overlays = None,
    listed: Listed = None,
    as_json: AsJson = False,
) -> None:
    """Score a log as a stream: each row before it is learned from. Rows that cannot be read get 100."""
    from training.reports import tell
    from training.scoring_run import Judge, scored

    with _answered():
        with _progress(visible=not as_json) as progress:
            facts = scored(source, Judge(model_dir, public_key, overlays or (), listed or ()), output, progress)
        tell(facts, as_json=as_json, console=Console())


@app.command()
def evaluate(
    source: Annotated[
        Path | None, typer.Option("--input", help="A log with labels: the RBA schema, or ours with a column `label`.")
    ] = None,
    model_dir: ModelDir = Path("models"),
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    starts: Annotated[
        str | None, typer.Option("--from", help="Judge from this UTC day or moment on; else what follows the training.")
    ] = None,
    scores: Annotated[Path | None, typer.Option(help="A file of scores to judge, as `score` writes it.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="With --scores alone: the labels, as Parquet in the RBA schema with probes.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the whole evaluation as one HTML file.")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json-out", "--json_out", help="Write the whole evaluation as JSON.")
    ] = None,
    note: Annotated[str, typer.Option(help="Shown at the top of the report: say here that data is synthetic.")] = "",
    overlays: Overlays = None,
    listed: Listed = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model on the later part of a labelled log: alarms, attacks caught, ablation, baselines.

    Prints recall at fixed false-positive rates. --report, --json-out and --json make the whole evaluation.
    """
    is_whole = report is not None or json_out is not None or as_json
    with _answered():
        if source is not None and labels is None:
            from training.evaluation_run import Request
            from training.scoring_run import Judge

            judge = Judge(model_dir, public_key, overlays or (), listed or ())
            request = Request(source, judge, starts, scores, note, report, json_out)
            _evaluate(request, as_json=as_json, is_whole=is_whole)
        elif labels is not None and scores is not None and source is None and not is_whole and starts is None:
            from training.scoring_run import judged

            typer.echo(judged(labels, scores))
        else:
            raise WrongInputError("usage", "give --input with --model_dir or --scores, or --labels with --scores alone")


def _evaluate(request: "Request", *, as_json: bool, is_whole: bool) -> None:
    from training.evaluation_run import evaluated, quick_verdict
    from training.reports import tell

    with _progress(visible=not as_json) as progress:
        if not is_whole:
            typer.echo(quick_verdict(request, progress))
            return
        told = evaluated(request, progress)
    if as_json:
        tell(told, as_json=True, console=Console())
        return
    typer.echo("\n".join(told["verdict"]))
    files = {"report": request.report, "json": request.json_out}
    tell({name: str(path) for name, path in files.items() if path}, as_json=False, console=Console())


@contextlib.contextmanager
def _answered() -> Iterator[None]:
    """Turns a decline into one line on standard error and its exit status; a bug keeps its traceback."""
    try:
        yield
    except WrongInputError as decline:
        typer.echo(f"error {decline.code}: {decline.message}", err=True)
        raise typer.Exit(WRONG_INPUT) from decline
    except TrainingRefusedError as decline:
        typer.echo(f"training refused, {decline.code}: {decline.message}", err=True)
        raise typer.Exit(REFUSED) from decline
    except EngineError as decline:
        typer.echo(f"error {decline.code}: {decline.message}", err=True)
        raise typer.Exit(NO_ENGINE) from decline


@contextlib.contextmanager
def _progress(*, visible: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar for each step, on standard error when that is a terminal; what is yielded moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    bars: dict[str, TaskID] = {}
    console = Console(stderr=True)
    silent = not visible or not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=silent) as shown:

        def move(step: str, share: float) -> None:
            if step not in bars:
                bars[step] = shown.add_task(step, total=1.0)
            shown.update(bars[step], completed=share)

        yield move


def main() -> None:
    """Entry point of `risk-training`."""
    app()
