"""The engineers' command line. Each command parses, calls one step, says what came; a module here is a group of them.

Exit status: 0 done, 2 wrong usage or input, 3 refused, 4 an engine, registry or database is away, 1 a bug.
"""

from training.cli import calibration, comparing, fitting, judging, logs
from training.cli.frame import app

__all__ = ["app", "calibration", "comparing", "fitting", "judging", "logs", "main"]


def main() -> None:
    """Entry point of `risk-training`."""
    app()
