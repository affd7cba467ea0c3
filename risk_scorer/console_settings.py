"""What an operator may say about the analyst's console; part of the settings."""

from pydantic import Field
from pydantic_settings import BaseSettings


class ConsoleSettings(BaseSettings):
    """Whom people without a role are told to ask."""

    console_contact: str = Field(default="", max_length=256)
