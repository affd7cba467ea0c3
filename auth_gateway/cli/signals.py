"""`auth-gateway signals`: other providers whose events are taken, and what these do here."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from auth_gateway.adapters.ssf.discovery import discovered_keys
from auth_gateway.assembly import Gateway
from auth_gateway.cli.clients import public_keys
from auth_gateway.cli.console import fail, moment, opened, row
from auth_gateway.core.ssf.effects import USUAL, Effects, effects_said, short
from auth_gateway.core.ssf.transmitter import Standing, Transmitter
from auth_gateway.signals import fetcher, signal_sources

MOST_TOKEN_BYTES = 8_192

app = typer.Typer(help="Events of other providers.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The transmitter's name; it is part of the address that events come to.")]
Issuer = Annotated[str, typer.Option("--issuer", help="iss of its tokens, exactly.")]
KeysAddress = Annotated[str, typer.Option("--jwks-uri", help="Where its keys are; discovered where left out.")]
KeysFile = Annotated[Path | None, typer.Option("--jwks", help="A file with its public keys, in place of an address.")]
Audiences = Annotated[list[str] | None, typer.Option("--audience", help="aud of its tokens to us; repeatable.")]
WithSecret = Annotated[bool, typer.Option("--with-secret", help="Each push must show a secret, printed this once.")]
PollUrl = Annotated[str, typer.Option("--poll-url", help="Fetch its events there (RFC 8936).")]
PollToken = Annotated[bool, typer.Option("--poll-token-stdin", help="Read the poll endpoint's bearer token.")]
MaxAge = Annotated[float, typer.Option("--max-age-hours", help="How old a token may be; 168 at the most.")]
SharesIds = Annotated[bool, typer.Option("--shares-ids", help="Its sub are our user ids: both have one directory.")]
On = Annotated[list[str] | None, typer.Option("--on", help="EVENT=EFFECTS such as session-revoked=revoke; repeatable.")]
Said = Annotated[list[str], typer.Argument(help="EVENT=EFFECTS such as account-disabled=freeze,raise:high.")]


@app.command("add")
def add(
    name: Name,
    issuer: Issuer,
    audience: Audiences = None,
    jwks_uri: KeysAddress = "",
    jwks: KeysFile = None,
    with_secret: WithSecret = False,
    poll_url: PollUrl = "",
    poll_token_stdin: PollToken = False,
    max_age_hours: MaxAge = 24.0,
    shares_ids: SharesIds = False,
    on: On = None,
) -> None:
    """Take another provider's events from now on, and print the address that it pushes them to."""
    if not audience:
        fail("give --audience: what the transmitter writes into aud for us")
    if poll_token_stdin and not poll_url:
        fail("give --poll-url with --poll-token-stdin")
    if not abs(max_age_hours) < 1e6:
        fail("--max-age-hours is 168 at the most")
    keys = "" if jwks is None else public_keys(jwks)
    token = _token() if poll_token_stdin else ""
    with opened() as gateway:
        wanted = Transmitter(
            transmitter_id="",
            name=name,
            issuer=issuer,
            audiences=tuple(dict.fromkeys(audience)),
            jwks=keys,
            jwks_uri=jwks_uri or ("" if keys else _discovered(gateway, issuer)),
            max_age_seconds=int(max_age_hours * 3600),
            poll_url=poll_url,
            shares_ids=shares_ids,
            effects=_effects(on or []),
        )
        signal_sources(gateway).add(wanted, show=typer.echo if with_secret else None, poll_token=token)
        typer.echo(_address(gateway, name))


@app.command("list")
def show_all() -> None:
    """Print every transmitter: name, state, way, how many events were taken, and issuer."""
    with opened() as gateway:
        sources = signal_sources(gateway)
        for each in sources.list():
            state = "enabled" if each.disabled_at is None else "disabled"
            way = "poll" if each.poll_url else "push"
            row(each.name, state, way, str(sources.standing(each).taken), each.issuer)


@app.command("show")
def show(name: Name) -> None:
    """Print how its tokens are recognised, what each event does, and what has come of it, as JSON."""
    with opened() as gateway:
        sources = signal_sources(gateway)
        found = sources.find(name)
        told = _told(found, sources.standing(found), _address(gateway, name))
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())


@app.command("effects")
def set_effects(name: Name, said: Said) -> None:
    """Say what events do from now on: `ignore`, or `raise:low|medium|high`, `revoke` and `freeze` with commas."""
    with opened() as gateway:
        changed = signal_sources(gateway).set_effects(name, _effects(said))
        for event_type, effects in sorted(changed.effects.items(), key=lambda pair: short(pair[0])):
            row(short(event_type), effects.text)


@app.command("enable")
def enable(name: Name) -> None:
    """Take its events again."""
    with opened() as gateway:
        is_new = signal_sources(gateway).set_enabled(name, is_enabled=True)
    typer.echo("enabled" if is_new else "enabled already")


@app.command("disable")
def disable(name: Name) -> None:
    """Refuse its events until further notice."""
    with opened() as gateway:
        is_new = signal_sources(gateway).set_enabled(name, is_enabled=False)
    typer.echo("disabled" if is_new else "disabled already")


@app.command("remove")
def remove(name: Name) -> None:
    """Take its events no more; what they have done stays."""
    with opened() as gateway:
        signal_sources(gateway).remove(name)
    typer.echo("removed")


def _effects(said: list[str]) -> dict[str, Effects]:
    found = {}
    for each in said:
        name, is_said, text = each.partition("=")
        if not is_said:
            fail("say what an event does as EVENT=EFFECTS, such as session-revoked=revoke")
        with_type, effects = effects_said(name, text)
        found[with_type] = effects
    return found


def _discovered(gateway: Gateway, issuer: str) -> str:
    return asyncio.run(discovered_keys(fetcher(gateway), issuer))


def _token() -> str:
    raw = sys.stdin.buffer.read(MOST_TOKEN_BYTES + 1)
    text = raw.decode("ascii", "replace").strip()
    if not text or len(raw) > MOST_TOKEN_BYTES or not text.isascii() or not text.isprintable() or " " in text:
        fail("the token is missing or no bearer token: send it as one line")
    return text


def _address(gateway: Gateway, name: str) -> str:
    return f"{gateway.settings.jwt_issuer}/ssf/events/{name}"


def _told(found: Transmitter, standing: Standing, address: str) -> dict[str, Any]:
    effects = {short(name): found.effects.get(name, usual).text for name, usual in USUAL.items()}
    known: dict[str, Any] = msgspec.to_builtins(found)
    known |= {"jwks": msgspec.json.decode(found.jwks) if found.jwks else None, "effects": effects}
    times = {
        name: moment(value) for name, value in msgspec.to_builtins(standing).items() if name.endswith("_at") and value
    }
    return {**known, "push_address": address, "standing": {**msgspec.to_builtins(standing), **times}}
