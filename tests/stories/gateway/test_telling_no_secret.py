"""What programs and operators handle besides people's own secrets is in no line of the log and in no metric either."""

from collections.abc import Callable

import pytest

from tests.stories.gateway.applications import ISSUER
from tests.stories.gateway.story import Story
from tests.stories.gateway.test_webhooks_admin import SIEM, Admin


def test_an_operators_secrets_are_in_no_log_and_no_metric(
    story_with: Callable[..., Story], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Secrets of webhooks, applications and the scorer, shown tokens, cookies, and whatever is typed as a name."""
    caplog.set_level("DEBUG")
    given = {
        "webhook_secret": "whsec_ZGlzdGluY3RpdmUtc2VjcmV0LW9mLXdlYmhvb2tz",
        "risk_api_credential": "rgs_distinctive",
    }
    story = story_with(jwt_issuer=ISSUER, **given)
    admin = Admin(story)
    made = admin("POST", json=SIEM).json()["secret"]
    changed = admin("POST", "/siem/rotate-secret").json()["secret"]
    _, application = story.client("shop")
    headers = {"cookie": "distinctive=cookie", "user-agent": "Example"}
    story.login("distinctive-name", "distinctive-password", headers=headers)
    story.login("alice", "distinctive-password", headers=headers)
    story.ask("GET", "/userinfo", headers={"authorization": "Bearer distinctive-token"})
    story.ask("POST", "/token", data={"grant_type": "refresh_token", "refresh_token": "distinctive-refresh"})
    story.complete("distinctive-challenge", "73519264")
    out, err = capfd.readouterr()
    own = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx2")]
    told = "\n".join((out, err, *own, story.app.state.watching.meters.exposition().decode()))
    assert "login.failed" in told
    assert "webhook.added" in told
    shown = admin.headers["authorization"].removeprefix("Bearer ")
    for secret in (made, changed, application, shown, *given.values(), "distinctive", "73519264"):
        assert secret not in told
