"""`risk-training doctor`: each thing that can be wrong has a code and a remedy, and looking changes nothing."""

import base64
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from risk_scorer.adapters.registry_places import FolderPlace
from tests.commands import everything_below, run
from tests.integration.training.registered_models import card, desk, published
from tests.unit.risk_scorer.core.stored_model import KEY
from training.doctor import machine
from training.publish import signing_key

Told = dict[str, tuple[str, str]]


@pytest.fixture
def place(tmp_path: Path, trained_models: Path) -> Path:
    """A folder with a key and the model that it signed."""
    shutil.copytree(trained_models, tmp_path / "models")
    for half in ("signing.key", "signing.pub"):
        shutil.copy2(trained_models.parent / "training" / half, tmp_path)
    return tmp_path


def looked(place: Path, *more: object) -> tuple[int, Told]:
    """Status, and level and remedy by code."""
    result = run(
        "doctor", "--model-dir", place / "models", "--registry", place / "registry", "--key", place / "signing.key",
        "--public-key", place / "signing.pub", "--json", *more,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["sound"] == (result.exit_code == 0)
    return result.exit_code, {found["code"]: (found["level"], found["remedy"]) for found in told["findings"]}


def test_a_sound_place_is_said_to_be(place: Path) -> None:
    """Key, model, engine, disk: all are named, and nothing was changed by looking."""
    before = everything_below(place)
    status, told = looked(place)
    assert status == 0
    good = {"versions", "engine_duckdb", "disk", "signing_key", "public_key", "model"}
    assert {code for code, (level, _) in told.items() if level == "good"} >= good
    assert told["registry_empty"][0] == "note"
    assert everything_below(place) == before


def test_a_missing_library_for_campaigns_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and no problem of who trains."""
    assert looked(place)[1]["campaign_library"] == ("good", "")
    monkeypatch.setitem(sys.modules, "graspologic_native", None)
    status, told = looked(place)
    assert (status, told["campaign_library_missing"][0]) == (0, "note")
    assert "riskgate[campaigns]" in told["campaign_library_missing"][1]


def test_a_new_place_has_no_problem_yet(tmp_path: Path) -> None:
    """Before the first training there is no key and no model; that is told, with what makes them."""
    status, told = looked(tmp_path)
    assert status == 0
    assert told["no_signing_key"] == ("note", "nothing: the first `train` makes it")
    assert told["no_public_key"][0] == "note"
    assert everything_below(tmp_path) == {}


def _expose(place: Path) -> None:
    (place / "signing.key").chmod(0o640)


def _cut_key(place: Path) -> None:
    (place / "signing.key").write_text("AAAA")


def _other_key(place: Path) -> None:
    (place / "signing.key").unlink()
    signing_key(place / "other.key")
    shutil.copy2(place / "other.key", place / "signing.key")


def _no_public(place: Path) -> None:
    (place / "signing.pub").write_text("junk")


def _flip(place: Path) -> None:
    path = place / "models" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"riskgate-model", b"riskgate-modem", 1))


def _another_signer(place: Path) -> None:
    signing_key(place / "signer.key")
    shutil.copy2(place / "signer.pub", place / "signing.pub")
    shutil.copy2(place / "signer.key", place / "signing.key")


def _file_as_registry(place: Path) -> None:
    (place / "registry" / "journal").mkdir(parents=True)
    (place / "registry" / "journal" / "000000000001.json").write_text("{}")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_expose, "key_exposed"),
        (_cut_key, "bad_signing_key"),
        (_other_key, "public_key_differs"),
        (_no_public, "bad_public_key"),
        (_flip, "bad_signature"),
        (_another_signer, "untrusted_key"),
        (_file_as_registry, "bad_journal"),
    ],
)
def test_what_is_wrong_has_a_code_and_a_remedy(damage: Callable[[Path], None], code: str, place: Path) -> None:
    """Each is a problem, status 3, and says what to do."""
    assert code not in looked(place)[1]
    damage(place)
    status, told = looked(place)
    assert status == 3
    assert told[code][0] == "problem"
    assert told[code][1]


def _put_back(pointer: Path, old: bytes) -> None:
    pointer.write_bytes(old)


def _take_away(pointer: Path, _: bytes) -> None:
    pointer.unlink()


@pytest.mark.parametrize("name", ["active", "shadow"])
@pytest.mark.parametrize("damage", [_put_back, _take_away])
def test_a_pointer_that_is_not_the_journals_is_a_problem(
    damage: Callable[[Path, bytes], None], name: str, tmp_path: Path
) -> None:
    """Scorers refuse an old one that was put back; the remedy that is told is one."""
    (tmp_path / "signing.key").write_bytes(base64.b64encode(KEY.private_bytes_raw()))
    (tmp_path / "signing.key").chmod(0o600)
    signing_key(tmp_path / "signing.key")
    place = FolderPlace(tmp_path / "registry")
    pointer = tmp_path / "registry" / "pointers" / f"{name}.json"
    stood = []
    for seed in (1, 2):
        published(tmp_path / f"models-{seed}", card(), seed=seed)
        version, _ = desk(place).register(tmp_path / f"models-{seed}")
        desk(place).shadow(version) if name == "shadow" else desk(place).promote(version, max_data_age_days=9999.0)
        stood.append(pointer.read_bytes())
    assert looked(tmp_path)[1][f"{name}_model"][0] == "good"
    damage(pointer, stood[0])
    status, told = looked(tmp_path)
    assert (status, told["pointer_lags"][0]) == (3, "problem")
    remedy = told["pointer_lags"][1].partition(",")[0].split()[1:]
    assert run(*remedy, "--registry", tmp_path / "registry", "--key", tmp_path / "signing.key").exit_code == 0
    assert pointer.read_bytes() == stood[1]


@pytest.mark.parametrize(("days", "code"), [(1, "data_old"), (36_500, "data_age")])
def test_old_data_are_noted(days: int, code: str, place: Path) -> None:
    """What is old is for whoever runs it to say; it keeps nothing from working."""
    status, told = looked(place, "--max-data-age", days)
    assert status == 0
    assert code in told


def test_a_registry_that_cannot_be_is_a_problem(place: Path) -> None:
    """An address of no known kind is told, not guessed at."""
    result = run("doctor", "--registry", "gopher://models", "--public-key", place / "signing.pub", "--json")
    assert result.exit_code == 3
    assert "bad_registry" in result.stdout


@pytest.mark.parametrize(("more", "code"), [(1 << 60, "disk_low"), (0, "disk")])
def test_little_room_is_a_problem(more: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with less than is wanted is named with what is free there."""
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", more)
    found = list(machine.room(tmp_path / "not" / "yet" / "there", tmp_path))
    assert [finding.code for finding in found] == [code]
    assert str(tmp_path) in found[0].seen


def test_people_read_lines(place: Path) -> None:
    """Without --json each finding is a line, with an arrow before what to do."""
    (place / "signing.key").chmod(0o644)
    result = run("doctor", "--key", place / "signing.key", "--model-dir", place / "models")
    assert "problem" in result.stdout
    assert "→ chmod 600" in result.stdout
