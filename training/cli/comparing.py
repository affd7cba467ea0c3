"""The commands that hold one model against another: compare, shadow."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_KEY,
    DEFAULT_PUBLIC_KEY,
    DEFAULT_REGISTRY,
    AsJson,
    By,
    Key,
    Labels,
    Listed,
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


@app.command()
def compare(
    active: Annotated[str, typer.Argument(help="The model that decides: a version, `active`, or a folder.")],
    candidate: Annotated[str, typer.Argument(help="The one that would: a version, `shadow`, `newest`, or a folder.")],
    source: Annotated[
        str | None,
        typer.Option("--input", help="A login log that neither was trained on, as for `train`; a file's labels count."),
    ] = None,
    is_live: Annotated[
        bool, typer.Option("--shadow", help="Compare on the live logins that the candidate shadowed.")
    ] = False,
    database: Annotated[
        str | None, typer.Option(help="With --shadow: the scorer's database, sqlite:///… or postgresql://…")
    ] = None,
    starts: Annotated[
        str | None,
        typer.Option("--from", help="Judge from this UTC day or moment on; else what follows both trainings."),
    ] = None,
    labels: Labels = None,
    registry: Registry = DEFAULT_REGISTRY,
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    overlays: Overlays = None,
    listed: Listed = None,
    as_json: AsJson = False,
) -> None:
    """Show what a model would decide otherwise than another, in sum and login by login."""
    from training.comparing.run import Request, compared

    request = Request(
        active=active,
        candidate=candidate,
        registry=registry,
        public_key=public_key,
        source=source,
        is_live=is_live,
        database=database,
        starts=starts,
        labels=labels,
        overlays=overlays or (),
        listed=listed or (),
    )
    with answered():
        with progress(visible=not as_json) as moved:
            found = compared(request, moved)
        _told(found, as_json=as_json)


@app.command()
def shadow(
    version: Annotated[str | None, typer.Argument(help="The version that is to score beside the active one.")] = None,
    is_off: Annotated[bool, typer.Option("--off", help="Let none shadow.")] = False,
    registry: Registry = DEFAULT_REGISTRY,
    key: Key = DEFAULT_KEY,
    trusted: Trusted = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Let a version score live traffic without deciding; the scorers on this registry follow within seconds."""
    from risk_scorer.core.registry import SHADOW
    from training.registry.journal import newest_pointer
    from training.registry.opening import opened_desk, short_reason
    from training.registry.views import version_named
    from training.reports import tell

    with answered():
        if (version is None) != is_off:
            raise WrongInputError("usage", "give the version that is to shadow, or --off")
        with opened_desk(registry, key, by=by, trusted=trusted or ()) as desk:
            # What the journal says: the pointer itself may lag behind it, or be an old one that was put back.
            pointer = newest_pointer(desk.settled(), SHADOW)
            version = None if version is None else version_named(desk.registry, version)
            before = None if pointer is None else pointer.model_version
            is_news = version != before
            if is_news:
                desk.shadow(version, reason=short_reason(reason))
            facts = {"shadow": version, "previous": before, "was_so": not is_news}
            tell(facts, as_json=as_json, console=Console())


def _told(found: "Comparison", *, as_json: bool) -> None:
    import msgspec

    from training.comparing.words import summary, table_of_events
    from training.shown_text import one_line

    console = Console()
    if as_json:
        told = {**msgspec.to_builtins(found), "words": summary(found)}
        console.file.write(msgspec.json.encode(told).decode() + "\n")
        return
    for line in (*summary(found), "", *table_of_events(found)):
        console.print(one_line(line), highlight=False, markup=False, soft_wrap=True)
