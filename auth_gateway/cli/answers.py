"""How `init` gets its answers: as options, or typed by whoever sits at a terminal. Each is looked at as soon as it is
there, so that nobody answers the rest in vain; what was typed wrongly is asked for once more.
"""

import sys
from collections.abc import Callable

import typer

from auth_gateway.cli.complaints import complain
from auth_gateway.cli.console import NEXT, advice, fail
from auth_gateway.core.names import may_be_email, prepare_username
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.registration import check_registration
from auth_gateway.settings import SettingsError, load_settings
from plumbing.refusals import Refused

Look = Callable[[str], str | None]
"""What is wrong with an answer, and what to do about it; None where it can work."""

NONE = "-"
"""The answer of somebody who wants none."""


def answer(given: str | None, option: str, question: str, *, look: Look, default: str | None = None) -> str:
    """What was given, or what is typed; without a terminal, the default.

    Raises: typer.Exit when it cannot work and there is nobody to ask again.
    """
    if given is None and not sys.stdin.isatty():
        if default is None:
            fail(f"there is no terminal to ask at: give {option}")
        return default
    if given is not None:
        wrong = look(given)
        if wrong is not None:
            fail(f"{option}: {wrong}")
        return given
    while True:
        typed: str = typer.prompt(question, default=default, show_default=bool(default)).strip()
        wrong = look(typed)
        if wrong is None:
            return typed
        complain(wrong)


def issuer(given: str) -> str | None:
    """An address that people can sign in at."""
    if not given.lower().startswith(("http:", "https:")):
        return "must be an address such as https://id.example.com"
    return _setting("jwt_issuer", given)


def username(given: str) -> str | None:
    """A name that an account can have."""
    return None if prepare_username(given) is not None else NEXT["invalid_username"]


def email(given: str) -> str | None:
    """An address that mail can go to, or nothing."""
    return None if not given or may_be_email(given) else NEXT["invalid_email"]


def mail_server(given: str) -> str | None:
    """A mail server, or none."""
    return None if given == NONE else _setting("smtp_url", given, mail_from="login@example.com")


def sender(given: str) -> str | None:
    """Where mail can come from."""
    return _setting("mail_from", given)


def client_id(given: str) -> str | None:
    """An id that an application can have, or none."""
    return None if given == NONE else _registration(application(given, "https://app.example.com/callback"))


def redirect_uri_of(identifier: str) -> Look:
    """An address that this application may get people back at."""
    return lambda given: _registration(application(identifier, given))


def application(identifier: str, redirect_uri: str) -> RegisteredClient:
    """The first application's registration."""
    return RegisteredClient(
        client_id=identifier, grant_types=("authorization_code", "refresh_token"), redirect_uris=(redirect_uri,)
    )


def _registration(client: RegisteredClient) -> str | None:
    try:
        check_registration(client)
    except Refused as refused:
        return advice(refused)
    return None


def _setting(name: str, value: str, **beside: str) -> str | None:
    """What the settings say of this one, in words that do not name it: the question was another."""
    try:
        load_settings(**{name: value}, **beside)
    except SettingsError as error:
        named = [text for text in str(error).split("; ") if text.startswith(name.upper())]
        # What is wrong with the environment is told when the settings are made.
        return named[0].removeprefix(name.upper()).lstrip(": ") if named else None
    return None
