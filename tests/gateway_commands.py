"""The gateway's commands in the tests' own process: one of its own takes longer to start than most tests run."""

from collections.abc import Mapping

from typer.testing import CliRunner, Result

from auth_gateway.cli import commands
from auth_gateway.settings import Settings


def gateway_command(environment: Mapping[str, str], *arguments: str) -> Result:
    """What came of the command, with the settings of that environment and no others."""
    unset = dict.fromkeys([*(name.upper() for name in Settings.model_fields), "AUTH_GATEWAY_CONFIG"])
    return CliRunner().invoke(commands([arguments[0]]), list(arguments), env={**unset, **environment})
