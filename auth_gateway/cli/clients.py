"""`auth-gateway clients`: applications, what they may ask for and what they are trusted with."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from auth_gateway.adapters.provider.jwks import UnusableKey, key_set
from auth_gateway.cli.console import fail, opened, row
from auth_gateway.core.provider.client import (
    ADMIN_SCOPES,
    OPENID_SCOPES,
    ApplicationType,
    AuthMethod,
    GrantType,
    RegisteredClient,
    SigningAlgorithm,
)

MOST_KEY_BYTES = 65_536
DAY_SECONDS = 86_400
RIGHTS = {"may_vouch": "may-vouch", "may_see_scores": "may-see-scores", "may_introspect": "may-introspect"}

app = typer.Typer(help="Registered applications.", no_args_is_help=True, rich_markup_mode=None)


class ShortGrant(StrEnum):
    """Grant types as people type them."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant type's name
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "device_code"


GRANT_TYPES: dict[ShortGrant, GrantType] = {
    ShortGrant.AUTHORIZATION_CODE: "authorization_code",
    ShortGrant.REFRESH_TOKEN: "refresh_token",
    ShortGrant.CLIENT_CREDENTIALS: "client_credentials",
    ShortGrant.DEVICE_CODE: "urn:ietf:params:oauth:grant-type:device_code",
}

