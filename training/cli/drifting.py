"""The command that asks whether a model still fits: drift."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from training.cli.frame import (
    DEFAULT_PUBLIC_KEY,
    DEFAULT_REGISTRY,
    AsJson,
    From,
    Listed,
    Overlays,
    PublicKey,
    Registry,
    answered,
    app,
    progress,
)


@app.command()
def drift(
    sources: Annotated[
        list[str] | None,
        typer.Option("--input", help="A log that the model was not trained on: a file, folder, pattern; repeatable."),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="The scorer's database instead: sqlite:///file or postgresql://…")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "--model_dir", "--model-dir", help="A version, `active`, or a folder.")
    ] = "models",
    starts: From = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="With --database: how many days, today among them.")] = 7,
    page: Annotated[Path | None, typer.Option("--report", help="Write everything as one HTML file.")] = None,
    fail: Annotated[bool, typer.Option("--fail", help="End with status 3 when something is past its mark.")] = False,
    registry: Registry = DEFAULT_REGISTRY,
    public_key: PublicKey = DEFAULT_PUBLIC_KEY,
    overlays: Overlays = None,
    listed: Listed = None,
    as_json: AsJson = False,
) -> None:
    """Say whether people still log in as they did when the model was trained: score, features, prompts, verdicts."""
    from plumbing.clock import SystemClock
    from training.drifting.run import Request, drifted
    from training.refusals import RefusedError
    from training.reports import tell

    with answered():
        request = Request(
            model=model,
            registry=registry,
            public_key=public_key,
            now=SystemClock().now(),
            sources=sources or (),
            database=database,
            starts=starts,
            days=days,
            page=page,
            overlays=overlays or (),
            listed=listed or (),
        )
        with progress(visible=not as_json) as moved:
            told = drifted(request, moved)
        tell(told if as_json else _in_short(told, page), as_json=as_json, console=Console())
        if fail and told["past"]:
            raise RefusedError("drift", f"past their marks: {', '.join(told['past'])}")


def _in_short(told: dict[str, Any], page: Path | None) -> dict[str, Any]:
    """What a person wants to know first."""
    moved = sorted(told["features"], key=lambda each: -each["psi"])
    prompts = {
        each["name"]: f"{each['share']:.2%}, {each['low']:.2%} to {each['high']:.2%}, budget "
        + ("none" if each["budget"] is None else f"{each['budget']:.2%}")
        for each in told["prompts"]
    }
    return {
        "model_version": told["model_version"],
        "logins": told["logins"],
        "past_their_marks": told["past"],
        "score": f"index {told['score']['psi']:.3f}, by chance up to {told['score']['noise']:.3f}",
        "most_moved": {each["name"]: f"{each['psi']:.3f}" for each in moved[:5]},
        **prompts,
        "notes": told["notes"],
        **({} if page is None else {"report": str(page)}),
    }
