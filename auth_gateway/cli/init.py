"""`auth-gateway init`: from nothing to a gateway that people can sign in at. Asks whoever sits at a terminal; takes all
of it as options otherwise.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from auth_gateway.assembly import Gateway
from auth_gateway.cli.console import advice, fail, opened, settings_or_fail
from auth_gateway.cli.factors_shown import show_authenticator
from auth_gateway.cli.passwords import read_password
from auth_gateway.core.names import prepare_username
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.registration import check_registration
from auth_gateway.settings import config_file
from plumbing.refusals import Refused

Config = Annotated[Path, typer.Option("--config", help="The file of settings to write; it must not be there yet.")]
Issuer = Annotated[
    str | None, typer.Option("--issuer", help="The address that people will see: https://id.example.com")
]
State = Annotated[
    Path | None, typer.Option("--state", help="The directory of keys and data. Default: beside the file.")
]
Admin = Annotated[str | None, typer.Option("--admin", help="The name of the first account.")]
Email = Annotated[str | None, typer.Option("--email", help="The first account's mail address.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the first account's password from input.")]
Mail = Annotated[
    str | None, typer.Option("--smtp-url", help="smtp://host:587 or smtps://user:password@host; - for none.")
]
Sender = Annotated[str | None, typer.Option("--mail-from", help="The sender of mails.")]
Application = Annotated[str | None, typer.Option("--client", help="The id of the first application; - for none.")]
Redirect = Annotated[str | None, typer.Option("--redirect-uri", help="Where it gets people back.")]

NONE = "-"


def init(
    config: Config = Path("auth-gateway.toml"),
    issuer: Issuer = None,
    state: State = None,
    admin: Admin = None,
    email: Email = None,
    password_stdin: FromStdin = False,
    smtp_url: Mail = None,
    mail_from: Sender = None,
    client: Application = None,
    redirect_uri: Redirect = None,
) -> None:
    """Set up a gateway: settings, keys, the first account with its authenticator, the first application."""
    if config_file() is not None:
        fail("AUTH_GATEWAY_CONFIG names a file already: unset it, and init writes a new one")
    if config.exists():
        fail(f"{config.name} is there already: choose another file by --config, or change that one by hand")
    values = {
        "jwt_issuer": _asked(issuer, "--issuer", "Address that people will see (https://id.example.com)"),
        "auth_gateway_state": str((state or config.absolute().parent / "riskgate-state").absolute()),
    }
    name = _asked(admin, "--admin", "Name of the first account")
    address = _asked(email, "--email", "Its mail address", default="")
    smtp = _asked(smtp_url, "--smtp-url", "Mail server (smtp://host:587, - for none)", default=NONE)
    if smtp != NONE:
        values["smtp_url"] = smtp
        values["mail_from"] = _asked(mail_from, "--mail-from", "Sender of mails")
    application = _application(
        _asked(client, "--client", "Id of the first application (- for none)", default=NONE), redirect_uri
    )
    settings = settings_or_fail(**values)
    if settings.provider_issuer is None:
        fail("--issuer must be an address such as https://id.example.com")
    with opened(settings) as gateway:
        _first_account(gateway, name, address, from_stdin=password_stdin)
        if application is not None:
            _first_application(gateway, application)
    _write(config, values)
    _say_what_next(config, settings.provider_issuer)


def _asked(given: str | None, option: str, question: str, *, default: str | None = None) -> str:
    """What was given, or what is typed; without a terminal, the default."""
    if given is not None:
        return given
    if sys.stdin.isatty():
        typed: str = typer.prompt(question, default=default, show_default=bool(default))
        return typed.strip()
    if default is None:
        fail(f"there is no terminal to ask at: give {option}")
    return default


def _application(client_id: str, redirect_uri: str | None) -> RegisteredClient | None:
    """The first application's registration, checked before anything is made."""
    if client_id == NONE:
        return None
    address = _asked(redirect_uri, "--redirect-uri", "Where the application gets people back (https://…/callback)")
    client = RegisteredClient(
        client_id=client_id, grant_types=("authorization_code", "refresh_token"), redirect_uris=(address,)
    )
    try:
        check_registration(client)
    except Refused as refused:
        fail(advice(refused))
    return client


def _first_account(gateway: Gateway, name: str, email: str, *, from_stdin: bool) -> None:
    """Makes it with its authenticator; one of that name that is there already stays as it is."""
    gateway.ring.prepare()
    if prepare_username(name) in {account.username for account in gateway.accounts.list()}:
        typer.echo(f"The account {name} is there already and stays as it is.")
        return
    password = read_password(from_stdin=from_stdin)
    gateway.new_passwords.checked(password, names=(name, email), has_factor=True)
    account = gateway.accounts.add(name, password, email=email)
    enrolled = gateway.enrol_totp(account.username)
    typer.echo(f"The account {account.username} is made. Its owner's authenticator scans this now, shown once:")
    show_authenticator(enrolled, qr=None)


def _first_application(gateway: Gateway, client: RegisteredClient) -> None:
    if any(known.client_id == client.client_id for known in gateway.registrations.list()):
        typer.echo(f"The application {client.client_id} is registered already and stays as it is.")
        return
    typer.echo(f"The application {client.client_id} has this secret, shown once:")
    gateway.registrations.add(client, show=typer.echo)


def _write(config: Path, values: dict[str, str]) -> None:
    """For its owner alone, since it may hold the mail server's password; never over another file."""
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    try:
        handle = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        fail(f"{config.name} cannot be written ({error.strerror}): mend that and run init again, all else is in place")


def _say_what_next(config: Path, issuer: str) -> None:
    typer.echo(f"""
Settings are in {config}. What is left:
  export AUTH_GATEWAY_CONFIG={config.absolute()}
  risk-scorer credentials add gateway --scope score,outcomes,feedback    add it there: risk_api_credential = "…"
  risk-scorer serve
  auth-gateway serve                                                     behind a proxy that ends TLS for {issuer}""")
