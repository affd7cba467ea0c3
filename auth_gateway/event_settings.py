"""What an operator may say about where events go beside webhooks; part of the settings."""

import ssl
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, separated by commas") from None


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
"""Networks in one text."""


class EventSettings(BaseSettings):
    """Where collectors may be, whom they are known by, where files of events are written, and how long what happened is
    kept here. Whoever may add destinations reaches nothing inside, and writes nothing, that is not named here."""

    syslog_networks: Networks = ()
    syslog_ca_file: Path | None = None
    events_directory: Path | None = None
    event_log_retention_days: int | None = Field(default=None, ge=1, le=36_500)

    def syslog_trust(self) -> ssl.SSLContext:
        """Whose certificates a syslog server may show: the operator's own authority alone, else the usual ones."""
        return ssl.create_default_context(cafile=self.syslog_ca_file)

    @field_validator("syslog_ca_file")
    @classmethod
    def _is_authority(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            ssl.create_default_context(cafile=value)
        except (OSError, ssl.SSLError):
            raise ValueError("must be a file of certificates in PEM form") from None
        return value

    @field_validator("events_directory")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value
