"""How a command shows a new authenticator, this once."""

import sys

import segno
import typer

from auth_gateway.flows.enrolment import Enrolled


def show_authenticator(enrolled: Enrolled, *, qr: bool | None) -> None:
    """The address and the secret, and as a picture when a person is looking (`qr` None)."""
    if sys.stdout.isatty() if qr is None else qr:
        segno.make(enrolled.provisioning_uri).terminal(out=sys.stdout, compact=True)
    typer.echo(enrolled.provisioning_uri)
    typer.echo(f"secret: {enrolled.secret}")
