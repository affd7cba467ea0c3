"""The operator's commands: what they print, and how they fail."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from risk_scorer.adapters.ip_table_format import _publish
from risk_scorer.assembly import assemble
from risk_scorer.cli import app
from risk_scorer.settings import Settings, load_settings
from risk_scorer.tables_cli import _target
from tests.integration.risk_scorer.published import PUBLIC_KEY, publish_model


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scorer's own place, and nothing that the machine happens to have set."""
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "signing.pub").write_bytes(PUBLIC_KEY)
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_PUBLIC_KEYS", str(tmp_path / "signing.pub"))
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("arguments", "changes", "said"),
    [
        (["serve"], {"RECENT_MAX": "none"}, "RECENT_MAX"),
        (["serve"], {"MFA_HMAC_SECRET": "supersecret"}, "MFA_HMAC_SECRET"),
        (["serve"], {"RISK_SCORER_STATE": "/proc/nowhere"}, "RISK_SCORER_STATE"),
        (["serve"], {"IP_OVERLAY": "/nowhere.toml"}, "nowhere.toml"),
        (["operator-link"], {"RISK_SCORER_STATE": "/proc/nowhere"}, "RISK_SCORER_STATE"),
        (["credentials", "add", "x", "--scope", "admin"], {}, "scope"),
        (["credentials", "add", "x", "--scope", ""], {}, "scope"),
        (["credentials", "add", "a\nb"], {}, "name"),
        (["credentials", "revoke", "nobody"], {}, "no active credential"),
        (["model", "show"], {"MODEL_PUBLIC_KEYS": "neither"}, "MODEL_PUBLIC_KEYS"),
    ],
)
def test_wrong_input_is_one_line_and_status_two(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], changes: dict[str, str], said: str
) -> None:
    """Operators read what is wrong, not where our code stood, and never a secret."""
    publish_model(place / "models")
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    done = run(*arguments)
    assert done.exit_code == 2
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("risk-scorer: ")
    assert said in line
    assert "supersecret" not in done.output


def test_a_file_that_is_no_database_is_named(place: Path) -> None:
    """A damaged state stops the start with one line instead of a traceback."""
    (place / "scorer").mkdir(mode=0o700)
    (place / "scorer" / "scorer.db").write_bytes(b"this is not a database, however long it may be" * 100)
    done = run("credentials", "list")
    assert done.exit_code == 2
    assert done.stderr.startswith("risk-scorer: the database in RISK_SCORER_STATE cannot be opened: ")


def test_credentials_are_shown_once_and_listed_without_themselves(place: Path) -> None:
    """`add` prints the text; `list` prints names, scopes and state."""
    text = run("credentials", "add", "gateway", "--scope", "score, outcomes").stdout.strip()
    assert text.startswith("rgs_")
    listed = run("credentials", "list").stdout
    assert listed.startswith("gateway\toutcomes,score\tsince ")
    assert text not in listed
    assert run("credentials", "add", "gateway").exit_code == 2
    assert run("credentials", "revoke", "gateway").stdout == "revoked\n"
    assert "revoked" in run("credentials", "list").stdout


def test_an_operator_link_leads_to_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call prints another link."""
    monkeypatch.setenv("RISK_SCORER_PUBLIC_URL", "https://scorer.example.com/")
    first, second = run("operator-link").stdout, run("operator-link").stdout
    assert first.startswith("https://scorer.example.com/operator/sign-in?token=")
    assert first != second


def test_the_model_command_checks_as_the_service_does(place: Path) -> None:
    """A good model's manifest is printed; a missing or damaged one is refused with its reason."""
    assert (run("model", "show").exit_code, "no signed model" in run("model", "show").stderr) == (1, True)
    publish_model(place / "models")
    assert '"model_version"' in run("model", "show").stdout
    (place / "models" / "encoders.json").write_bytes(b"{}")
    refused = run("model", "show")
    assert (refused.exit_code, "hash_mismatch" in refused.stderr) == (1, True)


def test_the_state_is_closed_to_others_whoever_makes_it_first(place: Path) -> None:
    """The address tables and the look-ups' cache are written below it, sometimes before the database."""
    settings = load_settings(risk_scorer_state=place / "first")
    assert _target(settings, None).parent == place / "first"
    _publish(_target(settings, None) / "ip_tables.bin", b"tables")
    other = load_settings(risk_scorer_state=place / "second")
    assemble(other).database.close()
    assert [(place / name).stat().st_mode & 0o777 for name in ("first", "second")] == [0o700, 0o700]


GIVEN = "rgs_" + "aB3-_" * 8 + "xyz"


def test_a_given_credential_is_taken_as_often_as_it_is_given(place: Path) -> None:
    """What a container is told by its environment is registered at each start, and stays the same one."""

    def give(text: str, *options: str) -> Result:
        return CliRunner().invoke(app, ["credentials", "add", "gateway", *options, "--stdin"], input=text)

    for text in (GIVEN, GIVEN + "\n"):
        assert give(text, "--scope", "score,outcomes").exit_code == 0
    assert run("credentials", "list").stdout.count("gateway\toutcomes,score") == 1
    assert GIVEN not in run("credentials", "list").stdout
    scorer = assemble(load_settings())
    try:
        caller = scorer.credentials.caller(GIVEN)
    finally:
        scorer.database.close()
    assert caller is not None
    assert caller.scopes == {"score", "outcomes"}
    assert "choose another" in give(GIVEN, "--scope", "score").stderr
    assert "choose another" in give(GIVEN.replace("x", "y"), "--scope", "score,outcomes").stderr


@pytest.mark.parametrize("text", ["", "password", GIVEN[:-1], GIVEN + "a", "rgx_" + GIVEN[4:], GIVEN[:-1] + "é"])
def test_a_given_credential_must_be_as_strong_as_ours(place: Path, text: str) -> None:
    """In form: whoever makes it draws it from 256 random bits."""
    done = CliRunner().invoke(app, ["credentials", "add", "gateway", "--stdin"], input=text)
    assert done.exit_code == 2
    assert "43" in done.stderr
    assert not text or text not in done.output
