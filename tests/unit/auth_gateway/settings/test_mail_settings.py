"""What an operator may say about mail, and what is refused before anything starts."""

import pytest

from auth_gateway.adapters.mail_server import MailServer, mail_server
from auth_gateway.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer(host="mail.example", port=587)),
        ("smtp://mail.example:2525/", MailServer(host="mail.example", port=2525)),
        ("smtps://mail.example", MailServer(host="mail.example", port=465, begins_with_tls=True, must_start_tls=False)),
        (
            "smtp://us%40er:p%3Ass@mail.example",
            MailServer(host="mail.example", port=587, user="us@er", password="p:ss"),
        ),
        ("smtp://127.0.0.1:25", MailServer(host="127.0.0.1", port=25, must_start_tls=False)),
        ("smtp://localhost:25", MailServer(host="localhost", port=25, must_start_tls=False)),
        ("smtp://[::1]:25", MailServer(host="::1", port=25, must_start_tls=False)),
        ("smtp://127.0.0.2", MailServer(host="127.0.0.2", port=587)),
    ],
)
def test_a_mail_server_is_read(url: str, server: MailServer) -> None:
    """Passwords pass in the clear on this machine alone."""
    assert mail_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:0",
        "smtp://mail.example:99999",
        "smtp://mail.example/inbox",
        "smtp://mail.example?x=1",
        "smtp://user:pass%0d%0aQUIT@mail.example",
    ],
)
def test_what_is_no_mail_server_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """With a line that names the setting and does not repeat the address."""
    monkeypatch.setenv("SMTP_URL", url)
    monkeypatch.setenv("MAIL_FROM", "login@example.com")
    with pytest.raises(SettingsError) as error:
        load_settings()
    shape = "smtp://user:password@host:587 or smtps://host"
    assert str(error.value) == f"SMTP_URL: must be a mail server such as {shape}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("login@example.com", "login@example.com"),
        ("Example <login@Example.com>", "Example <login@example.com>"),
        ('"Example, Ltd." <login@example.com>', '"Example, Ltd." <login@example.com>'),
    ],
)
def test_a_sender_may_have_a_name(monkeypatch: pytest.MonkeyPatch, given: str, kept: str) -> None:
    """Written as a header takes it."""
    monkeypatch.setenv("MAIL_FROM", given)
    assert load_settings().mail_from == kept


@pytest.mark.parametrize("given", ["login", "Example <login>", "a@example.com\r\nBcc: b@example.com", "@example.com"])
def test_a_sender_is_an_address(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """Nothing else, and nothing that would be two headers."""
    monkeypatch.setenv("MAIL_FROM", given)
    with pytest.raises(SettingsError, match=r"^MAIL_FROM"):
        load_settings()


def test_a_server_needs_a_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at the start, not at the first letter."""
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example")
    with pytest.raises(SettingsError, match="MAIL_FROM is missing"):
        load_settings()


def test_without_a_server_there_is_none() -> None:
    """And strangers make no accounts."""
    settings = load_settings()
    assert (settings.mail_server, settings.mail_from, settings.sign_up) == (None, None, False)
