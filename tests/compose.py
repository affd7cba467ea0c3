"""`docker-compose.yml` as compose would read it: merged, with the variables of an `.env` put in."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "docker-compose.yml"
MAKE_ENV = Path("deploy") / "compose" / "make-env"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<kind>:[-?])(?P<rest>[^}]*)\}")


class Missing(KeyError):
    """A variable that must be given is not."""


@cache
def document() -> dict[str, Any]:
    """The file, with its anchors merged; not to be changed."""
    found: dict[str, Any] = YAML(typ="safe").load(COMPOSE.read_text(encoding="utf-8"))
    return found


def made_env(place: Path, profile: str, issuer: str = "https://login.example.com") -> dict[str, str]:
    """What make-env writes, run at that place."""
    script = place / MAKE_ENV
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / MAKE_ENV, script)
    subprocess.run(["sh", str(script), profile, issuer], check=True, capture_output=True, timeout=20)
    return dict(line.split("=", 1) for line in (place / ".env").read_text().splitlines())


def filled(value: Any, env: Mapping[str, str]) -> Any:
    """The value with every variable put in. Raises: Missing."""
    if isinstance(value, dict):
        return {key: filled(inner, env) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, env) for inner in value]
    return VARIABLE.sub(lambda match: _one(match, env), value).replace("$$", "$") if isinstance(value, str) else value


def _one(match: re.Match[str], env: Mapping[str, str]) -> str:
    given = env.get(match["name"], "")
    if not given and match["kind"] == ":?":
        raise Missing(match["name"])
    return given or (match["rest"] if match["kind"] == ":-" else "")


def services(profile: str) -> dict[str, dict[str, Any]]:
    """The services that this profile starts."""
    return {name: each for name, each in document()["services"].items() if profile in each["profiles"]}
