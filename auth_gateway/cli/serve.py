"""`auth-gateway serve`."""

import gc
from typing import Annotated

import typer

from auth_gateway.app import create_app
from auth_gateway.cli.console import NOT_NOW, advice, fail, settings_or_fail, unusable_state
from auth_gateway.opening import CannotStart
from plumbing.logs import configure_logging, is_for_people
from plumbing.refusals import Refused
from plumbing.serve import serve as serve_http


def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of AUTH_GATEWAY_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead of AUTH_GATEWAY_PORT.", min=1, max=65535)
    ] = None,
) -> None:
    """Serve until told to stop."""
    settings = settings_or_fail(auth_gateway_host=host, auth_gateway_port=port)
    gc.disable()  # until we are ready, all that is made stays
    configure_logging(settings.auth_gateway_log_level, pretty=is_for_people(settings.auth_gateway_log_format))
    try:
        app = create_app(settings, tell_ready=_settle)
    except CannotStart as error:
        fail(str(error))
    except OSError as error:
        fail(unusable_state(error))
    except Refused as refused:
        fail(advice(refused), NOT_NOW)
    serve_http(
        app,
        host=settings.auth_gateway_host,
        port=settings.auth_gateway_port,
        balancers=settings.trusted_proxies if settings.proxy_protocol else None,
    )


# A request leaves hardly any cycles, and a collection every 700 allocations took a twentieth of all its time.
GARBAGE_THRESHOLD = 20_000


def _settle(line: str) -> None:
    """What was loaded until now lives as long as the process: no garbage collection need look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()
    typer.echo(f"auth-gateway: {line}")
