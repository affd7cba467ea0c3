"""The first run: from nothing to a gateway that people can sign in at."""

import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
PASSWORD = b"tidal amber cactus\n"
WHO = ("--issuer", "https://id.example.com", "--admin", "ada", "--password-stdin")
SHOP = ("--client", "shop", "--redirect-uri", "https://shop.example.com/cb")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings will be."""
    monkeypatch.delenv("AUTH_GATEWAY_STATE", raising=False)
    return tmp_path / "gateway.toml"


def test_a_gateway_is_set_up_by_one_command(run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings for their owner's eyes alone, an account with its authenticator, an application with its secret."""
    given = (*WHO, *SHOP, "--email", "ada@example.com", "--smtp-url", "smtp://mail.example.com:587")
    status, output, errors = run(
        "init", "--config", str(config), *given, "--mail-from", "id@example.com", stdin=PASSWORD
    )
    assert (status, errors) == (0, "")
    assert "otpauth://totp/" in output
    assert "\nrgc_" in output
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    settings = tomllib.loads(config.read_text())
    assert settings["jwt_issuer"] == "https://id.example.com"
    assert settings["smtp_url"] == "smtp://mail.example.com:587"
    monkeypatch.setenv("AUTH_GATEWAY_CONFIG", str(config))
    assert run("users", "list")[1].startswith("ada\t")
    assert run("clients", "list")[1].startswith("shop")
    assert "signing" in run("keys", "list")[1]


def test_settings_that_are_there_are_never_overwritten(run: Run, config: Path) -> None:
    """Nothing else is touched either."""
    config.write_text("# mine\n")
    status, _, errors = run("init", "--config", str(config), *WHO, stdin=PASSWORD)
    assert (status, "is there already" in errors) == (2, True)
    assert config.read_text() == "# mine\n"
    assert list(config.parent.glob("riskgate-state")) == []


def test_what_is_missing_is_named_where_nobody_can_be_asked(run: Run, config: Path) -> None:
    """One line with the option that helps."""
    for given, option in (
        ((), "--issuer"),
        (("--issuer", "https://id.example.com"), "--admin"),
        (WHO[:4], "--password-stdin"),
        ((*WHO, "--client", "shop"), "--redirect-uri"),
        ((*WHO, "--smtp-url", "smtp://mail.example.com"), "--mail-from"),
    ):
        status, _, errors = run("init", "--config", str(config), *given, stdin=PASSWORD)
        assert (status, option in errors, errors.count("\n")) == (2, True, 1), errors


@pytest.mark.parametrize(
    ("given", "password"),
    [
        (("--issuer", "id.example.com"), PASSWORD),
        (("--issuer", "http://id.example.com"), PASSWORD),
        (("--issuer", "https://id.example.com/"), PASSWORD),
        (("--admin", "a da"), PASSWORD),
        (("--email", "nobody"), PASSWORD),
        (("--client", "shop", "--redirect-uri", "http://shop.example.com/cb"), PASSWORD),
        (("--smtp-url", "http://mail.example.com", "--mail-from", "id@example.com"), PASSWORD),
        ((), b"seven77\n"),
        ((), b"ada.ada.ada\n"),
    ],
)
def test_what_cannot_work_is_refused_before_settings_are_written(
    run: Run, config: Path, given: tuple[str, ...], password: bytes
) -> None:
    """One line; the file is not there, so that the command can be given again."""
    status, _, errors = run("init", "--config", str(config), *WHO, *given, stdin=password)
    assert (status, errors.count("\n")) == (2, 1), errors
    assert not config.exists()


def test_a_second_try_goes_on_where_the_first_one_stopped(run: Run, config: Path) -> None:
    """An account and an application that were made stay as they are."""
    assert run("init", "--config", str(config), *WHO, *SHOP, stdin=PASSWORD)[0] == 0
    config.unlink()
    status, output, _ = run("init", "--config", str(config), *WHO, *SHOP, stdin=b"another tidal cactus\n")
    assert status == 0
    assert output.count("stays as it is") == 2
    assert "rgc_" not in output
