"""What an operator may say about Redis; part of the settings."""

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings

from plumbing.redis_address import checked_redis_url


class RedisSettings(BaseSettings):
    """Where several processes count together; without it each counts by itself."""

    redis_url: SecretStr | None = None

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            checked_redis_url(value.get_secret_value())
        return value
