"""`auth-gateway keys`: what signs the access tokens."""

from typing import Annotated

import typer

from auth_gateway.adapters.keyring import SigningKey, signing_key
from auth_gateway.assembly import Gateway
from auth_gateway.cli.console import moment, opened, row
from auth_gateway.core.audit import AuditEvent
from plumbing.statements import Transaction

app = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def show() -> None:
    """Print id, state and dates of every key; the first start of the server makes the first."""
    with opened() as gateway:
        now = gateway.clock.now()
        keys = gateway.database.read(gateway.key_store.load)
        current = signing_key(keys, now) if keys else None
        for key in keys:
            row(key.kid, _state(key, current, now), f"signs from {moment(key.activates_at)}", _end(key))


@app.command("rotate")
def rotate(
    now: Annotated[bool, typer.Option("--now", help="Sign at once: verifiers that cached the old keys fail.")] = False,
) -> None:
    """Publish a new key, and sign with it once every verifier had the time to fetch it."""
    with opened() as gateway:
        kid, activates_at = _rotate(gateway, delay_seconds=0 if now else gateway.settings.key_activation_delay)
    row(kid, f"signs from {moment(activates_at)}")


def _rotate(gateway: Gateway, *, delay_seconds: int) -> tuple[str, float]:
    moment_of_rotation = gateway.clock.now()
    event_id = gateway.randomness.event_id("evt")

    def job(tx: Transaction) -> str:
        gateway.key_store.load_or_make(tx, moment_of_rotation)
        kid = gateway.key_store.rotate(
            tx,
            now=moment_of_rotation,
            delay_seconds=delay_seconds,
            access_ttl_seconds=gateway.access_ttl_seconds,
        )
        gateway.audit.record(tx, AuditEvent(event_id=event_id, ts=moment_of_rotation, kind="key.added", detail=kid))
        return kid

    return gateway.database.write_sync(job), moment_of_rotation + delay_seconds


def _state(key: SigningKey, current: SigningKey | None, now: float) -> str:
    if current is not None and key.kid == current.kid:
        return "signing"
    is_withdrawn = key.retired_at is not None and key.retired_at <= now
    return "announced" if key.activates_at > now and not is_withdrawn else "retired"


def _end(key: SigningKey) -> str:
    return "" if key.retired_at is None else f"until {moment(key.retired_at)}"
