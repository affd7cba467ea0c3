"""An MFA system in forty lines: it is told of logins that wait, asks their person, and says yes or no to the gateway.

In place of phones it has two addresses of its own: `GET /waiting/{user_id}` is what the phone would show, `POST
/answers/{challenge_id}` what its owner answers. A real one lets nobody but that owner come there.

Usage: GATEWAY=https://id.example WEBHOOK_SECRET=whsec_… python mfa_receiver.py
"""

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError


def mfa_receiver(gateway: str, secret: str, http: httpx2.AsyncClient) -> FastAPI:
    app, webhook, waiting = FastAPI(), Webhook(secret), dict[str, dict[str, Any]]()

    @app.post("/webhook", status_code=204)
    async def told(request: Request) -> None:
        try:
            message = webhook.verify(await request.body(), dict(request.headers))
        except WebhookVerificationError:
            raise HTTPException(401) from None
        data = message["data"]
        if message["type"] == "login.mfa_required" and "push" in data:  # without it, our word does not count
            waiting[data["challenge_id"]] = data  # by its id: a message may come twice

    @app.get("/waiting/{user_id}")
    async def shown(user_id: str) -> list[dict[str, Any]]:
        fields = ("challenge_id", "ip", "client_id", "push")  # with number matching the phone asks for the number
        return [{field: each[field] for field in fields} for each in waiting.values() if each["user_id"] == user_id]

    @app.post("/answers/{challenge_id}")
    async def answered(challenge_id: str, answer: dict[str, str]) -> Response:
        said = {"challenge_id": challenge_id, "verdict": answer["verdict"], "number": answer.get("number", "")}
        body, message_id, now = json.dumps(said), f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
        headers["webhook-signature"] = webhook.sign(message_id, now, body)
        taken = await http.post(f"{gateway}/mfa/challenges/{challenge_id}/verdict", content=body, headers=headers)
        if taken.json().get("error") != "wrong_number":  # that one may be tried again
            waiting.pop(challenge_id, None)
        return Response(taken.content, taken.status_code, media_type="application/json")

    return app


if __name__ == "__main__":
    receiver = mfa_receiver(os.environ["GATEWAY"], os.environ["WEBHOOK_SECRET"], httpx2.AsyncClient())
    uvicorn.run(receiver, port=int(os.environ.get("PORT", "9300")))
