"""What an operator may say about Shared Signals; part of the settings."""

from typing import Literal

from pydantic_settings import BaseSettings


class SignalSettings(BaseSettings):
    """About whom new streams are told: everybody but those whom their receiver removes, or nobody but those whom it
    adds."""

    ssf_default_subjects: Literal["ALL", "NONE"] = "ALL"
