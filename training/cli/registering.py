"""The commands of the registry: register, list, show, promote, rollback."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_KEY,
    DEFAULT_PUBLIC_KEY,
    DEFAULT_REGISTRY,
    AsJson,
    By,
    Key,
    Kind,
    Listed,
    ModelDir,
    Overlays,
    PublicKey,
    Reason,
    Registry,
    Trusted,
    answered,
    app,
    progress,
)
from training.refusals import WrongInputError

if TYPE_CHECKING:
    from training.comparing.comparison import Comparison
    from training.registry.desk import Desk
    from training.registry.lines import KindName

Version = Annotated[str, typer.Argument(help="A version, or `active`, `shadow`, or `newest`: registered last.")]


@app.command()
def register(
    model_dir: ModelDir = Path("models"),
    kind: Kind = "login",
    registry: Registry = DEFAULT_REGISTRY,
    key: Key = DEFAULT_KEY,
    trusted: Trusted = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Copy a trained model into the registry, where it never changes again."""
    from training.registry.opening import opened_desk, short_reason
    from training.reports import tell

    with answered(), opened_desk(registry, key, by=by, trusted=trusted or (), kind=kind) as desk:
        version, is_new = desk.register(model_dir, reason=short_reason(reason))
        tell({"model_version": version, "is_new": is_new}, as_json=as_json, console=Console())


@app.command(name="list")
def list_(
    kind: Kind = "login",
    registry: Registry = DEFAULT_REGISTRY,
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    as_json: AsJson = False,
) -> None:
    """Show every version of the registry, the newest first."""
    from training.registry.lines import LINES
    from training.registry.opening import opened_registry
    from training.registry.views import list_lines, listed
    from training.reports import tell
    from training.shown_text import one_line

    with answered(), opened_registry(registry, public_key) as opened:
        rows = listed(opened, LINES[kind])
        if as_json:
            tell({"versions": rows}, as_json=True, console=Console())
            return
        typer.echo("\n".join(map(one_line, list_lines(rows))))


@app.command()
def show(
    version: Version,
    kind: Kind = "login",
    registry: Registry = DEFAULT_REGISTRY,
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    as_json: AsJson = False,
) -> None:
    """Check every file of a version, and show its card and what was done with it."""
    from training.registry.lines import LINES
    from training.registry.opening import opened_registry
    from training.registry.views import card_lines, shown
    from training.reports import tell
    from training.shown_text import one_line

    with answered(), opened_registry(registry, public_key) as opened:
        facts = shown(opened, version, LINES[kind])
        if as_json:
            tell(facts, as_json=True, console=Console())
        else:
            typer.echo("\n".join(map(one_line, card_lines(facts))))


@app.command()
def promote(
    version: Version,
    kind: Kind = "login",
    registry: Registry = DEFAULT_REGISTRY,
    key: Key = DEFAULT_KEY,
    trusted: Trusted = None,
    source: Annotated[
        Path | None, typer.Option("--input", help="A later login log: hold it against the active version there.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="What people found out about logins of --input.")] = None,
    max_data_age: Annotated[float, typer.Option(min=0.0, help="Days since the last login of the training.")] = 90.0,
    override: Annotated[
        list[str] | None, typer.Option(help="A gate that need not be passed, with --reason; may be repeated.")
    ] = None,
    overlays: Overlays = None,
    listed: Listed = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Let a version decide, if it passes every gate; scorers follow within five seconds."""
    from training.registry.opening import opened_desk, short_reason
    from training.reports import tell

    with answered():
        overridden = _overridden(override or (), reason, kind)
        if kind == "session" and source is not None:
            raise WrongInputError("usage", "--input compares models of logins; a session model is not compared")
        with opened_desk(registry, key, by=by, trusted=trusted or (), kind=kind) as desk:
            wanted = _named(desk, version)
            comparison = None
            if source is not None:
                log = {"labels": labels, "overlays": overlays or (), "listed": listed or ()}
                comparison = _compared(desk, wanted, source, log, as_json=as_json)
            entry, found = desk.promote(
                wanted,
                max_data_age_days=max_data_age,
                overridden=overridden,
                reason=short_reason(reason),
                comparison=comparison,
            )
            facts = {
                "active": wanted,
                "previous": entry.pointer.previous if entry is not None and entry.pointer is not None else None,
                "was_active": entry is None,
                "overridden": list(entry.overridden) if entry is not None else [],
                "gates": {each.gate: each.text for each in found},
            }
            tell(facts, as_json=as_json, console=Console())


@app.command()
def rollback(
    kind: Kind = "login",
    registry: Registry = DEFAULT_REGISTRY,
    key: Key = DEFAULT_KEY,
    trusted: Trusted = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Let the version decide that did before; done again, the one before that."""
    from training.registry.opening import opened_desk, short_reason
    from training.reports import tell

    with answered(), opened_desk(registry, key, by=by, trusted=trusted or (), kind=kind) as desk:
        entry = desk.rollback(reason=short_reason(reason))
        facts = {"active": entry.model_version, "previous": entry.pointer.previous if entry.pointer else None}
        tell(facts, as_json=as_json, console=Console())


@app.command(name="keep-evaluation")
def keep_evaluation(
    source: Annotated[Path, typer.Option("--input", help="What `evaluate --json-out` wrote.")],
    registry: Registry = DEFAULT_REGISTRY,
    key: Key = DEFAULT_KEY,
    trusted: Trusted = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Keep an evaluation with its version, signed, for the console's page of that version."""
    from training.registry.keeping import keep
    from training.registry.opening import opened_desk
    from training.reports import tell

    with answered(), opened_desk(registry, key, by=by, trusted=trusted or ()) as desk:
        tell({"model_version": keep(desk, source)}, as_json=as_json, console=Console())


def _named(desk: "Desk", version: str) -> str:
    from training.registry.views import version_named

    return version_named(desk.registry, version, desk.line)


def _compared(desk: "Desk", version: str, source: Path, log: dict[str, Any], *, as_json: bool) -> "Comparison | None":
    """Both versions on that log; None where none is active yet."""
    from risk_scorer.core.registry import ACTIVE
    from training.comparing.on_log import compared, open_comparison_log
    from training.registry.desk import sound
    from training.registry.journal import newest_pointer

    pointer = newest_pointer(desk.settled(), ACTIVE)
    if pointer is None or pointer.model_version in (None, version):
        return None
    active, candidate = (sound(desk.registry, name)[0] for name in (pointer.model_version or "", version))
    with progress(visible=not as_json) as moved:
        return compared(active, candidate, open_comparison_log(source, progress=moved, **log), progress=moved)


def _overridden(gates: "list[str] | tuple[str, ...]", reason: str, kind: "KindName") -> tuple[str, ...]:
    from training.registry.lines import LINES

    known = LINES[kind].gates
    unknown = [gate for gate in gates if gate not in known]
    if unknown:
        raise WrongInputError("unknown_gate", f"--override takes one of {', '.join(known)}; not {', '.join(unknown)}")
    if gates and not reason.strip():
        raise WrongInputError("no_reason", "--override needs a --reason, which the journal keeps")
    return tuple(gates)
