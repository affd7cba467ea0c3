"""`risk-training shadow`: which version shadows is a signed pointer, and everything about it is in the journal."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from tests.integration.risk_scorer.published import KEY, PUBLIC_KEY
from tests.integration.risk_scorer.registered import Registered
from training.cli import app


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A registry and the keys to it."""
    raw = KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    (tmp_path / "signing.key").write_bytes(base64.b64encode(raw))
    (tmp_path / "signing.pub").write_bytes(base64.b64encode(PUBLIC_KEY))
    return tmp_path


def shadow(place: Path, *arguments: object, key: str = "signing.key", public_key: str = "signing.pub") -> Result:
    given = [
        "shadow", *arguments, "--registry", place / "registry", "--key", place / key,
        "--public-key", place / public_key, "--json",
    ]  # fmt: skip
    return CliRunner().invoke(app, [str(each) for each in given])


def test_a_version_is_named_changed_and_taken_away(place: Path) -> None:
    """Each change is an entry of the journal with who and why; saying it again is none."""
    registered = Registered(place / "registry")
    one, two = registered.add(1), registered.add(2)
    registered.point(one)
    told = [
        json.loads(shadow(place, *what, "--by", "jane", "--reason", "ticket 12").stdout)
        for what in ((two,), (two,), (one,), ("--off",), ("--off",))
    ]
    assert [each["shadow"] for each in told] == [two, two, one, None, None]
    assert [each["before"] for each in told] == [None, two, two, one, None]
    assert [each["changed"] for each in told] == [True, False, True, True, False]
    journal = registered.registry.journal()
    assert [(entry.kind, entry.model_version) for entry in journal[1:]] == [
        ("shadow", two),
        ("shadow", one),
        ("shadow", None),
    ]
    assert {(entry.by, entry.reason) for entry in journal[1:]} == {("jane", "ticket 12")}
    active, pointer = registered.registry.pointer("active"), registered.registry.pointer("shadow")
    assert active is not None
    assert active.model_version == one
    assert pointer is not None
    assert (pointer.model_version, pointer.previous) == (None, one)


@pytest.mark.parametrize(
    ("arguments", "changes", "code"),
    [
        ((), {}, "usage"),
        (("0123456789ab", "--off"), {}, "usage"),
        (("0123456789ab",), {}, "no_model"),
        (("../../etc",), {}, "no_model"),
        (("--off",), {"key": "none.key"}, "no_signing_key"),
        (("--off",), {"key": "signing.pub"}, "bad_signing_key"),
        (("--off",), {"public_key": "none.pub"}, "bad_public_key"),
        (("--off",), {"public_key": "other.pub"}, "untrusted_key"),
    ],
)
def test_what_is_wrong_changes_nothing(
    place: Path, arguments: tuple[str, ...], changes: dict[str, str], code: str
) -> None:
    """One line with a stable code, exit 2; the registry is as it was."""
    registered = Registered(place / "registry")
    registered.point(registered.add(1))
    (place / "other.pub").write_bytes(base64.b64encode(bytes(range(32))))
    result = shadow(place, *arguments, **changes)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error {code}: ")
    assert len(registered.registry.journal()) == 1
    assert not (place / "none.key").exists()


def test_a_damaged_version_does_not_shadow(place: Path) -> None:
    """It is checked as a scorer would check it, before anything is signed."""
    registered = Registered(place / "registry")
    version = registered.add(1)
    (place / "registry" / "versions" / version / "encoders.json").write_bytes(b"{}")
    result = shadow(place, version)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error hash_mismatch")
    assert registered.registry.journal() == []
