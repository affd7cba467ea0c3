"""What an operator may say about the scorer, and how the gateway and it know each other; part of the settings."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from plumbing.tls import Certified, Identity, calling


def http_url(value: object) -> object:
    """Refuses what is no plain http(s) address: user names in an address end in logs."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        is_plain = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and parts.port != 0
        )
    except ValueError:
        is_plain = False
    if not is_plain or parts.query or parts.fragment:
        raise ValueError("must be an http or https address without user, query or fragment")
    return value.rstrip("/")


HttpUrl = Annotated[str, BeforeValidator(http_url)]
"""An address without anything that should not be in a log."""


class ScorerSettings(BaseSettings):
    """Where the scorer is, how long it may take, and what each side shows to the other."""

    risk_api_url: HttpUrl = "http://localhost:8000"
    risk_api_credential: SecretStr | None = None
    risk_api_ca_file: Path | None = None
    risk_api_client_certificate: Path | None = None
    risk_api_client_key: Path | None = None
    scorer_deadline_ms: int = Field(default=250, ge=10, le=10_000)

    def scorer_tls(self) -> Certified | None:
        """How the scorer is called by TLS, None where it is called as any other server. Raises: BadCertificates."""
        certificate = self.risk_api_client_certificate
        if certificate is None and self.risk_api_ca_file is None:
            return None
        identity = None if certificate is None else Identity(certificate, self.risk_api_client_key)
        return calling(authority=self.risk_api_ca_file, identity=identity)

    @field_validator("risk_api_credential")
    @classmethod
    def _is_header_text(cls, value: SecretStr | None) -> SecretStr | None:
        # It travels in a header, where anything else would fail on each login instead of once at the start.
        if value is not None and not all("!" <= sign <= "~" for sign in value.get_secret_value()):
            raise ValueError("must be printable ASCII without spaces")
        return value

    @model_validator(mode="after")
    def _certificates_are_of_use(self) -> Self:
        has_files = self.risk_api_ca_file is not None or self.risk_api_client_certificate is not None
        if has_files and not self.risk_api_url.startswith("https:"):
            raise ValueError("RISK_API_CA_FILE and RISK_API_CLIENT_CERTIFICATE need an https address in RISK_API_URL")
        if self.risk_api_client_key is not None and self.risk_api_client_certificate is None:
            raise ValueError("RISK_API_CLIENT_KEY needs RISK_API_CLIENT_CERTIFICATE")
        try:
            self.scorer_tls()
        except ValueError as error:
            raise ValueError(f"RISK_API_CA_FILE, RISK_API_CLIENT_CERTIFICATE, RISK_API_CLIENT_KEY: {error}") from None
        return self
