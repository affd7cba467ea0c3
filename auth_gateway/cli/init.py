"""`auth-gateway init`: from nothing to a gateway that people can sign in at. Asks whoever sits at a terminal; takes all
of it as options otherwise.
"""

import json
import os
import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from auth_gateway.assembly import Gateway
from auth_gateway.cli import answers
from auth_gateway.cli.answers import NONE, answer
from auth_gateway.cli.complaints import complain
from auth_gateway.cli.console import advice, fail, opened, settings_or_fail
from auth_gateway.cli.factors_shown import show_authenticator
from auth_gateway.cli.passwords import read_password
from auth_gateway.core.names import prepare_username
from auth_gateway.core.password_rules import SHORTEST_BESIDE_A_FACTOR
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.settings import Settings, config_file
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
        "jwt_issuer": answer(
            issuer, "--issuer", "Address that people will see (https://id.example.com)", look=answers.issuer
        ),
        "auth_gateway_state": str((state or config.absolute().parent / "riskgate-state").absolute()),
    }
    name = answer(admin, "--admin", "Name of the first account", look=answers.username)
    address = answer(email, "--email", "Its mail address (may be empty)", default="", look=answers.email)
    values |= _mail(smtp_url, mail_from)
    application = _application(client, redirect_uri)
    settings = settings_or_fail(**values)
    with opened(settings) as gateway:
        _first_account(gateway, name, address, from_stdin=password_stdin)
        if application is not None:
            _first_application(gateway, application)
    _write(config, values)
    _say_what_next(config, settings)


def _mail(smtp_url: str | None, mail_from: str | None) -> dict[str, str]:
    """The settings of the mail server, none where there is none."""
    question = f"Mail server (smtp://host:587, {NONE} for none)"
    server = answer(smtp_url, "--smtp-url", question, default=NONE, look=answers.mail_server)
    if server == NONE:
        return {}
    sender = answer(mail_from, "--mail-from", "Sender of mails (login@example.com)", look=answers.sender)
    return {"smtp_url": server, "mail_from": sender}


def _application(client: str | None, redirect_uri: str | None) -> RegisteredClient | None:
    """The first application's registration, checked before anything is made."""
    question = f"Id of the first application ({NONE} for none)"
    client_id = answer(client, "--client", question, default=NONE, look=answers.client_id)
    if client_id == NONE:
        return None
    question = "Where the application gets people back (https://…/callback)"
    address = answer(redirect_uri, "--redirect-uri", question, look=answers.redirect_uri_of(client_id))
    return answers.application(client_id, address)


def _first_account(gateway: Gateway, name: str, email: str, *, from_stdin: bool) -> None:
    """Makes it with its authenticator; one of that name that is there already stays as it is."""
    gateway.ring.prepare()
    if prepare_username(name) in {account.username for account in gateway.accounts.list()}:
        typer.echo(f"The account {name} is there already and stays as it is.")
        return
    password = _password(gateway, names=(name, email), from_stdin=from_stdin)
    account = gateway.accounts.add(name, password, email=email)
    enrolled = gateway.enrol_totp(account.username)
    typer.echo(f"The account {account.username} is made. Its owner's authenticator scans this now, shown once:")
    show_authenticator(enrolled, qr=None)


def _password(gateway: Gateway, *, names: tuple[str, ...], from_stdin: bool) -> str:
    """One that the account may have; whoever types it has as many tries as they need."""
    if not from_stdin and sys.stdin.isatty():
        typer.echo(
            f"Its password has {SHORTEST_BESIDE_A_FACTOR} characters at least; an authenticator comes beside it."
        )
    while True:
        password = read_password(from_stdin=from_stdin)
        try:
            gateway.new_passwords.checked(password, names=names, has_factor=True)
        except Refused as refused:
            if from_stdin:
                raise
            complain(advice(refused))
        else:
            return password


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


def _say_what_next(config: Path, settings: Settings) -> None:
    """Commands that can be copied, and what each of them needs."""
    typer.echo(f"""
Settings are in {config}. What is left, each service in a shell of its own:
  risk-scorer serve                                    # with a model: risk-training train --input your_logins.csv
  risk-scorer credentials add gateway --scope score,outcomes,feedback,erase,read
                                                       # add it to {config.name}: risk_api_credential = "…"
  export AUTH_GATEWAY_CONFIG={quote(str(config.absolute()))}
  auth-gateway serve                                   # http://{settings.auth_gateway_host}:{settings.auth_gateway_port}""")
    if settings.is_https:
        typer.echo(f"""\
A proxy in front of it ends TLS for {settings.public_url}. Add its address to {config.name},
  trusted_proxies = "127.0.0.1/32"
or everybody seems to come from there.""")
    typer.echo(f"The first account signs in at {settings.public_url}/account.")
