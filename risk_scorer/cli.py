"""The operator's commands.

Each fails with one clear line; exit status 2 means the input or the configuration is wrong.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from plumbing.clock import SystemClock
from plumbing.database import Database
from plumbing.logs import configure_logging, is_for_people
from plumbing.randomness import SystemRandomness
from plumbing.refusals import Refused
from risk_scorer.adapters.credentials import SCOPES, Credentials, NameTaken, WeakCredential
from risk_scorer.adapters.label_file import label_lines, write_whole
from risk_scorer.adapters.storage import BadStorage
from risk_scorer.backup_cli import backup, restore
from risk_scorer.campaigns_cli import campaigns
from risk_scorer.command_frame import UNAVAILABLE, fail, opened, settings_of_process
from risk_scorer.operators_cli import operator_link, operators
from risk_scorer.schema_cli import schema
from risk_scorer.serve_cli import serve
from risk_scorer.tables_cli import tables
from risk_scorer.views_cli import views

LONGEST_NAME = 64
LONGEST_USER_ID = 256
LONGEST_LINE = 256

app = typer.Typer(help="Scores logins.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
credentials = typer.Typer(help="Who may call the scorer.", no_args_is_help=True)
model = typer.Typer(help="The model in MODEL_DIR.", no_args_is_help=True)
app.add_typer(credentials, name="credentials")
app.add_typer(model, name="model")
app.add_typer(tables, name="tables")
app.add_typer(schema, name="database")
app.add_typer(views, name="views")
app.add_typer(campaigns, name="campaigns")
app.add_typer(operators, name="operators")
app.command("operator-link")(operator_link)
app.command()(serve)
app.command("backup")(backup)
app.command("restore")(restore)


@app.command()
def consume() -> None:
    """Read events from Kafka until told to stop, without HTTP; several may do so on one state."""
    from risk_scorer.adapters.storage import consume_together
    from risk_scorer.assembly import CannotStart, assemble
    from risk_scorer.consuming import run

    settings = settings_of_process()
    configure_logging(settings.risk_scorer_log_level, pretty=is_for_people(settings.risk_scorer_log_format))
    try:
        scorer = assemble(settings, is_alone=False)
        if not settings.is_shared:
            consume_together(settings.risk_scorer_state)
        run(scorer, lambda line: typer.echo(f"risk-scorer: {line}"))
    except (CannotStart, BadStorage, Refused) as error:
        fail(str(error))


@credentials.command("add")
def add_credential(
    name: Annotated[str, typer.Argument(help="Who will use it, such as auth-gateway.")],
    scope: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(SCOPES)}.")] = "score",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Take the one that stands on standard input; given again it is the same.")
    ] = False,
) -> None:
    """Make a credential and print it, this once."""
    scopes = [item.strip() for item in scope.split(",") if item.strip()]
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        fail(f"scope must be of {', '.join(SCOPES)}")
    if not name.isprintable() or not 1 <= len(name) <= LONGEST_NAME:
        fail(f"the name must have 1 to {LONGEST_NAME} printable characters")
    with opened(settings_of_process()) as database:
        try:
            if stdin:
                _credentials(database).take(name, sorted(set(scopes)), sys.stdin.readline(LONGEST_LINE).strip())
            else:
                typer.echo(_credentials(database).add(name, sorted(set(scopes))))
        except NameTaken:
            fail("there is or was a credential of that name; choose another")
        except WeakCredential:
            fail("what stands on standard input is not rgs_ and 43 letters, digits, dashes or underscores")


@credentials.command("list")
def list_credentials() -> None:
    """Print name, scopes and dates of every credential; the credentials themselves are not stored."""
    with opened(settings_of_process()) as database:
        for name, scopes, created_at, revoked_at in _credentials(database).listed():
            state = "active" if revoked_at is None else f"revoked {_day(revoked_at)}"
            typer.echo(f"{name}\t{','.join(scopes)}\tsince {_day(created_at)}\t{state}")


@credentials.command("revoke")
def revoke_credential(name: Annotated[str, typer.Argument()]) -> None:
    """Stop a credential from working, within five seconds."""
    with opened(settings_of_process()) as database:
        if not _credentials(database).revoke(name):
            fail("there is no active credential of that name")
    typer.echo("revoked")


@model.command("show")
def show_model() -> None:
    """Check the model in MODEL_REGISTRY or MODEL_DIR as the service would, and print its manifest."""
    from risk_scorer.adapters.published_folder import BadPublicKey
    from risk_scorer.adapters.registry_places import PlaceAway
    from risk_scorer.assembly import CannotStart, model_source
    from risk_scorer.core.artefact import BadArtefact
    from risk_scorer.core.manifest import encode

    settings = settings_of_process()
    try:
        found, _ = model_source(settings).fetch()
    except CannotStart as error:
        fail(str(error))
    except FileNotFoundError:
        fail(f"there is no signed model in {settings.model_registry or settings.model_dir}", UNAVAILABLE)
    except PlaceAway as error:
        fail(f"the registry does not answer: {error.strerror}", UNAVAILABLE)
    except BadPublicKey:
        fail("MODEL_PUBLIC_KEYS: not a file with an Ed25519 public key, nor one in base64")
    except BadArtefact as error:
        fail(f"the model is refused: {error.code}", UNAVAILABLE)
    typer.echo(encode(found.manifest).decode(), nl=False)


@app.command()
def labels(
    out: Annotated[Path | None, typer.Option(help="The JSON lines file to write; without it, standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when there is one.")] = False,
) -> None:
    """Write every login that was confirmed as compromised or safe, for training."""
    with opened(settings_of_process()) as database:
        if out is None:
            for line in label_lines(database):
                typer.echo(line, nl=False)
            return
        try:
            count = write_whole(out, label_lines(database), may_replace=force)
        except FileExistsError:
            fail(f"{out} exists; --force replaces it")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}")
    typer.echo(f"{count} labels in {out}")


@app.command()
def erase(
    user_id: Annotated[str, typer.Argument(help="The person's id, as the logins have it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all that is stored of a person; while the service runs on a file of its own, POST /people/erase does."""
    from risk_scorer.adapters.erasure import erase_person
    from risk_scorer.adapters.storage import serve_alone

    settings = settings_of_process()
    if not 1 <= len(user_id) <= LONGEST_USER_ID or not user_id.isprintable():
        fail(f"the id must have 1 to {LONGEST_USER_ID} printable characters")
    if not yes and not typer.confirm("Erase for good what is known of this person?"):
        fail("nothing was erased", UNAVAILABLE)
    with opened(settings) as database:
        if not settings.is_shared:
            try:
                serve_alone(settings.risk_scorer_state)
            except BadStorage:
                fail(
                    "a risk-scorer serves from this state and has people in memory: use POST /people/erase", UNAVAILABLE
                )
        found = erase_person(database, user_id)
    counts = (found.histories, found.verdicts, found.events, found.lessons, found.messages)
    names = ("history", "verdicts", "events", "lessons", "messages")
    typer.echo("\t".join(f"{name} {count}" for name, count in zip(names, counts, strict=True)))


def _credentials(database: Database) -> Credentials:
    return Credentials(database, clock=SystemClock(), randomness=SystemRandomness())


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def main() -> None:
    """The `risk-scorer` command."""
    app()
