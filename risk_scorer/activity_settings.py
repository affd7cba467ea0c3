"""What an operator may say about what people do in their sessions; part of the settings."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from webhooks.signing import parse_secret


class ActivitySettings(BaseSettings):
    """Whose sessions they are, whom a risky one is told, what is kept and for how long.

    The session model comes from a registry, or else a folder, signed by a key of MODEL_PUBLIC_KEYS; else there is none.
    """

    session_model_registry: str = Field(default="", max_length=1024)
    session_model_dir: Path | None = None
    gateway_issuer: str | None = Field(default=None, max_length=1024)
    session_signal_url: str | None = None
    session_signal_secret: SecretStr | None = None
    session_signal_secret_previous: SecretStr | None = None
    activity_retention_days: int = Field(default=90, ge=1, le=3650)
    activity_memory_days: int = Field(default=180, ge=7, le=3650)
    activity_people_in_memory: int = Field(default=20_000, ge=100, le=10_000_000)
    activity_tasks_max: int = Field(default=10_000, ge=1, le=1_000_000)

    @field_validator("session_signal_secret", "session_signal_secret_previous")
    @classmethod
    def _is_signal_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_secret(value.get_secret_value())
        return value

    @property
    def signal_keys(self) -> list[bytes]:
        """What signals to the gateway are signed with, newest first."""
        secrets = (self.session_signal_secret, self.session_signal_secret_previous)
        return [parse_secret(secret.get_secret_value()) for secret in secrets if secret is not None]
