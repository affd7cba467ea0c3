"""What an operator may say about when a model no longer fits those who log in; part of the settings."""

from pydantic import Field
from pydantic_settings import BaseSettings

from risk_scorer.core.drift_marks import Marks


class DriftSettings(BaseSettings):
    """Over how many days live logins are held against the model, and what is too far."""

    drift_window_days: int = Field(default=7, ge=1, le=90)
    drift_psi: float = Field(default=0.25, ge=0.01, le=10.0)
    drift_ip_data_days: int = Field(default=180, ge=1, le=3650)

    @property
    def drift_marks(self) -> Marks:
        """The marks; what clears an alarm keeps its distance from what raises it."""
        return Marks(ip_data_days=float(self.drift_ip_data_days)).moved_to(self.drift_psi)
