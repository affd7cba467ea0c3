"""`risk-training shadow`: which version shadows is a signed pointer, and everything about it is in the journal."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.registry_places import FolderPlace
from tests.integration.training.registered_models import card, published
from tests.unit.risk_scorer.core.stored_model import KEY
from training.cli import app
from training.publish import public_bytes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The key to a registry that is not there yet."""
    raw = KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    (tmp_path / "signing.key").write_bytes(base64.b64encode(raw))
    return tmp_path


def run(place: Path, *arguments: object, key: str = "signing.key") -> Result:
    given = [*arguments, "--registry", place / "registry", "--key", place / key, "--json"]
    return CliRunner().invoke(app, [str(each) for each in given])


def registered(place: Path, seed: int) -> str:
    """One more version."""
    version = published(place / f"models-{seed}", card(), seed=seed)
    assert run(place, "register", "--model-dir", place / f"models-{seed}").exit_code == 0
    return version


def registry_of(place: Path) -> ModelRegistry:
    return ModelRegistry(FolderPlace(place / "registry"), [public_bytes(KEY)])


def test_a_version_is_named_changed_and_taken_away(place: Path) -> None:
    """Each change is an entry of the journal with who and why; saying it again is none."""
    one, two = registered(place, 1), registered(place, 2)
    asked: list[tuple[str, ...]] = [(two,), (two,), (one,), ("--off",), ("--off",)]
    told = [json.loads(run(place, "shadow", *what, "--by", "jane", "--reason", "ticket 12").stdout) for what in asked]
    assert [each["shadow"] for each in told] == [two, two, one, None, None]
    assert [each["previous"] for each in told] == [None, two, two, one, None]
    assert [each["was_so"] for each in told] == [False, True, False, False, True]
    entries = [entry for entry in registry_of(place).journal() if entry.kind == "shadow"]
    assert [entry.model_version for entry in entries] == [two, one, None]
    assert {(entry.by, entry.reason) for entry in entries} == {("jane", "ticket 12")}
    pointer = registry_of(place).pointer("shadow")
    assert pointer is not None
    assert pointer.model_version is None
    assert registry_of(place).pointer("active") is None


@pytest.mark.parametrize(
    ("arguments", "key", "status", "code"),
    [
        ((), "signing.key", 2, "error usage"),
        (("0123456789ab", "--off"), "signing.key", 2, "error usage"),
        (("0123456789ab",), "signing.key", 3, "refused no_such_version"),
        (("../../etc",), "signing.key", 3, "refused no_such_version"),
        (("--off",), "none.key", 2, "error no_signing_key"),
        (("--off", "--trusted", "none.pub"), "signing.key", 2, "error bad_public_key"),
    ],
)
def test_what_is_wrong_changes_nothing(
    place: Path, arguments: tuple[str, ...], key: str, status: int, code: str
) -> None:
    """One line with a stable code; the registry is as it was, and no key was made."""
    registered(place, 1)
    result = run(place, "shadow", *arguments, key=key)
    assert (result.exit_code, result.stderr.split(":")[0]) == (status, code)
    assert len(registry_of(place).journal()) == 1
    assert not (place / "none.key").exists()


def test_an_old_pointer_that_was_put_back_is_not_what_is_so(place: Path) -> None:
    """The journal says what shadows: scorers refuse the old pointer, so naming its version again is news."""
    one, pointer = registered(place, 1), place / "registry" / "pointers" / "shadow.json"
    assert run(place, "shadow", one).exit_code == 0
    old = pointer.read_bytes()
    assert run(place, "shadow", "--off").exit_code == 0
    for stands in (old, b"{"):
        pointer.write_bytes(stands)
        told = json.loads(run(place, "shadow", one).stdout)
        assert (told["previous"], told["was_so"]) == (None, False)
        newest = json.loads(pointer.read_bytes())
        assert (newest["model_version"], newest["sequence"]) == (one, len(registry_of(place).journal()))
        assert run(place, "shadow", "--off").exit_code == 0


def test_a_damaged_version_does_not_shadow(place: Path) -> None:
    """It is checked as a scorer would check it, before anything is signed."""
    version = registered(place, 1)
    (place / "registry" / "versions" / version / "encoders.json").write_bytes(b"{}")
    result = run(place, "shadow", version)
    assert (result.exit_code, result.stderr.split(":")[0]) == (3, "refused hash_mismatch")
    assert len(registry_of(place).journal()) == 1
