"""Everything an operator may set: the only reader of the environment, and of the optional file AUTH_GATEWAY_CONFIG.

The file is TOML; its keys are the environment names in small letters, and the environment wins. No secret has a
default, and a weak or published one stops the start outside the demo profile.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from auth_gateway.edge_settings import EdgeSettings
from auth_gateway.event_settings import EventSettings
from auth_gateway.mail_settings import MailSettings
from auth_gateway.page_settings import PageSettings
from auth_gateway.policy_settings import PolicySettings
from auth_gateway.process_settings import ProcessSettings
from auth_gateway.redis_settings import RedisSettings
from auth_gateway.scorer_settings import HttpUrl, ScorerSettings, http_url
from auth_gateway.signal_settings import SignalSettings
from auth_gateway.stream_settings import StreamSettings
from auth_gateway.watch_settings import WatchSettings
from plumbing.secret_strength import weakness
from webhooks.signing import MIN_SECRET_BYTES, parse_secret
from webhooks.targets import TargetRefused, parse_target

# RFC 7518, section 3.2: an HS256 key has at least the size of the hash.
JWT_SECRET_BYTES = 32
SECRETS = (
    "jwt_secret",
    "webhook_secret",
    "webhook_secret_previous",
    "mfa_hmac_secret",
    "session_signal_secret",
    "session_signal_secret_previous",
)
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """The settings contradict themselves or endanger the service; the text is one line and shows no value."""


def _is_address(issuer: str) -> bool:
    return issuer.lower().startswith(("http:", "https:"))


class ConfigFile(BaseSettings):
    """Where the optional file is; read before everything else, from the environment alone."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    auth_gateway_config: Path | None = None


