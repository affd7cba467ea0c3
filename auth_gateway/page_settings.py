"""What an operator may say about the pages; part of the settings."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from auth_gateway.core.brand import DEFAULT_COLOUR, DEFAULT_NAME, light_accent


class PageSettings(BaseSettings):
    """Name, logo and colour of the pages, and the language of whoever asks for none of ours."""

    brand_name: str = Field(default=DEFAULT_NAME, min_length=1, max_length=64)
    brand_logo: Path | None = None
    brand_colour: str = DEFAULT_COLOUR
    language: Literal["en", "de"] = "en"

    @field_validator("brand_colour")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        return light_accent(value).colour
