"""The registry's commands: what each prints, and with which status it ends."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from tests.integration.training.registered_models import card, published
from tests.unit.risk_scorer.core.stored_model import KEY
from training.card import rate
from training.cli import app
from training.publish import signing_key


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """A command with the registry and the key of this test."""
    raw = KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    (tmp_path / "signing.key").write_bytes(base64.b64encode(raw))
    signing_key(tmp_path / "signing.key")
    keys = {"list": "--public_key", "show": "--public_key"}

    def running(command: str, *arguments: str, registry: str = "registry", **_: Any) -> Result:
        option = keys.get(command, "--key")
        key = tmp_path / ("signing.pub" if option == "--public_key" else "signing.key")
        return CliRunner().invoke(app, [command, *arguments, "--registry", str(tmp_path / registry), option, str(key)])

    return running


@pytest.fixture
def add(run: Callable[..., Result], tmp_path: Path) -> Callable[..., str]:
    def adding(seed: int, **changes: Any) -> str:
        version = published(tmp_path / f"models-{seed}", card(**changes), seed=seed)
        assert run("register", "--model_dir", str(tmp_path / f"models-{seed}")).exit_code == 0
        return version

    return adding


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


OLD = ("--max-data-age", "1e9")


def test_a_version_goes_from_register_to_rollback(run: Callable[..., Result], add: Callable[..., str]) -> None:
    """One JSON object on standard output each time."""
    first, second = add(1), add(2)
    assert told(run("promote", first, *OLD, "--json"))["active"] == first
    promoted = told(run("promote", second, *OLD, "--reason", "better", "--json"))
    assert (promoted["active"], promoted["previous"]) == (second, first)
    assert set(promoted["gates"]) == {"budget_step_up", "budget_deny", "recall", "dead_feature", "data_age"}
    assert told(run("promote", second, *OLD, "--json"))["was_active"] is True
    states = {row["model_version"]: row["state"] for row in told(run("list", "--json"))["versions"]}
    assert states == {first: "registered", second: "active"}
    assert told(run("rollback", "--json"))["active"] == first
    assert told(run("show", "active", "--json"))["model_version"] == first


def test_people_read_the_card_and_the_journal(run: Callable[..., Result], add: Callable[..., str]) -> None:
    """Intervals, what was not tested, and who did what."""
    version = add(1)
    run("promote", version, *OLD, "--reason", "to begin with", "--by", "ann")
    text = run("show", version).output
    for part in ("10 of 5000, 0.20% (0.10% to 0.37%)", "not tested: Attacks", "promote by ann: to begin with"):
        assert part in text
    assert version in run("list").output


def test_a_refused_promotion_says_which_gates_and_ends_with_three(
    run: Callable[..., Result], add: Callable[..., str]
) -> None:
    """Old data by default; with the gate overridden and a reason it is done."""
    version = add(1, denied=2)
    refused = run("promote", version)
    assert refused.exit_code == 3
    assert refused.stderr.startswith("refused gates_not_passed: budget_deny: ")
    assert "data_age: " in refused.stderr
    gates = ("--override", "data_age", "--override", "budget_deny")
    assert told(run("promote", version, *gates, "--reason", "a drill", "--json"))["overridden"] == [
        "budget_deny", "data_age",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("promote", "0123456789ab"), 3, "no_such_version"),
        (("promote", "active"), 3, "no_such_version"),
        (("promote", "../../etc"), 3, "no_such_version"),
        (("promote", "0123456789ab", "--override", "signature", "--reason", "x"), 2, "unknown_gate"),
        (("promote", "0123456789ab", "--override", "recall"), 2, "no_reason"),
        (("promote", "0123456789ab", "--override", "recall", "--reason", " "), 2, "no_reason"),
        (("rollback",), 3, "no_previous"),
        (("rollback", "--reason", "x" * 1001), 2, "long_reason"),
        (("show", "shadow"), 3, "no_such_version"),
        (("register", "--model_dir", "nowhere"), 2, "no_model"),
        (("rollback", "--reason", "\udcff"), 2, "bad_text"),
        (("rollback", "--by", "\udcff"), 2, "bad_text"),
        (("promote", "a\nrefused nothing: \x1b[31m"), 3, "no_such_version"),
        (("promote", "x" * 100_000), 3, "no_such_version"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_code(
    run: Callable[..., Result], arguments: tuple[str, ...], status: int, code: str
) -> None:
    """2 for what was asked wrongly, 3 for what is refused."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert f" {code}: " in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.removesuffix("\n").isprintable()
    assert len(result.stderr) < 3000


