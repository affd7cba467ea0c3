"""What a process loads before it does anything: a command pays for nothing that only the server needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Half a second and more together: the web framework, the migrations, the numbers, the pages, passkeys; and an object
# mapper, which nothing needs.
FOR_SERVING = {
    "alembic",
    "authlib",
    "fastapi",
    "jinja2",
    "numba",
    "numpy",
    "sqlalchemy.orm",
    "ua_parser",
    "uvicorn",
    "webauthn",
}
RUN = """
import contextlib, io, json, sys
from {package}.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(json.dumps(sorted(sys.modules)))
"""


def loaded(package: str, *arguments: str, state: Path) -> set[str]:
    """The modules that a command has loaded when it ends."""
    run = subprocess.run(
        [sys.executable, "-c", RUN.format(package=package), *arguments],
        cwd=ROOT,
        env={**os.environ, "AUTH_GATEWAY_STATE": str(state), "RISK_SCORER_STATE": str(state)},
        capture_output=True,
        check=True,
    )
    return set(json.loads(run.stdout))


def test_the_overview_loads_next_to_nothing(tmp_path: Path) -> None:
    """`auth-gateway --help` reads neither settings nor database."""
    heavy = FOR_SERVING | {"cryptography", "pydantic", "sqlalchemy", "structlog"}
    assert loaded("auth_gateway", "--help", state=tmp_path) & heavy == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "users list",
        *(pytest.param(more, marks=pytest.mark.long) for more in ("webhooks list", "clients list", "keys list")),
        "sessions list",
    ],
)
def test_a_command_loads_nothing_that_only_the_server_needs(tmp_path: Path, arguments: str) -> None:
    """What is asked of a gateway that has been started before comes without the web framework and the migrations."""
    from tests.migrated import migrated

    migrated(tmp_path / "gateway.db")
    assert loaded("auth_gateway", *arguments.split(), state=tmp_path) & FOR_SERVING == set()
