"""What every command of `risk-training` shares: the app, options that mean the same everywhere, refusals, bars.

No command lives here, and none of the heavy libraries: those load inside the commands.
"""

import contextlib
import errno
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from training.refusals import RefusedError, TrainingRefusedError, UnreachableError, WrongInputError
from training.shown_text import one_line

LONGEST_LINE = 2000
WRONG_INPUT, REFUSED, UNREACHABLE = 2, 3, 4
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})


A_MODELS_LIFE = (
    "simulate", "import", "train", "calibrate", "score", "evaluate", "compare", "register", "list", "show", "promote",
    "rollback", "keep-evaluation", "shadow", "drift", "export-labels", "doctor",
)  # fmt: skip
"""The order in which the overview tells the commands; others follow."""


class OneLine(TyperGroup):
    """Says wrong usage as every other wrong input is said: one line on standard error, and status 2."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Every command's name, as a model's life goes."""
        known = [name for name in A_MODELS_LIFE if name in self.commands]
        return known + [name for name in super().list_commands(ctx) if name not in A_MODELS_LIFE]

    def main(self, *given: Any, **more: Any) -> Any:
        """Runs the command that the arguments name, and ends the process with its status."""
        try:
            status = super().main(*given, **{**more, "standalone_mode": False})
        except typer.TyperException as slip:
            message = " ".join(slip.format_message().split())
            if message:  # without one, the command was called with nothing and has printed its help
                _say(f"error usage: {message}")
            status = slip.exit_code
        sys.exit(status or 0)


app = typer.Typer(
    cls=OneLine,
    name="risk-training",
    help="Train the risk model on login logs, judge it, put it into use, and watch it. Each command takes --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Log = Annotated[Path, typer.Option("--input", help="A login log: CSV, JSON, JSON lines or Parquet.")]
Logs = Annotated[
    list[str],
    typer.Option(
        "--input",
        help="A login log: CSV, JSON, JSON lines or Parquet; a file, a folder, a pattern, or the scorer's database"
        " (sqlite:///…, postgresql://…). May be repeated. For Spark one address, s3a://… too.",
    ),
]
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
Registry = Annotated[
    str, typer.Option(help="The registry of models: a folder or an address such as s3://bucket/models.")
]

Kind = Annotated[
    Literal["login", "session"], typer.Option(help="Models of logins, or of what is done in sessions after them.")
]
Key = Annotated[Path, typer.Option(help="The key that signs what is written.")]
Trusted = Annotated[
    list[Path] | None, typer.Option(help="Another public key whose models and entries are believed; may be repeated.")
]
By = Annotated[str | None, typer.Option(help="Who does it; else the name of your account.")]
Reason = Annotated[str, typer.Option(help="Why, for the journal.")]
Labels = Annotated[Path | None, typer.Option(help="What people found out, as `risk-scorer labels` writes it.")]
From = Annotated[
    str | None, typer.Option("--from", help="Judge from this UTC day or moment on; else what follows the training.")
]

DEFAULT_REGISTRY = "var/registry"
DEFAULT_KEY = Path("var/training/signing.key")
DEFAULT_PUBLIC_KEY = Path("var/training/signing.pub")


@contextlib.contextmanager
def answered() -> Iterator[None]:
    """Turns a decline into one line on standard error and its exit status; a bug keeps its traceback.

    So it does with what the machine denies: no room on the disk, a place that cannot be read or written.
    """
    try:
        yield
    except WrongInputError as decline:
        _say(f"error {decline.code}: {decline.message}")
        raise typer.Exit(WRONG_INPUT) from decline
    except TrainingRefusedError as decline:
        _say(f"training refused, {decline.code}: {decline.message}")
        raise typer.Exit(REFUSED) from decline
    except RefusedError as decline:
        _say(f"refused {decline.code}: {decline.message}")
        raise typer.Exit(REFUSED) from decline
    except UnreachableError as decline:
        _say(f"error {decline.code}: {decline.message}")
        raise typer.Exit(UNREACHABLE) from decline
    except OSError as fault:
        if fault.errno not in NO_ROOM | NOT_OURS:
            raise
        code = "disk_full" if fault.errno in NO_ROOM else "denied_place"
        _say(f"error {code}: {fault.filename or 'a file'}: {fault.strerror or fault}")
        raise typer.Exit(WRONG_INPUT) from fault


def _say(message: str) -> None:
    """One line on standard error, whatever a name that it quotes is made of."""
    line = one_line(message)
    typer.echo(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…", err=True)


@contextlib.contextmanager
def progress(*, visible: bool) -> Iterator[Callable[[str, float], None]]:
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