def _a_file(place: Path) -> None:
    place.write_text("mine")


def _a_link_to_nowhere(place: Path) -> None:
    place.symlink_to(place.with_name("nowhere"))


def _a_file_within(place: Path) -> None:
    place.mkdir()
    (place / "journal").write_text("mine")


@pytest.mark.parametrize(
    ("stand", "code"),
    [(_a_file, "bad_registry"), (_a_link_to_nowhere, "denied_place"), (_a_file_within, "denied_place")],
)
def test_a_registry_that_cannot_be_written_is_wrong_input(
    run: Callable[..., Result], tmp_path: Path, stand: Callable[[Path], None], code: str
) -> None:
    """Asking again, which status 4 invites to, would help nobody."""
    stand(tmp_path / "registry")
    published(tmp_path / "models", card())
    result = run("register", "--model_dir", str(tmp_path / "models"))
    assert (result.exit_code, result.stdout, result.stderr.split(":")[0]) == (2, "", f"error {code}")
    assert result.stderr.count("\n") == 1


def test_what_stands_in_a_journal_or_a_card_moves_no_terminal(run: Callable[..., Result], tmp_path: Path) -> None:
    """A name with a line break would write a line of the journal that nobody signed; groups come from logs."""
    version = published(tmp_path / "models", card(groups={"browser": {"\x1b[2J": rate(1, 100)}}))
    assert run("register", "--model_dir", str(tmp_path / "models"), "--by", "eve\n2  promote by ann").exit_code == 0
    for text in (run("show", version).output, run("list").output):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "eve 2  promote by ann" in text


@pytest.mark.parametrize("command", [("list",), ("rollback",), ("show", "active")])
def test_a_registry_that_does_not_answer_ends_with_four(
    run: Callable[..., Result], command: tuple[str, ...], tmp_path: Path
) -> None:
    """A file stands where the folder of the journal should be readable."""
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "journal").symlink_to(tmp_path / "registry" / "journal")
    result = run(*command)
    assert (result.exit_code, result.stderr.split(":")[0]) == (4, "error registry_unavailable")


def test_without_a_signing_key_nothing_is_written(tmp_path: Path) -> None:
    """A key that were made here would be one that no scorer trusts."""
    arguments = ["rollback", "--registry", str(tmp_path / "registry"), "--key", str(tmp_path / "none.key")]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert result.stderr.startswith("error no_signing_key: ")


@pytest.mark.parametrize("address", ["simplecache::s3://bucket", "nothing://here", "", "zip://no-such-file"])
def test_an_address_that_nothing_opens_is_wrong_input(tmp_path: Path, address: str) -> None:
    """Chained addresses among them: a cache in between would show yesterday's pointer."""
    raw = KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    (tmp_path / "signing.key").write_bytes(base64.b64encode(raw))
    result = CliRunner().invoke(app, ["rollback", "--registry", address, "--key", str(tmp_path / "signing.key")])
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error bad_registry")


def test_newest_names_the_version_that_was_registered_last(run: Callable[..., Result], add: Callable[..., str]) -> None:
    """Nobody copies twelve digits to promote, show or shadow what has just been registered."""
    empty = run("show", "newest")
    assert (empty.exit_code, empty.stderr) == (3, "refused no_such_version: no version is registered\n")
    first, second = add(1), add(2)
    assert told(run("show", "newest", "--json"))["model_version"] == second
    assert told(run("shadow", "newest", "--json"))["shadow"] == second
    assert told(run("promote", "newest", *OLD, "--json"))["active"] == second
    assert told(run("promote", first, *OLD, "--json"))["previous"] == second
