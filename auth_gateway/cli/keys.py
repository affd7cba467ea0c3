"""`auth-gateway keys`: what signs the tokens, and what seals secrets at rest."""

from functools import partial
from typing import Annotated

import typer

from auth_gateway.adapters.keyring import SigningKey, signing_key
from auth_gateway.adapters.keys import Rotation, draw_keys
from auth_gateway.adapters.sealing_keys import HANDED_SECONDS, SEALING_KEYS
from auth_gateway.assembly import Gateway
from auth_gateway.cli.console import NOT_NOW, moment, opened, row
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.claims import JWKS_MAX_AGE_SECONDS
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.signing_ring import longest_access_seconds
from plumbing.postgresql import is_postgresql
from plumbing.statements import Transaction

FETCHED_AGAIN = f"they are fetched again: {JWKS_MAX_AGE_SECONDS // 60} minutes where our Cache-Control is kept to"

app = typer.Typer(help="The keys that sign tokens and seal secrets.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def show() -> None:
    """Print id, state, algorithm and dates of every key; the first start of the server makes the first."""
    with opened() as gateway:
        now = gateway.clock.now()
        keys = gateway.database.read(gateway.key_store.load)
        for key in keys:
            state = _state(key, keys, now)
            row(key.kid, state, key.algorithm, f"signs from {moment(key.activates_at)}", _end(key))


@app.command("rotate")
def rotate(
    now: Annotated[bool, typer.Option("--now", help="Sign at once: verifiers that cached the old keys fail.")] = False,
) -> None:
    """Publish a new key of each algorithm, and sign with it once every verifier had the time to fetch it."""
    with opened() as gateway:
        delay_seconds = 0 if now else gateway.settings.key_activation_delay
        kids, activates_at = replace_keys(gateway, delay_seconds)
    _told(kids, activates_at)
    if now:
        typer.echo(f"Who has cached the published keys refuses new tokens until {FETCHED_AGAIN}.", err=True)


@app.command("withdraw")
def withdraw(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Somebody else knows the signing keys: sign with new ones at once, and delete the old ones.

    Whatever the old ones signed is refused from then on, forged or not. People stay logged in: their refresh tokens and
    browser sessions give new tokens.
    """
    if not yes and not typer.confirm("Every access token and ID token given out until now will be refused. Withdraw?"):
        raise typer.Exit(NOT_NOW)
    with opened() as gateway:
        kids, activates_at = replace_keys(gateway, None)
    _told(kids, activates_at)
    typer.echo(f"Others believe the old keys, and refuse the new ones, until {FETCHED_AGAIN}.", err=True)


@app.command("rotate-vault")
def rotate_vault() -> None:
    """Make a new key for what is kept sealed (authenticators' secrets, private keys), and seal all of it anew."""
    with opened() as gateway:
        resealed = gateway.resealing()
        shares = is_postgresql(gateway.settings.database_url)
    typer.echo(f"sealing key {resealed.number}, {resealed.values} values sealed anew")
    if shares:
        hours = HANDED_SECONDS / 3600
        typer.echo(
            f"Other gateways on this database take it over by themselves; one that is down for {hours:.0f} hours"
        )
        typer.echo(f"needs {SEALING_KEYS}.{resealed.number} from another's state directory. Back it up with them.")


def _told(kids: list[str], activates_at: float) -> None:
    for kid in kids:
        row(kid, f"signs from {moment(activates_at)}")


def replace_keys(gateway: Gateway, delay_seconds: int | None) -> tuple[list[str], float]:
    """New keys that sign after the delay; without one at once, and the old ones are gone."""
    gateway.ring.prepare()
    now = gateway.clock.now()
    drawn = draw_keys(sorted(gateway.ring.algorithms()))
    activates_at = now + (delay_seconds or 0)

    def replaced(tx: Transaction) -> Rotation:
        if delay_seconds is None:
            return gateway.key_store.withdraw(tx, drawn, now=now)
        seconds = longest_access_seconds(gateway.settings)
        return gateway.key_store.rotate(tx, drawn, now=now, delay_seconds=delay_seconds, access_ttl_seconds=seconds)

    def job(tx: Transaction) -> list[str]:
        done = replaced(tx)
        line = partial(_line, gateway, now)
        for kid in done.retired:
            gateway.audit.record(tx, line("key.retired", f"{kid} until {moment(activates_at)}"))
        for kid in done.added:
            gateway.audit.record(tx, line("key.added", kid))
        return done.added

    return gateway.database.write_sync(job), activates_at


def _line(gateway: Gateway, now: float, kind: Kind, detail: str) -> AuditEvent:
    event_id = gateway.randomness.event_id("evt")
    return AuditEvent(event_id=event_id, ts=now, kind=kind, detail=detail, facts=Facts(by=OPERATOR))


def _state(key: SigningKey, keys: list[SigningKey], now: float) -> str:
    try:
        current = signing_key(keys, now, key.algorithm)
    except LookupError:  # all of its kind are still to come: somebody made the file by hand
        current = None
    if current is not None and key.kid == current.kid:
        return "signing"
    is_withdrawn = key.retired_at is not None and key.retired_at <= now
    return "announced" if key.activates_at > now and not is_withdrawn else "retired"


def _end(key: SigningKey) -> str:
    return "" if key.retired_at is None else f"until {moment(key.retired_at)}"
