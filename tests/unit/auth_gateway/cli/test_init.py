"""The first run: from nothing to a gateway that people can sign in at."""

import os
import stat
import subprocess
import sys
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


AT_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from auth_gateway import cli
sys.argv = ["auth-gateway", "init", "--config", sys.argv[1]]
cli.main()
"""


def typed(config: Path, answers: list[str]) -> tuple[int, str]:
    """What somebody at a terminal sees who gives these answers, each when it is asked for; and the status."""
    ours, its = os.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AUTH_GATEWAY", "JWT_"))}
    command = [sys.executable, "-c", AT_A_TERMINAL, str(config)]
    seen, waiting = "", list(answers)
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    ) as process:
        os.close(its)
        while True:
            try:
                seen += os.read(ours, 65_536).decode()
            except OSError:  # it has gone, and its side of the terminal with it
                break
            if waiting and seen.endswith(": "):
                os.write(ours, f"{waiting.pop(0)}\n".encode())
    os.close(ours)
    assert waiting == [], seen
    return process.returncode, seen


def test_whoever_mistypes_an_answer_is_asked_for_it_again_at_once(config: Path) -> None:
    """With what to do about it; everything else that was answered stays, and nothing has to be begun anew."""
    mistyped = [
        ("id.example.com", "must be an address such as https://id.example.com"),
        ("http://id.example.com", "must be an https address, or http on localhost"),
        ("https://id.example.com", ""),
        ("a da", "use letters, digits and signs without spaces"),
        ("ada", ""),
        ("ada@", "give one such as ada@example.com"),
        ("ada@example.com", ""),
        ("mail.example.com", "must be a mail server such as smtp://"),
        ("smtp://mail.example.com", ""),
        ("x", "must be a mail address such as login@example.com"),
        ("id@example.com", ""),
        ("my shop", "1 to 64 letters, digits"),
        ("shop", ""),
        ("http://shop.example.com/cb", "an address is https"),
        ("https://shop.example.com/cb", ""),
        *[("short", "")] * 2,
        *[("tidal amber cactus", "")] * 2,
    ]
    status, seen = typed(config, [given for given, _ in mistyped])
    assert status == 0, seen
    assert [said for _, said in mistyped if said not in seen] == []
    assert "at least 8 characters" in seen
    settings = tomllib.loads(config.read_text())
    assert (settings["jwt_issuer"], settings["mail_from"]) == ("https://id.example.com", "id@example.com")


def test_a_refused_option_is_named_as_it_was_given(run: Run, config: Path) -> None:
    """Nobody has heard of JWT_ISSUER at this point."""
    for given, said in (
        (("--issuer", "http://id.example.com"), "--issuer: must be an https address"),
        (("--smtp-url", "mail.example.com"), "--smtp-url: must be a mail server"),
        (("--smtp-url", "smtp://mail.example.com", "--mail-from", "x"), "--mail-from: must be a mail address"),
        (("--email", "ada@"), "--email: give one such as"),
        (("--admin", ""), "--admin: use letters"),
    ):
        _, _, errors = run("init", "--config", str(config), *WHO, *given, stdin=PASSWORD)
        assert said in errors


@pytest.mark.parametrize(
    ("issuer", "is_behind_a_proxy"), [("https://id.example.com", True), ("http://localhost:9000", False)]
)
def test_the_closing_lines_say_where_it_listens_and_what_a_proxy_needs(
    run: Run, config: Path, issuer: str, is_behind_a_proxy: bool
) -> None:
    """Behind a proxy that is not named, everybody would come from one place."""
    output = run("init", "--config", str(config), *WHO, "--issuer", issuer, stdin=PASSWORD)[1]
    assert "http://127.0.0.1:9000" in output
    assert f"{issuer}/account" in output
    assert ("trusted_proxies" in output) is is_behind_a_proxy
