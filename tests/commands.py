"""The engineers' commands as tests see them: run in this process, with the options that the app itself lists.

What is derived from the app here holds for a command that is added tomorrow too.
"""

import contextlib
import io
import resource
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner, Result

from training.cli import app, main

OUTPUTS = frozenset({"--out", "--output", "--report", "--json-out"})
"""Options that name a file to write."""
TEXTS = {"--reason": "a test", "--people": "50", "--rows": "600"}


def run(*arguments: object) -> Result:
    """One command, in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@cache
def commands() -> dict[str, Any]:
    """Every command by its name."""
    found: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return found


def options(name: str) -> dict[str, Any]:
    """A command's options by each of their spellings."""
    return {spelling: option for option in commands()[name].params for spelling in option.opts}


def filled(name: str, place: Path, **given: object) -> list[object]:
    """Arguments with which the command can be called: all that it requires, and places below `place` for all files.

    `given` overrides, by the option's name without dashes.
    """
    asked: list[object] = [name]
    for parameter in commands()[name].params:
        spelling = parameter.opts[-1]
        if not spelling.startswith("--"):
            asked.append(given.get(spelling, "0123456789ab")) if parameter.required or spelling in given else None
        elif spelling.strip("-").replace("-", "_") in given:
            asked += [spelling, given[spelling.strip("-").replace("-", "_")]]
        elif parameter.required or spelling in ("--model-dir", "--key", "--public-key", "--registry"):
            asked += [spelling, TEXTS.get(spelling, place / spelling.strip("-"))]
    return asked


def assert_declined(result: Result, code: str = "", *, status: int = 2) -> None:
    """One line with a stable code on standard error, nothing on standard output, and the status."""
    assert result.exit_code == status, (result.output, result.exception)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.startswith(f"error {code}: " if code else "error ")


def everything_below(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder under a place, with the files' bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@contextlib.contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """No file can grow beyond this many bytes, as on a disk that is full.

    Python would cut the compiled modules that it caches without saying so: meanwhile it caches none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    caches, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = caches


def run_interrupted(*arguments: object, after_seconds: float) -> tuple[int, str, str]:
    """Status, standard output and standard error of a command that gets Ctrl-C after so much time of the processor.

    It comes no more when the command has ended before.
    """
    before = {name: signal.getsignal(name) for name in (signal.SIGPROF, signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signal.SIGINT))
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["risk-training", *map(str, arguments)])
        signal.setitimer(signal.ITIMER_PROF, after_seconds)
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            for name, handler in before.items():
                signal.signal(name, handler)
    return status, out.getvalue(), err.getvalue()
