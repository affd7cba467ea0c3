"""What an operator may say about incidents; part of the settings."""

from pydantic import Field
from pydantic_settings import BaseSettings


class IncidentSettings(BaseSettings):
    """How many messages about incidents go out in a minute, all of them together."""

    incident_announcements_per_minute: float = Field(default=30.0, gt=0.0, le=6000.0)
