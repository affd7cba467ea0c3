"""The command that fetches what people found out about logins: export-labels."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.cli.frame import AsJson, answered, app


@app.command(name="export-labels")
def export_labels(
    out: Annotated[Path, typer.Option(help="The JSON lines file to write, for `train --labels`.")],
    database: Annotated[
        str | None, typer.Option(help="The scorer's database: sqlite:///…/scorer.db or postgresql://…")
    ] = None,
    scorer: Annotated[str | None, typer.Option(help="Or a running scorer's address.")] = None,
    credential: Annotated[
        Path | None, typer.Option(help="With --scorer: a file with a credential of the scope `read`.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when there is one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write what people found out about logins, with whose word it is and since when it is known."""
    from training.labelling.export import Request, exported
    from training.reports import tell

    with answered():
        facts = exported(Request(out, database, scorer, credential, force))
        tell(facts, as_json=as_json, console=Console())
