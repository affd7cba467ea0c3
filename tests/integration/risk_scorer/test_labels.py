"""`risk-scorer labels`: what was confirmed leaves as a file that training reads."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from plumbing.clock import FixedClock
from risk_scorer.adapters import label_file
from risk_scorer.adapters.label_file import write_whole
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import open_state
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.adapters.verdict_words import MOST_OF_A_LOGIN
from risk_scorer.cli import app
from risk_scorer.contract.feedback import VerdictKind, VerdictSource
from risk_scorer.core.verdicts import taught_by
from risk_scorer.flows.ports import JudgedLogin, Judgement
from risk_scorer.settings import Settings
from tests.integration.risk_scorer.observations import NOW, event, observation
from tests.integration.risk_scorer.service import EVENT, Running, running
from training.labels import read_labels
from training.sources import read_events

pytestmark = pytest.mark.anyio
FIELDS = {
    "user_id", "ip", "timestamp", "user_agent", "device_id", "success", "country", "region", "city", "ja4", "ja4h",
    "ja4s", "asn", "ip_rep", "event_id", "kind", "session", "label", "by", "source", "at",
    "known_at", "words",
}  # fmt: skip


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scorer's own place, and nothing that the machine happens to have set."""
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["labels", *arguments])


def drafts(place: Path) -> list[Path]:
    return list(place.glob(".labels*"))


@contextmanager
def verdict_store(place: Path, now: float = NOW) -> Iterator[VerdictStore]:
    database, clock = open_state(place / "scorer"), FixedClock(now)
    yield VerdictStore(database, profiles=ProfileStore(database, clock=clock), clock=clock)
    database.close()


async def judge(place: Path, *verdicts: VerdictKind) -> None:
    """One login of e0, e1, … for each verdict, a second apart."""
    judgements = []
    for number, verdict in enumerate(verdicts):
        seen = event(event_id=f"e{number}", timestamp=NOW + number + 0.25, user_agent="M5", ip="2001:DB8::1")
        context = taught_by(observation(timestamp=NOW + number + 0.25, ip="2001:db8::1"), "success")
        login = JudgedLogin(event=seen, score=None, context=context)
        judgements.append(
            Judgement(event_id=f"e{number}", verdict=verdict, by="soc", reason="x", ts=NOW + 99, login=login)
        )
    with verdict_store(place) as store:
        await store.record(judgements)


async def say(place: Path, now: float, verdict: VerdictKind, by: str, source: VerdictSource | None = None) -> None:
    """Another word about e0."""
    judgement = Judgement(event_id="e0", verdict=verdict, by=by, reason="", ts=now - 1, login=None, source=source)
    with verdict_store(place, now) as store:
        await store.record([judgement])


def labels() -> list[dict[str, Any]]:
    return [json.loads(line) for line in run().stdout.splitlines()]


async def test_each_confirmed_login_is_one_line(place: Path) -> None:
    """All fields of the event, its moment in seconds, what was found, by whom and when; a dismissal is no label."""
    await judge(place, "confirmed_compromised", "dismissed", "confirmed_safe")
    lines = [json.loads(line) for line in run().stdout.splitlines()]
    assert [(line["event_id"], line["label"], line["by"], line["at"]) for line in lines] == [
        ("e0", "compromised", "soc", NOW + 99),
        ("e2", "safe", "soc", NOW + 99),
    ]
    assert {frozenset(line) for line in lines} == {frozenset(FIELDS)}
    assert (lines[0]["timestamp"], lines[0]["user_agent"], lines[0]["ja4"]) == (NOW + 0.25, "M5", None)


async def test_the_file_is_closed_to_others_and_not_replaced_unasked(place: Path) -> None:
    """A file that is there stays until --force, and then has everything."""
    await judge(place, "confirmed_compromised")
    out = place / "labels.jsonl"
    assert run("--out", str(out)).stdout == f"1 labels in {out}\n"
    assert out.stat().st_mode & 0o777 == 0o600
    out.write_text("mine")
    refused = run("--out", str(out))
    assert (refused.exit_code, refused.stderr) == (2, f"risk-scorer: {out} exists; --force replaces it\n")
    assert out.read_text() == "mine"
    assert run("--out", str(out), "--force").exit_code == 0
    assert out.read_text() == run().stdout
    assert drafts(place) == []


async def test_a_place_that_cannot_be_written_is_one_line(place: Path) -> None:
    """No traceback, and status 2."""
    done = run("--out", str(place / "nowhere" / "labels.jsonl"))
    assert (done.exit_code, "cannot be written" in done.stderr) == (2, True)


