"""`auth-gateway serve`."""

import gc
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from auth_gateway.app import create_app
from auth_gateway.cli.complaints import WRONG_INPUT, complain
from auth_gateway.cli.console import NOT_NOW, advice, fail, settings_or_fail, unusable_state
from auth_gateway.opening import CannotStart
from auth_gateway.settings import Settings
from plumbing.listening import MOST_WORKERS
from plumbing.logs import configure_logging, is_for_people
from plumbing.refusals import Refused
from plumbing.serve import configured, listening, serve_on
from plumbing.side_door import CannotListen
from plumbing.workers import run_workers


def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of AUTH_GATEWAY_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead of AUTH_GATEWAY_PORT.", min=1, max=65535)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes, instead of AUTH_GATEWAY_WORKERS.", min=1, max=MOST_WORKERS)
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="Told to stop, go on so long; instead of AUTH_GATEWAY_DRAIN_SECONDS.", min=0.0)
    ] = None,
) -> None:
    """Serve until told to stop."""
    settings = settings_or_fail(
        auth_gateway_host=host,
        auth_gateway_port=port,
        auth_gateway_workers=workers,
        auth_gateway_drain_seconds=drain_seconds,
    )
    gc.disable()  # until we are ready, all that is made stays
    configure_logging(settings.auth_gateway_log_level, pretty=is_for_people(settings.auth_gateway_log_format))
    status = _run(settings)
    if status:
        raise typer.Exit(status)


def _run(settings: Settings) -> int:
    with listening(settings.auth_gateway_host, settings.auth_gateway_port) as listener:
        return _serve(settings, listener)


def _serve(settings: Settings, listener: socket.socket) -> int:
    count, drain_seconds = settings.auth_gateway_workers, settings.auth_gateway_drain_seconds

    def answer(settings: Settings, tell_ready: Callable[[str], None]) -> int:
        try:
            app = create_app(settings, tell_ready=lambda line: _settle(tell_ready, line))
        except CannotStart as error:
            return _complained(str(error))
        except OSError as error:
            return _complained(unusable_state(error))
        except Refused as refused:
            return _complained(advice(refused), NOT_NOW)
        balancers = settings.trusted_proxies if settings.proxy_protocol else None
        config = configured(app, balancers=balancers)
        return serve_on(listener, config, drain_seconds=drain_seconds, is_worker=count > 1)

    if count == 1:
        return answer(settings, _tell)

    def answer_too(counts: Path, ready: Callable[[], None]) -> int:
        return answer(settings.model_copy(update={"prometheus_multiproc_dir": counts}), lambda _line: ready())

    try:
        return run_workers(
            answer_too,
            count=count,
            listener=listener,
            drain_seconds=drain_seconds,
            counts=settings.prometheus_multiproc_dir,
            door=settings.auth_gateway_metrics_listen,
            tell_ready=lambda: _tell(f"ready on {settings.public_url}, {count} workers"),
        )
    except CannotListen as error:
        fail(str(error))
    except OSError as error:
        fail(f"the workers cannot count together: {error.strerror}; name a directory in PROMETHEUS_MULTIPROC_DIR")


def _complained(text: str, status: int = WRONG_INPUT) -> int:
    complain(text)
    return status


def _tell(line: str) -> None:
    typer.echo(f"auth-gateway: {line}")


# A request leaves hardly any cycles, and a collection every 700 allocations took a twentieth of all its time.
GARBAGE_THRESHOLD = 20_000


def _settle(tell_ready: Callable[[str], None], line: str) -> None:
    """What was loaded until now lives as long as the process: no garbage collection need look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()
    tell_ready(line)