Name = Annotated[str, typer.Argument(help="The client's id: letters, digits, dot, dash, underscore.")]
Title = Annotated[str, typer.Option("--name", help="What people are shown; the id if left out.")]
Type = Annotated[ApplicationType, typer.Option("--type", help="web: has a server; native: on people's devices.")]
Method = Annotated[AuthMethod, typer.Option("--auth-method", help="How it proves itself at the token endpoint.")]
Grants = Annotated[list[ShortGrant] | None, typer.Option("--grant", help="What it may redeem; repeatable.")]
Redirects = Annotated[list[str] | None, typer.Option("--redirect-uri", help="Exact; https or loopback; repeatable.")]
Logouts = Annotated[list[str] | None, typer.Option("--post-logout-redirect-uri", help="The same; repeatable.")]
BackChannel = Annotated[str | None, typer.Option("--backchannel-logout-uri", help="Told when a session ends.")]
KeyFile = Annotated[Path | None, typer.Option("--jwks", help="A file with its public keys, for private_key_jwt.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="What it may ask for; repeatable.")]
Audience = Annotated[str, typer.Option("--audience", help="aud of its access tokens; JWT_AUDIENCE if left out.")]
AccessTtl = Annotated[int | None, typer.Option("--access-ttl-seconds", help="The gateway's own if left out.")]
RefreshTtl = Annotated[int | None, typer.Option("--refresh-ttl-days", help="The gateway's own if left out.")]
IdAlgorithm = Annotated[SigningAlgorithm, typer.Option("--id-token-alg", help="What its ID tokens are signed with.")]
Consent = Annotated[bool, typer.Option("--requires-consent", help="People are asked before it gets anything.")]
Pushed = Annotated[bool, typer.Option("--require-par", help="Its requests must be pushed first (RFC 9126).")]
Bound = Annotated[bool, typer.Option("--dpop", help="Its tokens are always bound to a key (RFC 9449).")]
Introspects = Annotated[bool, typer.Option("--may-introspect", help="It may ask about everybody's tokens.")]
LogsIn = Annotated[
    bool | None,
    typer.Option("--may-log-in/--no-log-in", help="It may use the JSON /login. Default: when it has no grant."),
]
Vouches = Annotated[bool, typer.Option("--may-vouch", help="What it says about a login's circumstances is believed.")]
SeesScores = Annotated[bool, typer.Option("--may-see-scores", help="Its answers hold the score and its reasons.")]


@app.command("add")
def add(
    name: Name,
    title: Title = "",
    application_type: Type = "web",
    auth_method: Method = "client_secret_basic",
    grant: Grants = None,
    redirect_uri: Redirects = None,
    post_logout_redirect_uri: Logouts = None,
    backchannel_logout_uri: BackChannel = None,
    jwks: KeyFile = None,
    scope: Scopes = None,
    audience: Audience = "",
    access_ttl_seconds: AccessTtl = None,
    refresh_ttl_days: RefreshTtl = None,
    id_token_alg: IdAlgorithm = "ES256",  # noqa: S107 - an algorithm
    requires_consent: Consent = False,
    require_par: Pushed = False,
    dpop: Bound = False,
    may_introspect: Introspects = False,
    may_log_in: LogsIn = None,
    may_vouch: Vouches = False,
    may_see_scores: SeesScores = False,
) -> None:
    """Register an application and print its secret, this once; the secret counts only if the command succeeds."""
    client = RegisteredClient(
        client_id=name,
        client_name=title,
        application_type=application_type,
        token_endpoint_auth_method=auth_method,
        grant_types=_grants(grant),
        redirect_uris=tuple(redirect_uri or ()),
        post_logout_redirect_uris=tuple(post_logout_redirect_uri or ()),
        backchannel_logout_uri=backchannel_logout_uri,
        jwks=None if jwks is None else public_keys(jwks),
        scopes=tuple(dict.fromkeys(scope)) if scope else OPENID_SCOPES,
        audience=audience,
        access_ttl_seconds=access_ttl_seconds,
        refresh_ttl_seconds=None if refresh_ttl_days is None else refresh_ttl_days * DAY_SECONDS,
        id_token_signed_response_alg=id_token_alg,
        requires_consent=requires_consent,
        require_pushed_authorization_requests=require_par,
        dpop_bound_access_tokens=dpop,
        may_log_in=not grant and not may_introspect if may_log_in is None else may_log_in,
        may_introspect=may_introspect,
        may_vouch=may_vouch,
        may_see_scores=may_see_scores,
    )
    with opened() as gateway:
        gateway.registrations.add(_for_this_gateway(client, gateway.settings.jwt_issuer), show=typer.echo)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Everything, one client a line.")] = False) -> None:
    """Print id and rights of every client; the secrets themselves are not stored."""
    with opened() as gateway:
        for client in gateway.registrations.list():
            if as_json:
                typer.echo(msgspec.json.encode(_told(client)))
            else:
                rights = [right for name, right in RIGHTS.items() if getattr(client, name)]
                row(client.client_id, ",".join(rights) or "-")


@app.command("rotate-secret")
def rotate_secret(
    name: Name,
    overlap: Annotated[int, typer.Option("--overlap", min=0, help="Hours that the old secret goes on working.")] = 24,
) -> None:
    """Print a new secret, this once; with --overlap 0 the old one stops at once."""
    with opened() as gateway:
        gateway.registrations.rotate_secret(name, overlap_seconds=overlap * 3600, show=typer.echo)


@app.command("remove")
def remove(name: Name) -> None:
    """Forget an application; its sessions and refresh tokens end, whoever gets its name later."""
    with opened() as gateway:
        gateway.registrations.remove(name)
    typer.echo("removed")


def _for_this_gateway(client: RegisteredClient, issuer: str) -> RegisteredClient:
    """A token that runs this gateway is for it alone: no other API that takes our tokens can pass it on."""
    runs_it = not client.audience and not set(ADMIN_SCOPES).isdisjoint(client.scopes)
    return msgspec.structs.replace(client, audience=issuer) if runs_it else client


def _grants(given: list[ShortGrant] | None) -> tuple[GrantType, ...]:
    return tuple(dict.fromkeys(GRANT_TYPES[grant] for grant in given or ()))


def public_keys(file: Path) -> str:
    """The JWK set of that file, in one line."""
    try:
        with file.open("rb") as source:
            raw = source.read(MOST_KEY_BYTES + 1)
    except OSError as error:
        fail(f"the file of keys cannot be read: {error.strerror}; name one that this user may read")
    if len(raw) > MOST_KEY_BYTES:
        fail(f"the file of keys has more than {MOST_KEY_BYTES} bytes: leave the keys in it that are in use")
    try:
        text = raw.decode("utf-8")
        key_set(text)
    except UnicodeDecodeError:
        fail("the file of keys is not UTF-8: save it in that encoding")
    except UnusableKey as error:
        fail(f"the file of keys is no set of usable public keys: {error}; give a JWK set (RFC 7517)")
    return msgspec.json.format(text, indent=-1)


def _told(client: RegisteredClient) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.to_builtins(client)
    return {**known, "jwks": msgspec.json.decode(client.jwks)} if client.jwks is not None else known
