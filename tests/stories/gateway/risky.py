"""The scorer's word about a session, signed as it signs it."""

from typing import Any

import httpx2
import msgspec

from risk_scorer.contract.assessment import risk_level
from risk_scorer.contract.signals import SIGNAL_PATH
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story
from webhooks.signing import secret_text, standard_signer

KEY = bytes(range(32))
SECRET = secret_text(KEY)
PROVIDER: dict[str, Any] = {
    "jwt_issuer": ISSUER,
    "risk_api_credential": "rgs_test",
    "session_signal_secret": SECRET,
}
"""What a gateway is set to that takes the scorer's word and is a provider."""
RECOMMENDED = ((97, "freeze"), (90, "logout"), (80, "reset_session"), (60, "step_up"), (0, "allow"))


def said(story: Story, session_id: str, score: float, *, user_id: str = "id-alice", **more: Any) -> dict[str, Any]:
    """A signal about that session, seen just now."""
    return {
        "signal_id": more.pop("signal_id", f"sig_{session_id}_{score}"),
        "session_id": session_id,
        "user_id": user_id,
        "score": score,
        "level": risk_level(score),
        "recommended": next(word for mark, word in RECOMMENDED if score >= mark),
        "reasons": [{"code": "several_actors", "points": score, "text": "Two browsers in one session."}],
        "observed_at": story.clock.now(),
        "source": "activity",
        **more,
    }


def signed(body: bytes, message_id: str, at: float, key: bytes = KEY) -> dict[str, str]:
    """The headers that prove who says it."""
    return {"content-type": "application/json", **standard_signer([key])(message_id, int(at), body)}


def signal(story: Story, session_id: str, score: float, **more: Any) -> httpx2.Response:
    """The scorer tells the gateway."""
    told = said(story, session_id, score, **more)
    body = msgspec.json.encode(told)
    return story.ask("POST", SIGNAL_PATH, content=body, headers=signed(body, told["signal_id"], story.clock.now()))


def user_risk(story: Story, user_id: str = "id-alice") -> float:
    """What is held against the person."""
    with story.gateway.database.engine.connect() as connection:
        query = f"SELECT value FROM user_risk WHERE user_id = '{user_id}'"  # noqa: S608 -- ours
        found = connection.exec_driver_sql(query).fetchone()
    return 0.0 if found is None else float(found[0])
