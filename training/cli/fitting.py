"""The command that makes a model from a log: train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_KEY,
    AsJson,
    By,
    Kind,
    Listed,
    Logs,
    ModelDir,
    Overlays,
    Reason,
    Seed,
    answered,
    app,
    progress,
)
from training.refusals import WrongInputError

if TYPE_CHECKING:
    from training.training_run import Request


Until = Annotated[str | None, typer.Option(help="Leave out this UTC day or moment and what follows.")]
Without = Annotated[
    list[str] | None, typer.Option("--without", help="Train as if the log lacked this column; may be repeated.")
]
Labels = Annotated[
    Path | None, typer.Option(help="What `export-labels` wrote: compromises leave what is usual and teach.")
]
Key = Annotated[Path, typer.Option(help="The signing key, made when missing; never in the model's folder.")]
Engine = Annotated[
    Literal["duckdb", "spark"], typer.Option(help="What reads and adds up: DuckDB here, or a Spark cluster.")
]
Master = Annotated[
    str | None, typer.Option(help="Spark's cluster: spark://…, sc://…, yarn, local[2]; else as Spark is set up.")
]
Candidates = Annotated[
    str | None, typer.Option(help="Register the model there as a candidate, which `promote` holds to the gates.")
]

NO_OTHERS: dict[str, Any] = {"until": None, "left_out": (), "engine": "duckdb", "master": None}
"""What a session model is made without."""


@app.command()
def train(
    sources: Logs,
    kind: Kind = "login",
    model_dir: ModelDir = Path("models"),
    until: Until = None,
    left_out: Without = None,
    overlays: Overlays = None,
    listed: Listed = None,
    labels: Labels = None,
    seed: Seed = 7,
    key: Key = DEFAULT_KEY,
    engine: Engine = "duckdb",
    master: Master = None,
    registry: Candidates = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Fit, calibrate, check and sign a model; the published one is replaced only by one that passed.

    With --registry it is registered, too: one command from a log to a candidate. A session model is made from one
    activity log or the scorer's database; labels are as `simulate` writes them, without which attacks teach nothing.
    """
    from training.reports import tell

    shared: dict[str, Any] = {"model_dir": model_dir, "key": key, "seed": seed, "labels": labels}
    shared |= {"overlays": overlays or (), "listed": listed or ()}
    others: dict[str, Any] = {"until": until, "left_out": left_out or (), "engine": engine, "master": master}
    told: dict[str, Any] = {"by": by, "reason": reason, "as_json": as_json}
    with answered():
        if kind == "session":
            facts = _session_candidate(sources, shared, others, registry=registry, **told)
        else:
            facts = _candidate(_request(sources, shared, others), registry, **told)
        tell(facts, as_json=as_json, console=Console())


def _request(sources: list[str], shared: dict[str, Any], others: dict[str, Any]) -> "Request":
    from training.training_run import Request

    return Request(sources=sources, **shared, **others)


def _candidate(
    request: "Request", registry: str | None, *, by: str | None, reason: str, as_json: bool
) -> dict[str, Any]:
    """Trains, and registers where a registry is named; what to tell."""
    from training.registry.after_training import registered, require_registry
    from training.registry.opening import short_reason
    from training.training_run import trained

    why = short_reason(reason)
    if registry is not None:
        require_registry(registry, request.key)
    elif by is not None or reason:
        raise WrongInputError("usage", "--by and --reason are for the journal of a --registry")
    with progress(visible=not as_json) as moved:
        facts = trained(request, moved)
    if registry is not None:
        facts |= registered(registry, request.key, request.model_dir, by=by, reason=why)
    return facts


def _session_candidate(
    sources: list[str],
    shared: dict[str, Any],
    others: dict[str, Any],
    *,
    registry: str | None,
    by: str | None,
    reason: str,
    as_json: bool,
) -> dict[str, Any]:
    from training.activity.training import Request, trained
    from training.registry.after_training import registered, require_registry
    from training.registry.opening import short_reason

    if len(sources) != 1 or others != NO_OTHERS:
        raise WrongInputError("usage", "--kind session takes one --input; not --until, --without, --engine, --master")
    why = short_reason(reason)
    if registry is not None:
        require_registry(registry, shared["key"])
    with progress(visible=not as_json) as moved:
        facts = trained(Request(source=sources[0], **shared), moved)
    if registry is not None:
        facts |= registered(registry, shared["key"], shared["model_dir"], by=by, reason=why, kind="session")
    return facts