class Settings(
    EdgeSettings,
    EventSettings,
    MailSettings,
    PageSettings,
    PolicySettings,
    ProcessSettings,
    RedisSettings,
    ScorerSettings,
    SignalSettings,
    StreamSettings,
    WatchSettings,
):
    """One frozen object; every field is the environment name in small letters."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    jwt_secret: SecretStr | None = None
    jwt_issuer: str = Field(default="iam-ai-sample", min_length=1, max_length=256)
    jwt_audience: str = Field(default="iam-clients", min_length=1, max_length=256)
    access_ttl_min: int = Field(default=15, ge=1, le=1440)
    refresh_ttl_days: int = Field(default=7, ge=1, le=365)
    browser_session_hours: int = Field(default=12, ge=1, le=720)
    webhook_url: HttpUrl | None = None
    webhook_risk_threshold: float = Field(default=80, ge=0, le=100)
    webhook_secret: SecretStr | None = None
    webhook_secret_previous: SecretStr | None = None
    mfa_webhook_url: HttpUrl | None = None
    mfa_hmac_secret: SecretStr | None = None
    mfa_hmac_header: str = Field(default="X-Signature", pattern=r"^[A-Za-z0-9-]{1,64}$")
    mfa_tenant: str = Field(default="default", min_length=1, max_length=128)
    auth_gateway_profile: Literal["production", "demo"] = "production"
    auth_gateway_state: Path = Path("var/gateway")
    auth_gateway_host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    auth_gateway_port: int = Field(default=9000, ge=1, le=65535)
    auth_gateway_log_level: Literal["debug", "info", "warning", "error"] = "info"
    password_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    password_blocklist: Path | None = None
    password_queue: int | None = Field(default=None, ge=0, le=4096)
    refresh_score_reuse_seconds: int = Field(default=60, ge=0, le=3600)
    key_activation_delay: int = Field(default=900, ge=360, le=86_400)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file; a stray .env in the working directory is never read."""
        file = _from_file(config_file())
        return init_settings, env_settings, InitSettingsSource(settings_cls, file)

    @property
    def is_demo(self) -> bool:
        """Whether the demo's users, vouched contexts, weak secrets and private webhook targets are allowed."""
        return self.auth_gateway_profile == "demo"

    @property
    def hashing_threads(self) -> int:
        """How many passwords one process checks at a time: as many as were asked for, else its share of the cores."""
        is_given = "password_workers" in self.model_fields_set
        return self.password_workers if is_given else max(1, self.password_workers // self.auth_gateway_workers)

    @property
    def password_queue_limit(self) -> int:
        """How many checks may wait: four a worker, so that the last of them waits less than a second for bcrypt
        cost 12.
        """
        return 4 * self.hashing_threads if self.password_queue is None else self.password_queue

    @property
    def hs256_secret(self) -> bytes | None:
        """The shared signing secret, or None when tokens are signed by our own ES256 keys.

        The demo passes over a weak one: the reference's `local-dev-secret` may still be exported in the shell that
        starts it.
        """
        secret = self.jwt_secret
        text = secret.get_secret_value() if secret is not None else ""
        return None if weakness(text, least_bytes=JWT_SECRET_BYTES) else text.encode()

    @property
    def mfa_target(self) -> str | None:
        """Where MFA events go: their own address, or the common one."""
        return self.mfa_webhook_url or self.webhook_url

    @property
    def webhook_keys(self) -> list[bytes]:
        """What Standard Webhooks signatures are made with, newest first; the MFA secret stands in for none."""
        secrets = [secret for secret in (self.webhook_secret, self.webhook_secret_previous) if secret is not None]
        if secrets:
            return [parse_secret(secret.get_secret_value()) for secret in secrets]
        return [self.plain_key] if self.plain_key else []

    @property
    def plain_key(self) -> bytes | None:
        """What the plain hex signature is made with."""
        return self.mfa_hmac_secret.get_secret_value().encode() if self.mfa_hmac_secret else None

    @property
    def public_url(self) -> str:
        """Where people reach the gateway: the issuer when it is an address, else where it listens."""
        return self.provider_issuer or f"http://{self.auth_gateway_host}:{self.auth_gateway_port}"

    @property
    def provider_issuer(self) -> str | None:
        """The OpenID provider's issuer, None where JWT_ISSUER is no address: then there is no provider, since its
        discovery document must lie under its own name.
        """
        return self.jwt_issuer if _is_address(self.jwt_issuer) else None

    @property
    def is_https(self) -> bool:
        """Whether people reach the gateway over https, so that cookies can be bound to it."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def database_url(self) -> str:
        """The gateway's own database: a file in its state directory, or what AUTH_GATEWAY_DATABASE names."""
        given = self.auth_gateway_database
        file = (self.auth_gateway_state / "gateway.db").absolute()
        return f"sqlite:///{file}" if given is None else given.get_secret_value()

    @property
    def database_name(self) -> str:
        """What a complaint calls the database; its URL may hold a password."""
        is_file = self.auth_gateway_database is None
        return "gateway.db in AUTH_GATEWAY_STATE" if is_file else "the database of AUTH_GATEWAY_DATABASE"

    @field_validator("webhook_secret", "webhook_secret_previous")
    @classmethod
    def _is_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_secret(value.get_secret_value())
        return value

    @field_validator("jwt_issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        """Compared letter by letter by everyone who verifies a token, and what each of our addresses begins with."""
        if _is_address(value) and (http_url(value) != value or not all("!" <= sign <= "~" for sign in value)):
            raise ValueError("must end without a slash where it is an address")
        return value

    @model_validator(mode="after")
    def _issuer_is_out_of_earshot(self) -> Self:
        # Passwords and cookies would cross the network in the clear; on this very machine there is none.
        parts = urlsplit(self.jwt_issuer)
        if not self.is_demo and parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("JWT_ISSUER must be an https address, or http on localhost")
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed_and_go_outside(self) -> Self:
        if self.mfa_target is not None and self.webhook_secret is None and self.mfa_hmac_secret is None:
            raise ValueError("a webhook address needs WEBHOOK_SECRET or MFA_HMAC_SECRET to sign with")
        # Its word lets people in: a plain signature over the body alone says neither when nor for what it was made.
        if self.mfa_push and (self.mfa_target is None or self.webhook_secret is None):
            raise ValueError("MFA_PUSH needs WEBHOOK_SECRET, and MFA_WEBHOOK_URL or WEBHOOK_URL")
        for name in ("webhook_url", "mfa_webhook_url"):
            url: str | None = getattr(self, name)
            try:
                if url is not None:
                    parse_target(url, allow_private=self.is_demo)
            except TargetRefused as refused:
                raise ValueError(f"{name.upper()} is no place to send to ({refused.code})") from None
        return self

    @model_validator(mode="after")
    def _secrets_are_strong(self) -> Self:
        if self.is_demo:
            return self
        for name in SECRETS:
            secret: SecretStr | None = getattr(self, name)
            least_bytes = JWT_SECRET_BYTES if name == "jwt_secret" else MIN_SECRET_BYTES
            complaint = weakness(secret.get_secret_value(), least_bytes=least_bytes) if secret is not None else None
            if complaint:
                raise ValueError(f"{name.upper()} {complaint}")
        return self


def config_file() -> Path | None:
    """The file that AUTH_GATEWAY_CONFIG names."""
    return ConfigFile().auth_gateway_config


def load_settings(**given: object) -> Settings:
    """The settings of this process; what is given outranks the environment.

    Raises: SettingsError with one line that names the setting and shows no value.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type] # checked by pydantic, field by field
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        raise SettingsError("; ".join(_one_line(problem) for problem in problems)) from None


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"AUTH_GATEWAY_CONFIG cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"AUTH_GATEWAY_CONFIG is not TOML: {error}") from None
    # A misspelt key would be a policy that the operator believes in and nobody applies.
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        raise SettingsError(f"AUTH_GATEWAY_CONFIG has unknown keys: {', '.join(unknown)}")
    return values


def _one_line(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"]).upper()
    text = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
