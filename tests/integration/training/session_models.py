"""A small session model of an invented log, fitted once for all tests that ask for one."""

import functools
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec
from typer.testing import CliRunner

from risk_scorer.adapters.published_folder import read_files
from risk_scorer.core.artefact import MANIFEST, SIGNATURE
from risk_scorer.core.session_model.manifest import decode, version_of
from risk_scorer.core.session_model.manifest import encode as written
from training.activity.files import simulate
from training.activity.log import Plan
from training.cli import app
from training.publish import publish, read_key, signature
from training.registry.session_gates import GATES

FITTED_ON, REPORTED_ON = 11, 12
"""Seeds: what is reported is never what was fitted on."""


ALL_GATES = [word for gate in GATES for word in ("--override", gate)]
WHY = ["--reason", "a try-out"]
_PLACE = tempfile.TemporaryDirectory(prefix="session-model-")
"""Until the process ends."""


class Made(NamedTuple):
    """Where the model, its keys and its log lie, and what training told."""

    folder: Path
    key: Path
    public_key: Path
    log: Path
    labels: Path
    told: dict[str, object]


@functools.cache
def small_model() -> Made:
    """The model; whoever changes its files takes a copy first."""
    place = Path(_PLACE.name)
    log, labels = simulated(place, seed=FITTED_ON)
    folder, key = place / "model", place / "keys" / "signing.key"
    asked = ("--kind", "session", "--input", log, "--labels", labels, "--model_dir", folder, "--key", key, "--seed", 1)
    told = json.loads(run("train", *asked, "--json").splitlines()[-1])
    return Made(folder, key, key.with_suffix(".pub"), log, labels, told)


def simulated(place: Path, *, seed: int, rows: int = 7_000, people: int = 100, days: int = 12) -> tuple[Path, Path]:
    """A small invented log and its labels."""
    log = place / f"log{seed}.csv"
    simulate(Plan(rows, people, days, seed), log, lambda step, share: None)
    return log, log.with_name(f"log{seed}.labels.jsonl")


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == status, result.output
    return result.output


def on(made: Made, registry: Path, *more: object) -> list[object]:
    return ["--kind", "session", "--registry", registry, *more]


def registered(registry: Path) -> tuple[Made, str]:
    """A registry with the small session model."""
    made = small_model()
    run("register", *on(made, registry, "--model_dir", made.folder, "--key", made.key))
    return made, str(made.told["model_version"])


def another_version(made: Made, registry: Path) -> str:
    """The same model under another name: signed again with one more note."""
    files = dict(read_files(made.folder))
    noted = msgspec.structs.replace(decode(files[MANIFEST]), notes=("another",))
    noted = msgspec.structs.replace(noted, model_version=version_of(noted))
    files[MANIFEST] = written(noted)
    files[SIGNATURE] = signature(files[MANIFEST], read_key(made.key))
    folder = registry.with_name(f"{registry.name}-another")
    publish(files, folder)
    run("register", *on(made, registry, "--model_dir", folder, "--key", made.key))
    return noted.model_version
