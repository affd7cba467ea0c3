"""What an operator may say about how the scorer is called by TLS, and who may call it; part of the settings."""

from pathlib import Path
from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings

from plumbing.tls import Identity, answering


class TlsSettings(BaseSettings):
    """The scorer's own certificate, and the authority whose certificates its callers show."""

    risk_scorer_tls_certificate: Path | None = None
    risk_scorer_tls_key: Path | None = None
    risk_scorer_client_ca_file: Path | None = None

    @property
    def tls_identity(self) -> Identity | None:
        """What the scorer shows, None where it is called without TLS."""
        certificate = self.risk_scorer_tls_certificate
        return None if certificate is None else Identity(certificate, self.risk_scorer_tls_key)

    @model_validator(mode="after")
    def _certificates_are_of_use(self) -> Self:
        identity = self.tls_identity
        if identity is None:
            if self.risk_scorer_tls_key is not None or self.risk_scorer_client_ca_file is not None:
                raise ValueError("RISK_SCORER_TLS_KEY and RISK_SCORER_CLIENT_CA_FILE need RISK_SCORER_TLS_CERTIFICATE")
            return self
        try:
            answering(identity, callers_authority=self.risk_scorer_client_ca_file)
        except ValueError as error:
            raise ValueError(
                f"RISK_SCORER_TLS_CERTIFICATE, RISK_SCORER_TLS_KEY, RISK_SCORER_CLIENT_CA_FILE: {error}"
            ) from None
        return self
