"""An MFA system as the gateway meets it: it holds the webhook secret, and says yes or no to a challenge."""

import json
from itertools import count
from typing import Any

import httpx2

from tests.stories.gateway.story import Story
from webhooks.signing import parse_secret, standard_signer

SECRET = "whsec_Jk3Vt0Zq9s1xYb7cD2eF4gH6iK8lM0nP"
GIVEN: dict[str, Any] = {
    "risk_api_credential": "rgs_test",
    "mfa_webhook_url": "https://mfa.invalid/in",
    "webhook_secret": SECRET,
    "mfa_push": True,
}
"""Settings under which its word counts; the address answers nobody, so the messages stay in the outbox."""

_numbers = count(1)


def waiting(story: Story, username: str = "alice", **options: Any) -> dict[str, Any]:
    """A login that waits for its second factor."""
    story.scorer.score = 65.0
    answer: dict[str, Any] = story.login(username, **options).json()
    assert answer["mfa_required"] is True, answer
    return answer


def signed(
    story: Story, body: bytes, *, secret: str = SECRET, message_id: str | None = None, age: float = 0.0
) -> dict[str, str]:
    """The headers of a message that was made `age` seconds ago."""
    message_id = message_id or f"verdict_{next(_numbers)}"
    headers = standard_signer([parse_secret(secret)])(message_id, int(story.clock.now() - age), body)
    return {**headers, "content-type": "application/json"}


def request_of(story: Story, challenge: dict[str, Any], verdict: str = "approved", **changed: Any) -> dict[str, Any]:
    """One signed verdict, ready to be sent."""
    said = {"challenge_id": challenge["challenge_ref"], "verdict": verdict}
    if verdict == "approved" and "number" in challenge:
        said["number"] = challenge["number"]
    body = json.dumps({**said, **changed.pop("body", {})}).encode()
    return {
        "url": f"/mfa/challenges/{changed.pop('at', challenge['challenge_ref'])}/verdict",
        "content": body,
        "headers": signed(story, body, **changed),
    }


def send(story: Story, request: dict[str, Any]) -> httpx2.Response:
    """Send it."""
    return story.ask("POST", request["url"], content=request["content"], headers=request["headers"])


def verdict(story: Story, challenge: dict[str, Any], word: str = "approved", **changed: Any) -> httpx2.Response:
    """Say it; `changed` as `request_of` has it."""
    return send(story, request_of(story, challenge, word, **changed))


def poll(story: Story, challenge: dict[str, Any], **options: Any) -> httpx2.Response:
    """The application looks for the word."""
    body = {"challenge_id": challenge["challenge_id"], "method": "push"}
    return story.ask("POST", "/login/complete", json=body, **options)
