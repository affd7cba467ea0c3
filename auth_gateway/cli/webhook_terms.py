"""`auth-gateway webhooks add | update`: on which terms a destination is told."""

from typing import Annotated, Any

import msgspec
import typer
from msgspec import UNSET, UnsetType

from auth_gateway.cli.console import fail, opened
from auth_gateway.cli.webhooks_shown import show_destination
from auth_gateway.core.destination import (
    AddressForm,
    Destination,
    DestinationKind,
    Filter,
    Folding,
    Format,
    Privacy,
    UserForm,
)
from auth_gateway.core.destination_change import DestinationChange, FilterChange, FoldingChange, PrivacyChange
from auth_gateway.telling import listeners

USUAL = Folding()

Name = Annotated[str, typer.Argument(help="The destination's name or id.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: one JSON object a line.")]
NewName = Annotated[str, typer.Argument(help="Letters, digits, dot, dash, underscore.")]
Url = Annotated[str, typer.Argument(help="An https address, syslog+tls://HOST:PORT (or +tcp, +udp), or a file's name.")]
Kind = Annotated[DestinationKind, typer.Option("--kind", help="How it gets them.")]
Shape = Annotated[Format, typer.Option("--format", help="How events are written out.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Events such as login.denied, login.*; repeatable.")]
MinScore = Annotated[float, typer.Option("--min-score", help="Nothing with a lower score.")]
Clients = Annotated[list[str] | None, typer.Option("--client", help="Only at these applications; repeatable.")]
Address = Annotated[AddressForm, typer.Option("--ip", help="How much of an address is told.")]
User = Annotated[UserForm, typer.Option("--user", help="How a person is named.")]
Agent = Annotated[bool, typer.Option("--user-agent", help="Tell the browser's own words.")]
Fold = Annotated[bool | None, typer.Option("--fold/--no-fold", help="Tell alike events of a storm as one, or not.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Named in its events; MFA_TENANT if left out.")]
OtherUrl = Annotated[str | None, typer.Option("--url", help="An address of the same kind.")]
OtherScore = Annotated[float | None, typer.Option("--min-score", help="Nothing with a lower score.")]
OtherAddress = Annotated[AddressForm | None, typer.Option("--ip", help="How much of an address is told.")]
OtherUser = Annotated[UserForm | None, typer.Option("--user", help="How a person is named.")]
OtherAgent = Annotated[
    bool | None, typer.Option("--user-agent/--no-user-agent", help="Tell the browser's own words, or not.")
]
Burst = Annotated[int | None, typer.Option("--fold-burst", help="So many go one by one first.")]
PerMinute = Annotated[float | None, typer.Option("--fold-per-minute", help="And then so many in a minute.")]
OtherTenant = Annotated[str | None, typer.Option("--tenant", help="Named in its events; '' for MFA_TENANT.")]
AllTypes = Annotated[bool, typer.Option("--all-types", help="Every event again.")]
AllClients = Annotated[bool, typer.Option("--all-clients", help="At every application again.")]


def add(
    name: NewName,
    url: Url,
    kind: Kind = "webhook",
    shape: Shape = "standard",
    types: Types = None,
    min_score: MinScore = 0.0,
    client: Clients = None,
    ip: Address = "prefix",
    user: User = "id",
    user_agent: Agent = False,
    fold: Fold = None,
    fold_burst: Burst = None,
    fold_per_minute: PerMinute = None,
    tenant: Tenant = "",
    as_json: AsJson = False,
) -> None:
    """Tell another one from now on; a webhook's secret is printed, this once, and counts only if this succeeds."""
    wanted = Destination(
        destination_id="",
        name=name,
        kind=kind,
        url=url,
        format=shape,
        filter=Filter(types=tuple(types or ()), min_score=min_score, clients=tuple(client or ())),
        privacy=Privacy(ip=ip, user=user, user_agent=user_agent),
        folding=_folding(fold, fold_burst, fold_per_minute),
        tenant=tenant,
    )
    secrets: list[str] = []
    with opened() as gateway:
        if not as_json:
            listeners(gateway).add(wanted, show=typer.echo)
            return
        made = listeners(gateway).add(wanted, show=secrets.append)
    print_json({"webhook": made, "secret": secrets[0] if secrets else None})


def update(
    name: Name,
    url: OtherUrl = None,
    types: Types = None,
    all_types: AllTypes = False,
    min_score: OtherScore = None,
    client: Clients = None,
    all_clients: AllClients = False,
    ip: OtherAddress = None,
    user: OtherUser = None,
    user_agent: OtherAgent = None,
    fold: Fold = None,
    fold_burst: Burst = None,
    fold_per_minute: PerMinute = None,
    tenant: OtherTenant = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest; what waits is sent as it was made."""
    if (all_types and types) or (all_clients and client):
        fail("name some, or all of them")
    change = DestinationChange(
        url=_given(url),
        filter=FilterChange(
            types=() if all_types else _given(tuple(types) if types else None),
            min_score=_given(min_score),
            clients=() if all_clients else _given(tuple(client) if client else None),
        ),
        privacy=PrivacyChange(ip=_given(ip), user=_given(user), user_agent=_given(user_agent)),
        folding=FoldingChange(is_on=_given(fold), burst=_given(fold_burst), per_minute=_given(fold_per_minute)),
        tenant=_given(tenant),
    )
    if change == DestinationChange():
        fail("name what is to be another: see `auth-gateway webhooks update --help`")
    with opened() as gateway:
        found = listeners(gateway).update(name, change)
    if as_json:
        print_json(found)
    else:
        show_destination(found)


def print_json(value: Any) -> None:
    """One object a line."""
    typer.echo(msgspec.json.encode(value).decode())


def _given(value: Any) -> Any | UnsetType:
    return UNSET if value is None else value


def _folding(fold: bool | None, burst: int | None, per_minute: float | None) -> Folding | None:
    """What is usual for the kind where nothing is said; whoever says from when on wants it."""
    if fold is None and burst is None and per_minute is None:
        return None
    return Folding(
        is_on=True if fold is None else fold,
        burst=USUAL.burst if burst is None else burst,
        per_minute=USUAL.per_minute if per_minute is None else per_minute,
    )
