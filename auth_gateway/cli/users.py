"""`auth-gateway users`: people's accounts and their second factors."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import segno
import typer

from auth_gateway.assembly import Gateway, demo_users
from auth_gateway.cli.console import WRONG_INPUT, complain, fail, moment, opened, row
from auth_gateway.core.account import hash_scheme
from auth_gateway.core.names import LONGEST_USER_ID, may_be_user_id
from auth_gateway.flows.accounts import ImportedUser

MOST_IMPORT_BYTES = 256 * 1024 * 1024
SHORTEST_PASSWORD = 8
"""Source: NIST SP 800-63B, section 5.1.1.2: at least 8 characters."""
MOST_PASSWORD_INPUT = 8_192

app = typer.Typer(help="People's accounts.", no_args_is_help=True, rich_markup_mode=None)

Username = Annotated[str, typer.Argument(help="The name they log in with.")]


@app.command("add")
def add(
    username: Username,
    user_id: Annotated[str | None, typer.Option(help="Their subject in tokens; random if left out.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
) -> None:
    """Make an account."""
    if user_id is not None and not may_be_user_id(user_id):
        fail(f"the user id must have 1 to {LONGEST_USER_ID} printable characters")
    password = _password(from_stdin=password_stdin)
    if len(password) < SHORTEST_PASSWORD:
        fail(f"the password must have at least {SHORTEST_PASSWORD} characters")
    with opened() as gateway:
        account = gateway.accounts.add(username, password, user_id=user_id)
    row(account.username, account.user_id)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A JSON list of {username, password_hash, user_id?, display_name?}.")],
) -> None:
    """Take over accounts with the bcrypt or argon2 hashes they have; says which were not taken and why."""
    imported = _read_import(file)
    with opened() as gateway:
        _refuse_demo_passwords(gateway, imported)
        report = gateway.accounts.import_all(imported)
    for place, reason in sorted(report.refused.items()):
        complain(f"record {place}: {reason}")
    typer.echo(f"{report.taken} taken, {len(report.refused)} not taken")
    if report.refused:
        raise typer.Exit(WRONG_INPUT)


@app.command("list")
def show() -> None:
    """Print name, id, state, hash scheme and start of every account."""
    with opened() as gateway:
        for account in gateway.accounts.list():
            state = "frozen" if account.is_frozen else "active"
            scheme = hash_scheme(account.password_hash)
            row(account.username, account.user_id, state, scheme, f"since {moment(account.created_at)}")


@app.command("freeze")
def freeze(username: Username) -> None:
    """Let nobody in as this person any more, and end all their sessions."""
    with opened() as gateway:
        was_changed = gateway.accounts.freeze(username)
    typer.echo("frozen" if was_changed else "was frozen already")


@app.command("unfreeze")
def unfreeze(username: Username) -> None:
    """Let them log in again; ended sessions stay ended."""
    with opened() as gateway:
        was_changed = gateway.accounts.unfreeze(username)
    typer.echo("active" if was_changed else "was active already")


@app.command("enrol-totp")
def enrol_totp(
    username: Username,
    replace: Annotated[bool, typer.Option("--replace", help="The old authenticator stops working.")] = False,
    qr: Annotated[bool | None, typer.Option("--qr/--no-qr", help="Default: when a person is looking.")] = None,
) -> None:
    """Enrol an authenticator and print its secret, this once."""
    with opened() as gateway:
        enrolled = gateway.enrol_totp(username, replace=replace)
    if sys.stdout.isatty() if qr is None else qr:
        segno.make(enrolled.provisioning_uri).terminal(out=sys.stdout, compact=True)
    typer.echo(enrolled.provisioning_uri)
    typer.echo(f"secret: {enrolled.secret}")


def _password(*, from_stdin: bool) -> str:
    """The password, never as an argument: those are seen by everybody who can list processes."""
    if not from_stdin:
        if not sys.stdin.isatty():
            fail("there is no terminal to ask for the password: use --password-stdin")
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    raw = sys.stdin.buffer.read(MOST_PASSWORD_INPUT + 1)
    if len(raw) > MOST_PASSWORD_INPUT:
        fail("the password is too long")
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        fail("the password is not UTF-8")


def _read_import(file: Path) -> list[ImportedUser]:
    try:
        if file.stat().st_size > MOST_IMPORT_BYTES:
            fail("the file is too large")
        return msgspec.json.decode(file.read_bytes(), type=list[ImportedUser])
    except OSError as error:
        fail(f"the file cannot be read: {error.strerror}")
    except msgspec.ValidationError as error:
        # Its text names the field and the types, and never shows a value.
        fail(f"the file has another shape: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fail("the file is not JSON")


def _refuse_demo_passwords(gateway: Gateway, imported: list[ImportedUser]) -> None:
    """The demo's passwords stand in the README; their hashes do not enter another profile."""
    if gateway.settings.is_demo:
        return
    public = {user.password_hash for user in demo_users()}
    if any(user.password_hash in public for user in imported):
        fail("these are the demo's users, whose passwords are public: they exist in the demo profile only")
