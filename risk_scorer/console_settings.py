"""What an operator may say about the analyst's console; part of the settings."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings


class ConsoleSettings(BaseSettings):
    """Where people sign in for the console, as which client of the gateway it asks, and whom people without a role are
    told to ask. Without a client there are one-time links alone, and nothing can be done to accounts."""

    console_issuer: str | None = Field(default=None, max_length=1024)
    console_client_id: str | None = Field(default=None, min_length=1, max_length=128)
    console_client_secret: SecretStr | None = None
    console_contact: str = Field(default="", max_length=256)
    console_audit_retention_days: int = Field(default=365, ge=1, le=3650)

    @field_validator("console_client_secret")
    @classmethod
    def _is_client_secret(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value is not None else ""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be printable ASCII without spaces")
        return value

    @model_validator(mode="after")
    def _a_client_is_whole(self) -> Self:
        if (self.console_client_id is None) != (self.console_client_secret is None):
            raise ValueError("CONSOLE_CLIENT_ID and CONSOLE_CLIENT_SECRET belong together")
        if self.console_client_id is not None and self.issuer_of_console is None:
            raise ValueError("CONSOLE_CLIENT_ID needs CONSOLE_ISSUER or GATEWAY_ISSUER")
        return self

    @property
    def issuer_of_console(self) -> str | None:
        """The gateway's address, without a slash at the end."""
        issuer = self.console_issuer or getattr(self, "gateway_issuer", None)
        return issuer.rstrip("/") if issuer else None
