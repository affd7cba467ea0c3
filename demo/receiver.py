"""A webhook receiver as an MFA system or a SIEM would run one, in a process of its own.

It takes a delivery only if the official Standard Webhooks library verifies it, writes it to a file before it answers,
and answers duplicates (the sender may repeat after a crash) without writing them twice.
Usage: python -m demo.receiver PORT FILE, with the secret in DEMO_WEBHOOK_SECRET.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 256 * 1024


class Inbox:
    """Deliveries on disk, each message id once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._seen = {json.loads(line)["id"] for line in path.read_text().splitlines()} if path.exists() else set()

    def keep(self, message_id: str, body: bytes) -> None:
        """Return once the delivery is on disk."""
        with self._lock:
            if message_id in self._seen:
                return
            line = json.dumps({"id": message_id, "message": json.loads(body)}) + "\n"
            with self._path.open("a", encoding="utf-8") as sink:
                sink.write(line)
                sink.flush()
                os.fsync(sink.fileno())
            self._seen.add(message_id)


def handler(webhook: Webhook, inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if not 0 < length <= LARGEST_BODY:
                self.answer(413)
                return
            body = self.rfile.read(length)
            try:
                webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
            except WebhookVerificationError:
                self.answer(401)
                return
            inbox.keep(self.headers["webhook-id"], body)
            self.answer(204)

        def do_GET(self) -> None:
            self.answer(200)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Deliveries are in the file; the log stays empty."""

    return Receiver


def main() -> None:
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    webhook = Webhook(os.environ["DEMO_WEBHOOK_SECRET"])
    ThreadingHTTPServer(("127.0.0.1", port), handler(webhook, Inbox(path))).serve_forever()


if __name__ == "__main__":
    main()
