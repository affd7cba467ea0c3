"""The commands that use a model on a log: score, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_PUBLIC_KEY,
    AsJson,
    From,
    Kind,
    Listed,
    Log,
    ModelDir,
    Overlays,
    PublicKey,
    answered,
    app,
    progress,
)
from training.refusals import WrongInputError

if TYPE_CHECKING:
    from training.evaluation_run import Request


Labels = Annotated[
    Path | None,
    typer.Option(
        help="With --scores alone: the labels, as Parquet in the RBA schema with probes; with --kind session: those"
        " that `simulate` wrote beside its log."
    ),
]

Alone = Annotated[
    bool,
    typer.Option(
        "--detectors-alone",
        help="With --kind session: no model; the detectors and the scale in the package are judged.",
    ),
]

OF_SESSIONS = "--kind session takes --input and --labels; not --scores, --from, --report"
OF_LOGINS = (
    "give --input with --model_dir or --scores, or --labels with --scores alone; --detectors-alone is of sessions"
)


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

    with answered():
        with progress(visible=not as_json) as moved:
            facts = scored(source, Judge(model_dir, public_key, overlays or (), listed or ()), output, moved)
        tell(facts, as_json=as_json, console=Console())


@app.command()
def evaluate(
    source: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="A log with labels: the RBA schema, or ours with a column `label`; with --kind session a file as"
            " `simulate` writes it, or the scorer's database (sqlite:///…, postgresql://…).",
        ),
    ] = None,
    kind: Kind = "login",
    model_dir: ModelDir = Path("models"),
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    starts: From = None,
    scores: Annotated[Path | None, typer.Option(help="A file of scores to judge, as `score` writes it.")] = None,
    labels: Labels = None,
    is_alone: Alone = False,
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

    Prints recall at fixed false-positive rates. --report, --json-out and --json make the whole evaluation. A session
    model is judged on a whole activity log: harmless sessions prompted, attacks caught by kind, and how soon.
    """
    is_whole = report is not None or json_out is not None or as_json
    looked_up: dict[str, Any] = {"overlays": overlays or (), "listed": listed or ()}
    with answered():
        if kind == "session":
            if source is None or labels is None or scores is not None or starts is not None or report is not None:
                raise WrongInputError("usage", OF_SESSIONS)
            asked = {"source": source, "labels": labels, "model_dir": None if is_alone else model_dir, **looked_up}
            _evaluate_sessions({**asked, "public_key": public_key, "json_out": json_out}, as_json=as_json)
        elif source is not None and labels is None and not is_alone:
            from training.evaluation_run import Request
            from training.scoring_run import Judge

            judge = Judge(model_dir, public_key, **looked_up)
            request = Request(Path(source), judge, starts, scores, note, report, json_out)
            _evaluate(request, as_json=as_json, is_whole=is_whole)
        elif labels and scores and source is None and not is_whole and starts is None and not is_alone:
            _judge(labels, scores)
        else:
            raise WrongInputError("usage", OF_LOGINS)


def _judge(labels: Path, scores: Path) -> None:
    from training.scoring_run import judged

    typer.echo(judged(labels, scores))


def _evaluate_sessions(asked: dict[str, Any], *, as_json: bool) -> None:
    from risk_scorer.core.activity.scale import SHIPPED
    from training.activity.evaluation import Request, evaluated, lines
    from training.reports import tell

    with progress(visible=not as_json) as moved:
        facts = evaluated(Request(**asked), SHIPPED, moved)
    if as_json:
        tell(facts, as_json=True, console=Console())
    else:
        typer.echo("\n".join(lines(facts)))


def _evaluate(request: "Request", *, as_json: bool, is_whole: bool) -> None:
    from training.evaluation_run import evaluated, quick_verdict
    from training.reports import tell

    with progress(visible=not as_json) as moved:
        if not is_whole:
            typer.echo(quick_verdict(request, moved))
            return
        told = evaluated(request, moved)
    if as_json:
        tell(told, as_json=True, console=Console())
        return
    typer.echo("\n".join(told["verdict"]))
    files = {"report": request.report, "json": request.json_out}
    tell({name: str(path) for name, path in files.items() if path}, as_json=False, console=Console())
