"""What the scorer is told from outside: environment first, then an optional TOML file, then the defaults.

This is the only reader of the environment in the service. Secrets have no default, and a weak or published one stops
the start outside the demo profile: a webhook that anyone can sign is worse than none.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from plumbing.listening import HTTP_ADDRESS, ListenAddress
from plumbing.logs import LogFormat
from plumbing.secret_strength import weakness
from risk_scorer.activity_settings import ActivitySettings
from risk_scorer.console_settings import ConsoleSettings
from risk_scorer.drift_settings import DriftSettings
from risk_scorer.incident_settings import IncidentSettings
from risk_scorer.process_settings import ProcessSettings
from risk_scorer.storage_settings import StorageSettings
from risk_scorer.stream_settings import StreamSettings
from risk_scorer.tls_settings import TlsSettings
from webhooks.signing import MIN_SECRET_BYTES, parse_secret
from webhooks.targets import TargetRefused, is_inside, parse_target


class BadSettings(Exception):
    """The service must not start; the text is one line a problem, names the setting and never shows its value."""


class ConfigFile(BaseSettings):
    """Where the optional file is; read from the environment alone, before everything else."""

    risk_scorer_config: Path | None = None


class Settings(
    ProcessSettings, StreamSettings, StorageSettings, TlsSettings, DriftSettings, IncidentSettings, ActivitySettings,
    ConsoleSettings,
):  # fmt: skip
    """Everything that may be configured, under the same name in the environment (upper case) and in the file (lower
    case).
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_ignore_empty=True)

    model_dir: Path = Path("models")
    model_registry: str = Field(default="", max_length=1024)
    model_shadow_dir: Path | None = None
    model_public_keys: str = "var/training/signing.pub"
    recent_max: int = Field(default=500, ge=1, le=10_000)

    webhook_url: str | None = None
    webhook_risk_threshold: float = Field(default=80.0, ge=0.0, le=100.0)
    webhook_secret: SecretStr | None = None
    webhook_secret_previous: SecretStr | None = None
    webhook_retry_first_seconds: float = Field(default=5.0, gt=0.0, le=3600.0)
    mfa_webhook_url: str | None = None
    mfa_hmac_secret: SecretStr | None = None
    mfa_hmac_header: str = Field(default="X-Signature", pattern=r"^[A-Za-z0-9-]{1,64}$")
    mfa_tenant: str = Field(default="default", min_length=1, max_length=128)

    ip_tables: Path | None = None
    ip_overlay: str = ""
    ip_listed: str = ""
    ja4_clients: Path | None = None

    rules_report_only: str = ""

    openai_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_model: str | None = Field(default=None, max_length=256)
    narrator_deadline_seconds: float = Field(default=10.0, gt=0.0, le=120.0)

    risk_scorer_profile: Literal["production", "demo"] = "production"
    risk_scorer_geo_cache: Path | None = None
    risk_scorer_host: str = "127.0.0.1"
    risk_scorer_port: int = Field(default=8000, ge=1, le=65535)
    risk_scorer_public_url: str | None = None
    risk_scorer_log_format: LogFormat = "auto"
    risk_scorer_metrics_listen: ListenAddress | None = None
    otel_exporter_otlp_endpoint: str | None = Field(default=None, pattern=HTTP_ADDRESS)
    prometheus_multiproc_dir: Path | None = None
    risk_scorer_log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file named by RISK_SCORER_CONFIG.

        Nothing is picked up from the directory.
        """
        config_file = ConfigFile().risk_scorer_config
        if config_file is None:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file)

    @field_validator(
        "webhook_url", "mfa_webhook_url", "risk_scorer_public_url", "openai_base_url", "gateway_issuer",
        "session_signal_url", "console_issuer",
    )  # fmt: skip
    @classmethod
    def _is_http_url(cls, value: str | None) -> str | None:
        """Refuse what is not an http(s) URL with a host, or carries a password that logs would repeat."""
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError("must be an http or https URL with a host and without a user name")
        return value

    @field_validator("webhook_secret", "webhook_secret_previous")
    @classmethod
    def _is_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_secret(value.get_secret_value())
        return value

    @field_validator("openai_api_key")
    @classmethod
    def _is_header_text(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value is not None else ""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be printable ASCII without spaces")
        return value

    @model_validator(mode="after")
    def _facts_travel_safely(self) -> Settings:
        """Facts about people, and the key, go over TLS, or in the clear where they do not leave our own network."""
        if self.openai_base_url is None or not self.has_narrator:
            return self
        parts = urlsplit(self.openai_base_url)
        if parts.query or parts.fragment:
            raise ValueError("OPENAI_BASE_URL must end with its path")
        if parts.scheme != "https" and not is_inside_name(parts.hostname or ""):
            raise ValueError("OPENAI_BASE_URL must be https: its host is not on this machine or a private network")
        return self

    @model_validator(mode="after")
    def _a_file_has_one_process(self) -> Settings:
        if self.risk_scorer_workers > 1 and not self.is_shared:
            raise ValueError("--workers (RISK_SCORER_WORKERS) above 1 needs PostgreSQL: set RISK_SCORER_DATABASE")
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Settings:
        if self.announce_url is not None and not self.is_signing:
            raise ValueError("WEBHOOK_URL is set, so WEBHOOK_SECRET (or MFA_HMAC_SECRET) is required")
        if self.announce_url is not None:
            self._refuse_inside_targets(self.announce_url)
        if self.session_signal_url is not None and self.session_signal_secret is None:
            raise ValueError("SESSION_SIGNAL_URL is set, so SESSION_SIGNAL_SECRET is required")
        if not self.is_demo:
            self._refuse_weak_secrets()
        return self

    def _refuse_inside_targets(self, url: str) -> None:
        try:
            parse_target(url, allow_private=self.is_demo)
        except TargetRefused as refused:
            raise ValueError(f"WEBHOOK_URL is no place to send to ({refused.code})") from None

    def _refuse_weak_secrets(self) -> None:
        for name in (
            "webhook_secret", "webhook_secret_previous", "mfa_hmac_secret", "session_signal_secret",
            "session_signal_secret_previous",
        ):  # fmt: skip
            secret: SecretStr | None = getattr(self, name)
            if secret is not None:
                complaint = weakness(secret.get_secret_value(), least_bytes=MIN_SECRET_BYTES)
                if complaint:
                    raise ValueError(f"{name.upper()} {complaint}")

    @property
    def is_demo(self) -> bool:
        """The demo profile may use loopback receivers and published secrets; nothing else differs."""
        return self.risk_scorer_profile == "demo"

    @property
    def has_narrator(self) -> bool:
        """Both address and model are named; a key alone, which many machines have set, sends nothing anywhere."""
        return self.openai_base_url is not None and self.openai_model is not None

    @property
    def webhook_keys(self) -> list[bytes]:
        """What Standard Webhooks signatures are made with, newest first.

        The MFA secret stands in when there is no other.
        """
        secrets = [secret for secret in (self.webhook_secret, self.webhook_secret_previous) if secret is not None]
        if secrets:
            return [parse_secret(secret.get_secret_value()) for secret in secrets]
        return [self.plain_key] if self.plain_key else []

    @property
    def plain_key(self) -> bytes | None:
        """What the plain hex signature is made with."""
        return self.mfa_hmac_secret.get_secret_value().encode() if self.mfa_hmac_secret else None

    @property
    def is_signing(self) -> bool:
        """There is a secret to sign with now; a previous one alone is none."""
        return self.webhook_secret is not None or self.mfa_hmac_secret is not None

    @property
    def announce_url(self) -> str | None:
        """Where high-risk logins are announced: WEBHOOK_URL, or the MFA receiver when it is the only one."""
        return self.webhook_url or self.mfa_webhook_url

    @property
    def public_url(self) -> str:
        """The address people use, without a slash at the end."""
        if self.risk_scorer_public_url:
            return self.risk_scorer_public_url.rstrip("/")
        # "Everywhere" is where we listen, not where anybody can go.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.risk_scorer_host, self.risk_scorer_host)  # noqa: S104
        scheme = "http" if self.tls_identity is None else "https"
        return f"{scheme}://{bracketed(host)}:{self.risk_scorer_port}"

    @property
    def geo_cache(self) -> Path:
        """Where the address tables are unpacked, once for each version of them."""
        return self.risk_scorer_geo_cache or self.risk_scorer_state / "geo"

    @property
    def public_key_sources(self) -> list[str]:
        return listed(self.model_public_keys)

    @property
    def overlay_paths(self) -> list[Path]:
        return [Path(item) for item in listed(self.ip_overlay)]

    @property
    def report_only_rules(self) -> list[str]:
        return listed(self.rules_report_only)

    @property
    def listed_paths(self) -> list[Path]:
        return [Path(item) for item in listed(self.ip_listed)]


def listed(text: str) -> list[str]:
    """The items of a comma-separated setting, without the empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


def is_inside_name(host: str) -> bool:
    """Whether the host is ours by its form: a private or loopback address, or a name that is never a public one."""
    name = host.rstrip(".")
    try:
        return is_inside(name)
    except ValueError:
        local = (".localhost", ".local", ".internal", ".home.arpa")  # RFC 6761, RFC 6762, ICANN, RFC 8375
        return "." not in name or name.endswith(local)


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


def load_settings(**given: object) -> Settings:
    """The settings of this process; what is given outranks the environment. Raises: BadSettings."""
    try:
        config_file = ConfigFile().risk_scorer_config
        if config_file is not None and not config_file.is_file():
            raise BadSettings("RISK_SCORER_CONFIG: no such file")
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadSettings("; ".join(_line(item["loc"], item["msg"]) for item in error.errors())) from None
    except (SettingsError, ValueError) as error:
        # tomllib says line and column, which do not contain the value.
        raise BadSettings(f"RISK_SCORER_CONFIG: {error}") from None


def _line(location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in location).upper()
    text = message.removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
