"""What an operator may say about the scorer's processes; part of the settings."""

from pydantic import Field
from pydantic_settings import BaseSettings

from plumbing.listening import MOST_WORKERS


class ProcessSettings(BaseSettings):
    """How many of them serve, and how long they go on answering once they are told to stop."""

    risk_scorer_workers: int = Field(default=1, ge=1, le=MOST_WORKERS)
    risk_scorer_drain_seconds: float = Field(default=0.0, ge=0.0, le=300.0)
    risk_scorer_migrate: bool = True
