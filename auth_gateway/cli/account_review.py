"""`auth-gateway users summary`, `freeze`, `unfreeze`, `reset-sessions` and `force-reset`: what a reviewer sees of an
account and does to it."""

import asyncio
from typing import Annotated, Any

import msgspec
import typer

from auth_gateway.api.admin.account_shapes import summary as shown
from auth_gateway.assembly import Gateway
from auth_gateway.cli.console import fail, moment, opened, row
from auth_gateway.flows.account_desk import AccountFile
from auth_gateway.flows.accounts import known_account
from auth_gateway.flows.ports.session_risk import Behaviour
from auth_gateway.flows.said import Said, said
from auth_gateway.user_risks import account_desk, forced_reset, scorer_behaviours

Username = Annotated[str, typer.Argument(help="The name they log in with.")]
By = Annotated[str, typer.Option(help="Who says it.")]
Why = Annotated[str, typer.Option(help="Why.")]


def summary(
    username: Username,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object, as the API answers.")] = False,
) -> None:
    """Print an account, its running sessions, what is held against the person, and what the scorer says."""
    with opened() as gateway:
        account = known_account(gateway.database, gateway.users, username)
        found, behaviour = asyncio.run(_asked(gateway, account.user_id))
    if as_json:
        typer.echo(msgspec.json.encode(shown(found, behaviour)).decode())
    else:
        _print(found, behaviour)


async def _asked(gateway: Gateway, user_id: str) -> tuple[AccountFile, Behaviour]:
    behaviours = scorer_behaviours(gateway.settings, gateway.settings.scorer_tls())
    try:
        return await account_desk(gateway, behaviours).summary(user_id)
    finally:
        await behaviours.close()


def freeze(username: Username, by: By = "", why: Why = "") -> None:
    """Let nobody in as this person any more, and end all their sessions."""
    with opened() as gateway:
        was_changed = gateway.accounts.freeze(username, _word(by, why))
    typer.echo("frozen" if was_changed else "was frozen already")


def unfreeze(username: Username, by: By = "", why: Why = "") -> None:
    """Let them log in again; ended sessions stay ended. What was frozen until a review needs --by and --why."""
    with opened() as gateway:
        was_changed = gateway.accounts.unfreeze(username, _word(by, why))
    typer.echo("active" if was_changed else "was active already")


def reset_sessions(
    username: Username,
    by: Annotated[str, typer.Option(help="Who says it.")],
    why: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """End all their sessions, and the trust in every browser."""
    with opened() as gateway:
        ended = gateway.accounts.reset_sessions(username, said(by, why))
    typer.echo(f"{ended} ended")


def force_reset(
    username: Username,
    by: Annotated[str, typer.Option(help="Who says it.")],
    why: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """End all their sessions and let nobody in until the owner has set another password by the recovery letter."""
    with opened() as gateway:
        account = known_account(gateway.database, gateway.users, username)
        ended = forced_reset(gateway)(account.user_id, said(by, why))
    typer.echo("asked for already" if ended is None else f"{ended} ended")


def _word(by: str, why: str) -> Said | None:
    if not by and not why:
        return None
    if not by or not why:
        fail("--by and --why go together")
    return said(by, why)


def _print(found: AccountFile, behaviour: Behaviour) -> None:
    account = found.account
    state = f"frozen ({account.frozen_reason or 'operator'})" if account.is_frozen else "active"
    held = "held" if found.risk.is_held else "fading"
    row(account.username, account.user_id, state, f"risk {found.risk_value:.0f} {held}")
    for session in found.sessions:
        rests = "awaits a factor" if session.awaits_factor else "running"
        row("session", session.session_id, session.client_id, session.ip, rests, f"since {moment(session.created_at)}")
    for signal in found.signals:
        reasons = ", ".join(reason.code for reason in signal.reasons)
        done = f"{signal.response} {signal.effect}"
        row("signal", moment(signal.received_at), f"{signal.score:.0f}", signal.source, done, reasons)
    if behaviour.told is None:
        row("behaviour", f"not known: {behaviour.missing}")
    else:
        told = msgspec.json.decode(behaviour.told, type=dict[str, Any])
        row("behaviour", *(str(told.get(name)) for name in ("score", "risk_level")))
