"""What an operator may say about the gateway's processes and the database that they share; part of the settings."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from plumbing.listening import MOST_WORKERS
from plumbing.postgresql import is_postgresql


class ProcessSettings(BaseSettings):
    """How many of them serve, and how long they go on answering once they are told to stop. One serves from a file,
    several share a server."""

    auth_gateway_database: SecretStr | None = None
    auth_gateway_workers: int = Field(default=1, ge=1, le=MOST_WORKERS)
    auth_gateway_drain_seconds: float = Field(default=0.0, ge=0.0, le=300.0)
    auth_gateway_migrate: bool = True

    @field_validator("auth_gateway_database")
    @classmethod
    def _is_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_postgresql(value.get_secret_value()):
            raise ValueError("must be a URL such as postgresql://user:password@host/name")
        return value

    @model_validator(mode="after")
    def _a_file_has_one_process(self) -> Self:
        if self.auth_gateway_workers > 1 and self.auth_gateway_database is None:
            raise ValueError("--workers (AUTH_GATEWAY_WORKERS) above 1 needs PostgreSQL: set AUTH_GATEWAY_DATABASE")
        return self
