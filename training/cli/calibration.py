"""The command that moves the marks of a trained model: calibrate."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_KEY,
    DEFAULT_PUBLIC_KEY,
    AsJson,
    Labels,
    Listed,
    ModelDir,
    Overlays,
    PublicKey,
    Seed,
    answered,
    app,
    progress,
)
from training.refusals import WrongInputError, text_of

if TYPE_CHECKING:
    from training.calibrating.run import Request

Later = Annotated[
    str | None,
    typer.Option("--input", help="Logins that came after the model's training, as for `train`; a file's labels count."),
]
Budget = Annotated[float, typer.Option(help="The share of people's own logins that may be asked for more.")]
DenyBudget = Annotated[float, typer.Option("--deny-budget", "--deny_budget", help="The share that may be denied.")]
From = Annotated[
    str | None, typer.Option("--from", help="Count from this UTC day or moment on; else what follows the training.")
]
Out = Annotated[Path | None, typer.Option(help="Publish the new version here; without it the marks are only told.")]
Key = Annotated[Path, typer.Option(help="The key that signed the model; what was done is noted beside it.")]
Per = Annotated[
    str | None, typer.Option(help="A column of the log: find marks for each of its values, such as client_id.")
]
As = Annotated[
    Literal["client", "group"], typer.Option("--as", help="What the values are in the gateway's policy document.")
]
BudgetOf = Annotated[
    list[str] | None,
    typer.Option("--budget-of", "--budget_of", help="NAME=SHARE: another budget for one value of --per."),
]
MarksOut = Annotated[
    Path | None, typer.Option("--marks-out", "--marks_out", help="Write their marks for the policy document (TOML).")
]
By = Annotated[str | None, typer.Option(help="Who does it, for the history; else the name of your account.")]
Reason = Annotated[str, typer.Option(help="Why, for the history.")]
History = Annotated[bool, typer.Option("--history", help="Tell what was calibrated before, and do nothing.")]


@app.command()
def calibrate(
    source: Later = None,
    model_dir: ModelDir = Path("models"),
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    budget: Budget = 0.02,
    deny_budget: DenyBudget = 0.001,
    starts: From = None,
    labels: Labels = None,
    out: Out = None,
    key: Key = DEFAULT_KEY,
    per: Per = None,
    asks: As = "client",
    budget_of: BudgetOf = None,
    marks_out: MarksOut = None,
    by: By = None,
    reason: Reason = "",
    history: History = False,
    seed: Seed = 7,
    overlays: Overlays = None,
    listed: Listed = None,
    as_json: AsJson = False,
) -> None:
    """Find the marks that keep a budget on later logins, and sign a new version of the model that has them.

    Nothing else of the model changes. The share of prompted logins is held under the budget by its upper confidence
    limit (Clopper-Pearson, 95 %); ROC and precision-recall say what the marks catch.
    """
    with answered():
        if history:
            _tell_history(model_dir, public_key, key, as_json=as_json)
            return
        if source is None:
            raise WrongInputError(
                "usage", "give with --input the logins to find the marks on, or ask for the --history"
            )
        from training.calibrating.run import Request
        from training.marked import Budgets
        from training.registry.opening import LONGEST, short_reason

        budgets, own = Budgets(budget, deny_budget), _shares(budget_of or ())
        named = _user() if by is None else by
        request = Request(
            source, model_dir, public_key, key, budgets, starts, labels, seed, out, per, asks, own, marks_out,
            text_of("--by", named)[:LONGEST], short_reason(reason), overlays or (), listed or (),
        )  # fmt: skip
        _tell_marks(request, as_json=as_json)


def _tell_marks(request: "Request", *, as_json: bool) -> None:
    from training.calibrating.run import calibrated_marks
    from training.calibrating.words import lines
    from training.reports import tell

    with progress(visible=not as_json) as moved:
        told = calibrated_marks(request, moved)
    if as_json:
        tell(told, as_json=True, console=Console())
    else:
        typer.echo("\n".join(lines(told)))


def _tell_history(model_dir: Path, public_key: Path, key: Path, *, as_json: bool) -> None:
    from training.calibrating.past import calibrations, past_lines
    from training.reports import tell

    told = calibrations(model_dir, public_key, key)
    if as_json:
        tell(told, as_json=True, console=Console())
    else:
        typer.echo("\n".join(past_lines(told)))


def _shares(given: Sequence[str]) -> dict[str, float]:
    """`NAME=SHARE` as a mapping. Raises WrongInputError("bad_budget")."""
    shares = {}
    for text in given:
        name, _, share = text.rpartition("=")
        try:
            shares[name] = float(share)
        except ValueError as cause:
            raise WrongInputError("bad_budget", "--budget-of takes NAME=SHARE, such as bank=0.05") from cause
        if not name:
            raise WrongInputError("bad_budget", "--budget-of takes NAME=SHARE, such as bank=0.05")
    return shares


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process of a user without a name
        return "unknown"
