"""What an operator may say about risk; part of the settings. No switch turns a high risk into an allow."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class PolicySettings(BaseSettings):
    """The marks and switches of `core.policy`, and whether the word of an MFA system is one of the factors."""

    login_policy_high_deny: bool = True
    login_policy_medium_requires_mfa: bool = True
    login_policy_phishing_resistant_from: float = Field(default=75, ge=60, le=80)
    login_policy_email_code: bool = True
    login_policy_file: Path | None = None
    mfa_push: bool = False
    mfa_number_matching: bool = True
    login_policy_leeway_points: float = Field(default=5, ge=0, le=10)
    user_risk_half_life_hours: float = Field(default=72, ge=1, le=8760)

    @property
    def user_risk_half_life_seconds(self) -> float:
        """How long a person's risk takes to fade to its half."""
        return self.user_risk_half_life_hours * 3600
