"""What is documented is what can be set: every setting of both services, with the defaults that are fixed."""

from pathlib import Path
from typing import Any

import pytest

from auth_gateway.settings import Settings as GatewaySettings
from risk_scorer.settings import Settings as ScorerSettings

FIXED_GATEWAY: dict[str, Any] = {
    "risk_api_url": "http://localhost:8000", "jwt_secret": None, "jwt_issuer": "iam-ai-sample",
    "jwt_audience": "iam-clients", "access_ttl_min": 15, "refresh_ttl_days": 7, "login_policy_high_deny": True,
    "login_policy_medium_requires_mfa": True,
}  # fmt: skip
FIXED_SCORER: dict[str, Any] = {
    "model_dir": Path("models"), "recent_max": 500, "kafka_broker": None, "kafka_topic_in": "login-events",
    "webhook_url": None, "webhook_risk_threshold": 80, "mfa_webhook_url": None, "mfa_hmac_secret": None,
    "mfa_hmac_header": "X-Signature", "mfa_tenant": "default",
}  # fmt: skip


@pytest.mark.parametrize(("settings", "heading"), [(GatewaySettings, "## Gateway"), (ScorerSettings, "## Scorer")])
def test_every_setting_is_documented_and_nothing_else(root: Path, settings: Any, heading: str) -> None:
    """The table and the settings object name the same things."""
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    section = text.split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ") and "---" not in line][1:]
    documented = {name.strip().lower() for row in rows for name in row.split(",")}
    assert documented == set(settings.model_fields)


@pytest.mark.parametrize(("settings", "fixed"), [(GatewaySettings, FIXED_GATEWAY), (ScorerSettings, FIXED_SCORER)])
def test_the_fixed_names_have_their_fixed_defaults(settings: Any, fixed: dict[str, Any]) -> None:
    """These names and defaults are a face that stays stable."""
    assert {name: settings.model_fields[name].default for name in fixed} == fixed
