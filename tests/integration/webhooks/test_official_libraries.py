"""What our worker really sends, judged by the official Standard Webhooks libraries: all of it, and nothing that was
touched or kept back."""

import base64
import json
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import webhooks as official
from standardwebhooks.webhooks import Webhook

from webhooks.announcement import announcement
from webhooks.signing import secret_text, standard_signer

pytestmark = pytest.mark.anyio

OLD, NEW, FOREIGN = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
TOLERANCE_SECONDS = 300

Delivery = tuple[bytes, dict[str, str]]
Judge = Callable[..., list[bool]]


def by_python(deliveries: Sequence[Delivery], *, key: bytes = NEW, now: float | None = None) -> list[bool]:
    """What the Python library says of each."""

    class Held(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) if now is None else datetime.fromtimestamp(now, tz)

    def takes(delivery: Delivery) -> bool:
        try:
            Webhook(secret_text(key)).verify(*delivery)
        except Exception:  # it unpacks some nonsense by force
            return False
        return True

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(official, "datetime", Held)
        return [takes(delivery) for delivery in deliveries]


def by_javascript(deliveries: Sequence[Delivery], *, key: bytes = NEW, now: float | None = None) -> list[bool]:
    """What the JavaScript library says of each."""
    root = Path(__file__).resolve().parents[3]
    script = root / "var" / "node" / "verify_all.mjs"  # beside the packages, where Node.js looks for them
    script.write_text((root / "tests" / "node" / "verify_all.mjs").read_text())
    given = [{"body": base64.b64encode(body).decode(), "headers": headers} for body, headers in deliveries]
    material = json.dumps({"secret": secret_text(key), "now": now, "deliveries": given})
    shown = subprocess.run(
        ["node", str(script)], input=material, capture_output=True, text=True, timeout=60, check=True
    )
    taken: list[bool] = json.loads(shown.stdout)
    return taken


JUDGES = [
    pytest.param(by_python, id="python"),
    pytest.param(by_javascript, id="javascript", marks=pytest.mark.node),
]


def texts(walk: random.Random) -> str:
    letters = ["a", "Z", "0", " ", '"', "\\", "/", "é", "ß", "中", "😀", "\n", "\x00", "\u2028", "</script>"]
    return "".join(walk.choice(letters) for _ in range(walk.choice((0, 1, 8, 200))))


async def deliveries(stage: Any, count: int) -> list[Delivery]:
    """Bodies of every shape, as they came to a receiver while its secret was being changed; half after a failure."""
    walk = random.Random(5)

    async def reply(heard: Any, writer: Any) -> None:
        number = int(heard.headers["webhook-id"].rpartition("_")[2])
        is_first = receiver.ids.count(heard.headers["webhook-id"]) == 1
        await stage.answering(503 if number % 2 and is_first else 200)(heard, writer)

    async with stage.receiving(reply) as receiver:
        bodies = {}
        for number in range(count):
            data = {"username": texts(walk), "score": walk.random() * 100, "reasons": [texts(walk)]}
            bodies[f"msg_{number}"] = announcement("login.denied", at=1_700_000_000.5 + number, data=data)
            await stage.add(f"msg_{number}", "siem", body=bodies[f"msg_{number}"])
        usual = replace(stage.endpoint("siem", receiver.url), signer=standard_signer([NEW, OLD]))
        async with stage.delivering(usual):
            await stage.until(lambda: stage.depth() == 0, seconds=60.0)
    assert set(receiver.ids) == set(bodies)
    assert all(heard.body == bodies[heard.headers["webhook-id"]] for heard in receiver.heard)
    return [(heard.body, heard.headers) for heard in receiver.heard]


def tampered(delivery: Delivery, walk: random.Random) -> Delivery:
    """The delivery with one thing altered."""
    body, headers = delivery
    kind = walk.choice(("bit", "cut", "more", "webhook-id", "webhook-timestamp", "webhook-signature", "none"))
    place = walk.randrange(len(body))
    if kind == "bit":
        return body[:place] + bytes([body[place] ^ (1 << walk.randrange(8))]) + body[place + 1 :], headers
    if kind == "cut":
        return body[:place], headers
    if kind == "more":
        return body + walk.choice((b" ", b"\n", b"\x00", b"}")), headers
    if kind == "none":
        return body, {name: value for name, value in headers.items() if name != "webhook-signature"}
    if kind == "webhook-signature":
        marks = [signature(mark, walk) for mark in headers[kind].split(" ")]
        return body, {**headers, kind: " ".join(marks)}
    other = headers[kind] + "1" if kind == "webhook-id" else str(int(headers[kind]) + walk.choice((-7, -1, 1, 7)))
    return body, {**headers, kind: other}


def signature(mark: str, walk: random.Random) -> str:
    version, _, text = mark.partition(",")
    raw = bytearray(base64.b64decode(text))
    raw[walk.randrange(len(raw))] ^= 1 << walk.randrange(8)
    return f"{version},{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize("judge", JUDGES)
async def test_every_delivery_is_accepted(stage: Any, judge: Judge, is_long: bool) -> None:
    """With the new secret and with the one that it replaces, first attempts and repetitions alike."""
    sent = await deliveries(stage, 2_000 if is_long else 60)
    assert judge(sent) == [True] * len(sent)
    assert judge(sent, key=OLD) == [True] * len(sent)


@pytest.mark.parametrize("judge", JUDGES)
async def test_every_tampered_delivery_is_refused(stage: Any, judge: Judge, is_long: bool) -> None:
    """One bit is enough, wherever it is; and so is another's secret."""
    sent, walk = await deliveries(stage, 20), random.Random(6)
    touched = [tampered(delivery, walk) for delivery in sent for _ in range(1_000 if is_long else 30)]
    assert judge(touched) == [False] * len(touched)
    assert judge(sent, key=FOREIGN) == [False] * len(sent)


@pytest.mark.parametrize("judge", JUDGES)
async def test_every_replayed_delivery_is_refused(stage: Any, judge: Judge) -> None:
    """A delivery that was kept back is refused once its five minutes are over, and so is one from the future."""
    sent = await deliveries(stage, 20)
    signed = [int(headers["webhook-timestamp"]) for _, headers in sent]
    assert judge(sent, now=min(signed) + TOLERANCE_SECONDS - 10) == [True] * len(sent)
    for later in (max(signed) + TOLERANCE_SECONDS + 1, max(signed) + 86_400, min(signed) - TOLERANCE_SECONDS - 1):
        assert judge(sent, now=later) == [False] * len(sent)


async def test_a_repetition_has_the_same_id_and_the_same_body(stage: Any) -> None:
    """The libraries keep nothing: within that time a receiver drops by its id what it has had."""
    sent = await deliveries(stage, 20)
    by_id: dict[str, set[bytes]] = {}
    for body, headers in sent:
        by_id.setdefault(headers["webhook-id"], set()).add(body)
    assert [len(bodies) for bodies in by_id.values()] == [1] * 20
    assert len(sent) == 30