def test_what_breaks_off_leaves_the_file_as_it_was(place: Path) -> None:
    """Half a file of labels would be a model that learns from compromises."""
    out = place / "labels.jsonl"
    out.write_text("before")

    def broken() -> object:
        yield b"{}\n"
        raise OSError(5, "gone")

    with pytest.raises(OSError, match="gone"):
        write_whole(out, broken(), may_replace=True)  # type: ignore[arg-type]
    assert out.read_text() == "before"
    assert drafts(place) == []


async def test_more_labels_than_a_page_all_leave(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand and one verdicts are a thousand and one lines."""
    count = label_file.PAGE_ROWS + 1
    await judge(place, *["confirmed_safe"] * count)
    assert len(set(run().stdout.splitlines())) == count


async def test_training_reads_what_was_written(place: Path) -> None:
    """The compromised ones are known by person, moment and address; the file is a login log as well."""
    await judge(place, "confirmed_compromised", "confirmed_safe")
    out = place / "labels.jsonl"
    run("--out", str(out))
    assert read_labels(out) == {("alice", 1_760_000_000_250, "2001:db8::1")}
    assert list(read_events(out).timestamp) == [NOW + 0.25, NOW + 1.25]


async def test_every_word_about_a_login_is_told_in_its_order(place: Path) -> None:
    """Who said what when, and the label is the newest; the same from the same mouth again is no word."""
    await judge(place, "confirmed_compromised")
    await say(place, NOW + 200, "confirmed_compromised", "account-owner")
    await say(place, NOW + 300, "confirmed_safe", "bank", "shared_signals")
    await say(place, NOW + 400, "confirmed_safe", "bank", "shared_signals")
    await say(place, NOW + 500, "dismissed", "soc")
    [label] = labels()
    assert (label["label"], label["source"], label["known_at"]) == ("withdrawn", "analyst", NOW + 500)
    assert [(word["source"], word["verdict"], word["known_at"]) for word in label["words"]] == [
        ("analyst", "confirmed_compromised", NOW),
        ("owner", "confirmed_compromised", NOW + 200),
        ("shared_signals", "confirmed_safe", NOW + 300),
        ("analyst", "dismissed", NOW + 500),
    ]


async def test_a_program_that_goes_on_telling_fills_no_disk(place: Path) -> None:
    """Of one login the newest words are kept."""
    await judge(place, "confirmed_safe")
    for number in range(MOST_OF_A_LOGIN + 3):
        await say(place, NOW + number, "confirmed_safe", f"mouth-{number}")
    [label] = labels()
    assert [word["by"] for word in label["words"]] == [f"mouth-{number}" for number in range(3, MOST_OF_A_LOGIN + 3)]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


async def test_a_running_scorer_tells_them_page_by_page(service: Running) -> None:
    """As the command writes them; the page after the last id is the end."""
    for number in range(3):
        event_id = f"login-{number}"
        await service.client.post("/score", json={**EVENT, "event_id": event_id})
        said = {"event_id": event_id, "verdict": "confirmed_safe", "by": "desk", "source": "analyst"}
        assert (await service.client.post("/feedback", json=said)).status_code == 200
    first = (await service.client.get("/labels", params={"limit": 2})).json()
    assert ([label["event_id"] for label in first["labels"]], first["next"]) == (["login-0", "login-1"], "login-1")
    rest = (await service.client.get("/labels", params={"limit": 2, "after": first["next"]})).json()
    assert ([label["event_id"] for label in rest["labels"]], rest["next"]) == (["login-2"], None)
    [word] = rest["labels"][0]["words"]
    assert (word["by"], word["source"], rest["labels"][0]["source"]) == ("desk", "analyst", "analyst")


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"after": "a" * 129}, {"after": "\0"}]
)
async def test_a_page_that_cannot_be_is_refused(service: Running, query: dict[str, str]) -> None:
    """With a stable code, and nothing of the question in the answer."""
    answer = await service.client.get("/labels", params=query)
    assert (answer.status_code, answer.json()["error"]) in {(422, "invalid_request"), (422, "unsafe_text")}


async def test_labels_are_for_who_may_read(service: Running) -> None:
    """They name people: reporting is not enough."""
    other = service.scorer.credentials.add("reporter", ["feedback"])
    answer = await service.client.get("/labels", headers={"Authorization": f"Bearer {other}"})
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
