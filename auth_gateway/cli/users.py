"""`auth-gateway users`: people's accounts and their second factors."""

from typing import Annotated

import typer

from auth_gateway.cli import account_review
from auth_gateway.cli.complaints import printable
from auth_gateway.cli.console import NOT_NOW, fail, moment, opened, row
from auth_gateway.cli.factors_shown import show_authenticator
from auth_gateway.cli.imports import import_file
from auth_gateway.cli.passwords import read_password
from auth_gateway.cli.user_risk import show as show_risk
from auth_gateway.cli.user_risk import verdict
from auth_gateway.core.account import hash_scheme
from auth_gateway.core.names import LONGEST_USER_ID, UNKNOWN_USER, may_be_user_id
from auth_gateway.flows.accounts import known_account
from auth_gateway.wiring.erasing import erase_account
from auth_gateway.wiring.help_desk import remove_factors

app = typer.Typer(help="People's accounts.", no_args_is_help=True, rich_markup_mode=None)
app.command("import")(import_file)
app.command("risk")(show_risk)
app.command("verdict")(verdict)
app.command("summary")(account_review.summary)
app.command("freeze")(account_review.freeze)
app.command("unfreeze")(account_review.unfreeze)
app.command("reset-sessions")(account_review.reset_sessions)
app.command("force-reset")(account_review.force_reset)

Username = Annotated[str, typer.Argument(help="The name they log in with.")]


@app.command("add")
def add(
    username: Username,
    user_id: Annotated[str | None, typer.Option(help="Their subject in tokens; random if left out.")] = None,
    email: Annotated[str, typer.Option(help="Their mail address, which you vouch for; letters go there.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
) -> None:
    """Make an account."""
    if user_id is not None and not may_be_user_id(user_id):
        fail(f"the user id must have 1 to {LONGEST_USER_ID} printable characters, and not begin with `{UNKNOWN_USER}`")
    password = read_password(from_stdin=password_stdin)
    with opened() as gateway:
        gateway.new_passwords.checked(password, names=(username, email), has_factor=False)
        account = gateway.accounts.add(username, password, user_id=user_id, email=email)
    row(account.username, account.user_id)


@app.command("list")
def show() -> None:
    """Print name, id, state, hash scheme and start of every account."""
    with opened() as gateway:
        for account in gateway.accounts.list():
            state = "frozen" if account.is_frozen else "active"
            scheme = hash_scheme(gateway.users.passwords.open(account.user_id, account.password_hash))
            row(account.username, account.user_id, state, scheme, f"since {moment(account.created_at)}")


@app.command("set-password")
def set_password(
    username: Username,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
) -> None:
    """Give a person another password, and end all their sessions."""
    password = read_password(from_stdin=password_stdin)
    with opened() as gateway:
        has_factor = gateway.has_factor(username)
        gateway.new_passwords.checked(password, names=(username,), has_factor=has_factor)
        ended = gateway.accounts.set_password(username, password)
    typer.echo(f"changed, {ended} sessions ended")


@app.command("enrol-totp")
def enrol_totp(
    username: Username,
    replace: Annotated[bool, typer.Option("--replace", help="The old authenticator stops working.")] = False,
    qr: Annotated[bool | None, typer.Option("--qr/--no-qr", help="Default: when a person is looking.")] = None,
) -> None:
    """Enrol an authenticator and print its secret, this once."""
    with opened() as gateway:
        enrolled = gateway.enrol_totp(username, replace=replace)
    show_authenticator(enrolled, qr=qr)


@app.command("remove-factors")
def take_factors(username: Username) -> None:
    """Remove authenticator, passkeys and recovery codes, and end all their sessions."""
    with opened() as gateway:
        removed, ended = remove_factors(gateway)(username)
    typer.echo(f"removed {removed}, {ended} sessions ended")


@app.command("erase")
def erase(
    username: Username,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all that is known of a person, here and at the scorer; the audit trail keeps what names nobody."""
    with opened() as gateway:
        person = known_account(gateway.database, gateway.users, username)
        if not yes and not typer.confirm(f"Erase {printable(person.username)} ({printable(person.user_id)}) for good?"):
            fail("nothing was erased", NOT_NOW)
        done = erase_account(gateway)(username)
    scorer = "the scorer will be told" if done.is_scorer_told else "there is no scorer to tell: `risk-scorer erase`"
    row("erased", done.tombstone, f"{done.rows} rows", f"{done.told} receivers will be told", scorer)
