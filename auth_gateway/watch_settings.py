"""What an operator may say about how the gateway is watched; part of the settings."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from plumbing.listening import HTTP_ADDRESS, ListenAddress
from plumbing.logs import LogFormat


class WatchSettings(BaseSettings):
    """What the log looks like, where those who watch are answered and traces go, and where several processes put what
    they count."""

    auth_gateway_log_format: LogFormat = "auto"
    auth_gateway_metrics_listen: ListenAddress | None = None
    otel_exporter_otlp_endpoint: str | None = Field(default=None, pattern=HTTP_ADDRESS)
    prometheus_multiproc_dir: Path | None = None
