"""The command that looks whether the others will work: doctor."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from training.cli.frame import (
    DEFAULT_KEY,
    DEFAULT_PUBLIC_KEY,
    DEFAULT_REGISTRY,
    REFUSED,
    AsJson,
    ModelDir,
    PublicKey,
    Registry,
    answered,
    app,
)

if TYPE_CHECKING:
    from training.doctor.finding import Finding

SIGNS = {"good": "[green]ok[/]", "note": "[yellow]note[/]", "problem": "[red]problem[/]"}


@app.command()
def doctor(
    model_dir: ModelDir = Path("models"),
    registry: Registry = DEFAULT_REGISTRY,
    key: Annotated[Path, typer.Option(help="The signing key.")] = DEFAULT_KEY,
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    max_data_age: Annotated[int, typer.Option(min=1, help="Days after which a model's data is old.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Look at key, model, registry, address data, disks, engines and versions, and say what to do.

    Changes nothing. Status 3 when something will keep a command or the scorer from working.
    """
    from training.reports import tell

    with answered():
        findings = list(_looked(model_dir, registry, key, public_key, max_data_age))
        is_sound = all(finding.level != "problem" for finding in findings)
        if as_json:
            listed = [dataclasses.asdict(finding) for finding in findings]
            tell({"sound": is_sound, "findings": listed}, as_json=True, console=Console())
        else:
            _show(findings)
    if not is_sound:
        raise typer.Exit(REFUSED)


def _looked(model_dir: Path, registry: str, key: Path, public_key: Path, max_data_age: int) -> Iterator["Finding"]:
    from plumbing.clock import SystemClock
    from training.doctor import machine, models

    now = SystemClock().now()
    yield from machine.libraries()
    yield from machine.engines()
    yield from machine.communities()
    yield from machine.memory()
    yield from machine.room(model_dir, key, *([] if "://" in registry else [Path(registry)]))
    yield from models.signing_key(key)
    keys = list(models.public_key(public_key))
    yield from keys
    if all(finding.level == "good" for finding in keys):
        yield from models.model(model_dir, public_key, now=now, most_days=max_data_age)
        yield from models.registry(registry, public_key, now=now, most_days=max_data_age)
    yield from models.tables(now=now)


def _show(findings: list["Finding"]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        remedy = f"\n→ {finding.remedy}" if finding.remedy else ""
        table.add_row(SIGNS[finding.level], finding.code, Text(finding.seen + remedy))
    Console().print(table, highlight=False)
