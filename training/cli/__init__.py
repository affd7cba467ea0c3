"""The engineers' command line. Each command parses, calls one step, says what came; a module here is a group of them.

Exit status: 0 done, 2 wrong usage or input, 3 refused, 4 an engine, registry or database is away, 1 a bug; 130 and 143
when it was interrupted or told to end, with nothing unfinished put in place.
"""

import signal
import sys
from types import FrameType

import typer

from training.cli import calibration, comparing, drifting, fitting, health, judging, labelling, logs, registering
from training.cli.frame import app

__all__ = [
    "app",
    "calibration",
    "comparing",
    "drifting",
    "fitting",
    "health",
    "judging",
    "labelling",
    "logs",
    "main",
    "registering",
]


def main() -> None:
    """Entry point of `risk-training`. Ctrl-C and being told to end stop a command wherever it is, and say so."""
    came: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` and scripts in the background have it
            signal.signal(number, stop)
    try:
        app()
    except BaseException as end:  # an interrupt within a library may come out as an error of the library
        if not came or (isinstance(end, SystemExit) and not end.code):
            raise
    typer.echo("interrupted: nothing unfinished was put in place", err=True)
    sys.exit(128 + came[0])
