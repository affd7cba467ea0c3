"""Certificates between gateway and scorer: what stops the start of either, in one line without a path."""

from pathlib import Path
from typing import Any

import pytest

from auth_gateway.settings import Settings, SettingsError, load_settings
from risk_scorer.settings import BadSettings
from risk_scorer.settings import load_settings as load_scorer
from tests.certificates import Authority


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """Files of every kind."""
    authority = Authority(tmp_path, "ours")
    certificate, key = authority.certify("gateway")
    other_key = authority.certify("other")[1]
    locked = authority.certify("locked", password=b"secret")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return {
        "authority": authority.certificate, "certificate": certificate, "key": key, "other": other_key, "both": both,
        "locked": locked[0], "locked_key": locked[1], "none": tmp_path / "none.pem", "text": Path(__file__),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ca", "certificate", "key"),
    [("authority", "certificate", "key"), ("authority", None, None), (None, "both", None)],
)
def test_files_that_belong_together_are_taken(
    made: dict[str, Path], ca: str | None, certificate: str | None, key: str | None
) -> None:
    """One file may hold both; each side may be left out."""
    given = {"risk_api_ca_file": ca, "risk_api_client_certificate": certificate, "risk_api_client_key": key}
    paths = {name: made[value] for name, value in given.items() if value}
    settings = Settings(risk_api_url="https://scorer.internal:8000", **paths)  # type: ignore[arg-type]
    made_of_it = settings.scorer_tls()
    assert made_of_it is not None
    believed = len(made_of_it.context.get_ca_certs())
    assert believed == 1 if ca else believed > 10


def test_an_https_scorer_of_somebody_known_needs_no_files() -> None:
    """It is called as webhooks are."""
    assert Settings(risk_api_url="https://scorer.example").scorer_tls() is None


WRONG = [("certificate", "other"), ("certificate", None), ("none", "key"), ("text", "key"), ("locked", "locked_key")]


@pytest.mark.parametrize(("certificate", "key"), WRONG)
def test_files_that_do_not_stop_both_services(made: dict[str, Path], certificate: str, key: str | None) -> None:
    """A key that needs a password asks nobody at the terminal."""
    gateway: dict[str, Any] = {"risk_api_client_certificate": made[certificate]}
    scorer: dict[str, Any] = {"risk_scorer_tls_certificate": made[certificate]}
    if key:
        gateway["risk_api_client_key"] = scorer["risk_scorer_tls_key"] = made[key]
    with pytest.raises(SettingsError, match="RISK_API_CLIENT_CERTIFICATE") as refused:
        load_settings(risk_api_url="https://localhost", **gateway)
    assert str(made[certificate].parent) not in str(refused.value)
    with pytest.raises(BadSettings, match="RISK_SCORER_TLS_CERTIFICATE"):
        load_scorer(**scorer)


@pytest.mark.parametrize("name", ["risk_api_ca_file", "risk_api_client_certificate"])
def test_certificates_mean_nothing_without_tls(made: dict[str, Path], name: str) -> None:
    """An operator who sets them believes that the connection is safe."""
    with pytest.raises(SettingsError, match="https"):
        load_settings(**{name: made["both"]})


def test_half_of_it_is_refused(made: dict[str, Path]) -> None:
    """A key without a certificate; callers to be asked where there is no TLS."""
    with pytest.raises(SettingsError, match="RISK_API_CLIENT_KEY needs"):
        load_settings(risk_api_url="https://localhost", risk_api_client_key=made["key"])
    for name in ("risk_scorer_client_ca_file", "risk_scorer_tls_key"):
        with pytest.raises(BadSettings, match="need RISK_SCORER_TLS_CERTIFICATE"):
            load_scorer(**{name: made["authority"]})


def test_a_scorer_with_tls_says_so_in_its_links(made: dict[str, Path]) -> None:
    """Operators' links lead there."""
    settings = load_scorer(risk_scorer_tls_certificate=made["both"], risk_scorer_client_ca_file=made["authority"])
    assert settings.public_url == "https://127.0.0.1:8000"
