"""What an operator may say about Shared Signals, and about the scorer's word on sessions; part of the settings."""

from typing import Literal, Self

from pydantic import SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from webhooks.signing import parse_secret


class SignalSettings(BaseSettings):
    """About whom new streams are told: everybody but those whom their receiver removes, or nobody but those whom it
    adds. And what the scorer signs its own word about sessions with; without it there is nowhere to say it."""

    ssf_default_subjects: Literal["ALL", "NONE"] = "ALL"
    session_signal_secret: SecretStr | None = None
    session_signal_secret_previous: SecretStr | None = None

    @property
    def session_signal_keys(self) -> list[bytes]:
        """The keys that such a word may be signed with, the newest first; none takes no word."""
        secrets = (self.session_signal_secret, self.session_signal_secret_previous)
        return [parse_secret(secret.get_secret_value()) for secret in secrets if secret is not None]

    @field_validator("session_signal_secret", "session_signal_secret_previous")
    @classmethod
    def _is_signal_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_secret(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _previous_follows_another(self) -> Self:
        if self.session_signal_secret is None and self.session_signal_secret_previous is not None:
            raise ValueError("SESSION_SIGNAL_SECRET_PREVIOUS needs SESSION_SIGNAL_SECRET")
        return self
