"""`risk-scorer serve`."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from plumbing.listening import MOST_WORKERS
from plumbing.logs import configure_logging, is_for_people
from risk_scorer.settings import BadSettings, Settings, load_settings

WRONG_INPUT = 2


def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of RISK_SCORER_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of RISK_SCORER_PORT.", min=1, max=65535)] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes, instead of RISK_SCORER_WORKERS.", min=1, max=MOST_WORKERS)
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="Told to stop, go on so long; instead of RISK_SCORER_DRAIN_SECONDS.", min=0.0)
    ] = None,
) -> None:
    """Serve until told to stop."""
    gc.disable()  # until we are ready, all that is made stays
    given = {
        "risk_scorer_host": host,
        "risk_scorer_port": port,
        "risk_scorer_workers": workers,
        "risk_scorer_drain_seconds": drain_seconds,
    }
    try:
        settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    except BadSettings as error:
        _fail(str(error))
    configure_logging(settings.risk_scorer_log_level, pretty=is_for_people(settings.risk_scorer_log_format))
    status = _run(settings)
    if status:
        raise typer.Exit(status)


def _run(settings: Settings) -> int:
    from plumbing.serve import listening

    with listening(settings.risk_scorer_host, settings.risk_scorer_port) as listener:
        return _serve(settings, listener)


def _serve(settings: Settings, listener: socket.socket) -> int:
    from plumbing.serve import configured, serve_on
    from plumbing.side_door import CannotListen
    from plumbing.workers import run_workers
    from risk_scorer.adapters.storage import BadStorage, serve_alone
    from risk_scorer.app import create_app  # starts numpy and numba: only where needed
    from risk_scorer.assembly import CannotStart

    count, drain_seconds = settings.risk_scorer_workers, settings.risk_scorer_drain_seconds

    def answer(settings: Settings, tell_ready: Callable[[str], None]) -> int:
        try:
            service = create_app(settings, tell_ready=tell_ready)
            if not settings.is_shared:
                serve_alone(settings.risk_scorer_state)
        except (CannotStart, BadStorage) as error:
            typer.echo(f"risk-scorer: {error}", err=True)
            return WRONG_INPUT
        config = configured(service, tls=settings.tls_identity, callers_authority=settings.risk_scorer_client_ca_file)
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
            door=settings.risk_scorer_metrics_listen,
            tell_ready=lambda: _tell(f"ready on {settings.public_url}, {count} workers"),
        )
    except CannotListen as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"the workers cannot count together: {error.strerror}; name a directory in PROMETHEUS_MULTIPROC_DIR")


def _tell(line: str) -> None:
    typer.echo(f"risk-scorer: {line}")


def _fail(text: str) -> NoReturn:
    typer.echo(f"risk-scorer: {text}", err=True)
    raise typer.Exit(WRONG_INPUT)
