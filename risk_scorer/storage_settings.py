"""What an operator may say about where the scorer keeps what it knows, and for how long; part of the settings."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from plumbing.postgresql import is_postgresql
from plumbing.redis_address import checked_redis_url


class StorageSettings(BaseSettings):
    """A file in the state directory, for one serving process, or a server that several scorers share."""

    risk_scorer_state: Path = Path("var/scorer")
    risk_scorer_database: SecretStr | None = None
    redis_url: SecretStr | None = None
    event_retention_days: int = Field(default=90, ge=1, le=3650)

    @field_validator("risk_scorer_database")
    @classmethod
    def _is_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_postgresql(value.get_secret_value()):
            raise ValueError("must be a URL such as postgresql://user:password@host/name")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            checked_redis_url(value.get_secret_value())
        return value

    @property
    def is_shared(self) -> bool:
        """Whether other processes may learn and judge in the same database at the same time."""
        return self.risk_scorer_database is not None

    @property
    def database_url(self) -> str | None:
        """The server's address, with its password; None for the file in the state directory."""
        given = self.risk_scorer_database
        return None if given is None else given.get_secret_value()

    @property
    def shared_redis_url(self) -> str | None:
        """Where copies of histories are shared, with its password. One process on a file has them in memory."""
        given = self.redis_url
        return None if given is None or not self.is_shared else given.get_secret_value()
