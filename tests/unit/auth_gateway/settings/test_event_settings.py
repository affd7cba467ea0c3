"""Where events may go beside webhooks, and what stops the start."""

from pathlib import Path

import pytest

from auth_gateway.collectors import check_file, check_syslog, file_receiver
from auth_gateway.settings import Settings, SettingsError, load_settings
from plumbing.refusals import Refused
from tests.certificates import certified
from webhooks.targets import TargetRefused


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYSLOG_NETWORKS", "10.0.0.0/33"),
        ("SYSLOG_CA_FILE", "/there/is/no/such/file.pem"),
        ("SYSLOG_CA_FILE", __file__),
        ("EVENTS_DIRECTORY", "events"),
    ],
)
def test_what_means_nothing_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """With a line that names the setting."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_an_authority_of_ones_own_replaces_the_usual_ones(tmp_path: Path) -> None:
    """Nobody else vouches for a syslog server then."""
    settings = Settings(syslog_ca_file=certified(tmp_path, "siem.example").authority)
    (only,) = settings.syslog_trust().get_ca_certs()
    assert only["subject"] == ((("commonName", "siem.example"),),)
    assert len(Settings().syslog_trust().get_ca_certs()) != 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events.log",
        "file:",
        "file:/etc/passwd",
        "file:../events.log",
        "file:.hidden",
        "file:a/b",
        "file:a\n",
        "file:" + "a" * 129,
    ],
)
def test_a_file_is_a_name_in_the_directory(tmp_path: Path, url: str) -> None:
    """Whoever may add destinations writes nowhere else."""
    settings = Settings(events_directory=tmp_path)
    with pytest.raises(Refused) as refused:
        check_file(settings)(url)
    assert (refused.value.code, refused.value.status) == ("invalid_destination", 400)
    check_file(settings)("file:events-1.log")
    assert file_receiver("siem", "file:events-1.log", settings).path == tmp_path / "events-1.log"


def test_without_a_directory_there_are_no_files(tmp_path: Path) -> None:
    """Neither where it is unset nor where it is not there."""
    for settings in (Settings(), Settings(events_directory=tmp_path / "missing")):
        with pytest.raises(Refused):
            check_file(settings)("file:events.log")
    with pytest.raises(TargetRefused):
        file_receiver("siem", "file:events.log", Settings())


@pytest.mark.parametrize(
    ("url", "networks", "is_taken"),
    [
        ("syslog+tls://siem.example", "", True),
        ("syslog+tls://10.1.2.3", "10.1.0.0/16", True),
        ("syslog+udp://10.1.2.3", "10.1.0.0/16", True),
        ("syslog+tls://10.2.2.3", "10.1.0.0/16", False),
        ("syslog+tls://10.1.2.3", "", False),
        ("syslog+tcp://siem.example", "", False),
        ("https://siem.example", "", False),
    ],
)
def test_a_syslog_server_is_where_the_operator_says(url: str, networks: str, is_taken: bool) -> None:
    """Whoever may add destinations reaches nothing inside that is not named."""
    check = check_syslog(Settings.model_validate({"syslog_networks": networks}))
    if is_taken:
        check(url)
    else:
        with pytest.raises(Refused):
            check(url)
