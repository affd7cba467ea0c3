"""The scorer's commands in the tests' own process: one of its own takes longer to start than most tests run."""

from collections.abc import Mapping

from typer.testing import CliRunner

from risk_scorer.cli import app
from risk_scorer.settings import Settings


def scorer_command(environment: Mapping[str, str], *arguments: str) -> str:
    """What the command printed, with the settings of that environment and no others."""
    unset = dict.fromkeys([*(name.upper() for name in Settings.model_fields), "RISK_SCORER_CONFIG"])
    done = CliRunner().invoke(app, list(arguments), env={**unset, **environment})
    assert done.exit_code == 0, done.stderr
    return done.stdout


def new_operator_link(environment: Mapping[str, str]) -> str:
    """A link that opens the dashboard once."""
    return scorer_command(environment, "operator-link").strip()


def new_credential(environment: Mapping[str, str], name: str, scopes: str) -> str:
    """A credential for the scorer's API."""
    return scorer_command(environment, "credentials", "add", name, "--scope", scopes).strip()
