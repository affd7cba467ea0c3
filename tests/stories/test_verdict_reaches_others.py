"""An analyst's verdict, the next model, and somebody else: the attack that was found out scores higher there too."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from tests.integration.risk_scorer.published import publish_model
from tests.stories.scorer_process import Scorer, scorer
from tests.unit.training.logs import START, log, objects
from training.cli import app
from training.outputs import write_events
from training.sources import EventTable

DAY = 86_400.0
LOG = log(2500)
VICTIM, OTHERS = "u3", ("u5", "u10", "u15", "u26", "u33", "u7", "u12", "u21")
Row = dict[str, Any]


def attack(user: str, at: float) -> Row:
    """Everything is the person's own but the TLS handshake: their session, in a program of somebody else."""
    place = int(np.flatnonzero((LOG.user_id == user) & LOG.success & (LOG.ip_rep < 10.0))[-1])
    own = {each.name: getattr(LOG, each.name)[place] for each in fields(LOG) if each.name in columns()}
    return {**own, "timestamp": at, "ja4": "t13d9999h2_aaaaaaaaaaaa_bbbbbbbbbbbb"}


def columns() -> list[str]:
    return [each.name for each in fields(LOG) if isinstance(getattr(LOG, each.name), np.ndarray)]


def with_rows(rows: list[Row]) -> EventTable:
    """The log and these logins, in time order."""
    found: dict[str, Any] = {}
    for name in columns():
        values, more = getattr(LOG, name), [row[name] for row in rows]
        found[name] = np.concatenate(
            [values, objects(more) if values.dtype == object else np.array(more, values.dtype)]
        )
    order = np.argsort(found["timestamp"], kind="stable")
    ordered = {name: values[order] for name, values in found.items()}
    return replace(LOG, **{**ordered, "row_order": np.arange(len(order))}, rows_in_file=len(order))


def run(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


INTRUSION = attack(VICTIM, START + 18 * DAY)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A scorer at which the intrusion was scored, and an analyst and an owner have spoken; it has ended since."""
    place = tmp_path_factory.mktemp("scorer")
    publish_model(place / "models")
    with scorer(place) as process:
        process.start()
        (place / "credential").write_text(process.credential("score,feedback,read"))
        with process.client((place / "credential").read_text()) as client:
            text = ("user_id", "ip", "user_agent", "device_id", "country", "ja4", "ja4h", "ja4s")
            event = {**{name: str(INTRUSION[name]) for name in text}, "timestamp": INTRUSION["timestamp"]}
            for event_id, user in (("bad", VICTIM), ("good", "u8")):
                scored = {**event, "event_id": event_id, "user_id": user}
                client.post("/score", json=scored).raise_for_status()
            said = [
                {"event_id": "bad", "verdict": "confirmed_compromised", "by": "soc/jane", "reason": "ticket 4711"},
                {"event_id": "good", "verdict": "confirmed_safe", "by": "account-owner"},
            ]
            client.post("/feedback", json=said).raise_for_status()
        asked = ("--scorer", process.url, "--credential", place / "credential")
        run("export-labels", *asked, "--out", place / "asked.jsonl")
        return process


def test_a_running_scorer_and_its_database_tell_the_same_labels(service: Scorer, tmp_path: Path) -> None:
    """To the byte, with what stands, by whom."""
    out = tmp_path / "labels.jsonl"
    told = run("export-labels", "--database", f"sqlite:///{service.place}/scorer/scorer.db", "--out", out)
    assert out.read_bytes() == (service.place / "asked.jsonl").read_bytes()
    assert told["standing"] == {"analyst": {"compromised": 1, "safe": 0}, "owner": {"compromised": 0, "safe": 1}}
    assert (told["logins"], out.stat().st_mode & 0o777) == (2, 0o600)


def test_the_next_model_raises_the_same_attack_on_everybody_else(service: Scorer, tmp_path: Path) -> None:
    """By what one verdict may weigh, and what it costs in recall of simulated strangers stays within its bound."""
    write_events(with_rows([INTRUSION]), tmp_path / "log.parquet")
    similar = [attack(user, START + 60 * DAY + number) for number, user in enumerate(OTHERS)]
    write_events(with_rows(similar), tmp_path / "later.parquet")
    scores, told = {}, {}
    for name, more in (("before", ()), ("after", ("--labels", service.place / "asked.jsonl"))):
        model, key = tmp_path / name, tmp_path / "keys" / "signing.key"
        asked = ("--input", tmp_path / "log.parquet", "--model_dir", model, "--key", key)
        asked += ("--without", "user_agent")
        told[name] = run("train", *asked, *more)
        out, public = tmp_path / f"{name}.parquet", key.with_suffix(".pub")
        run("score", "--input", tmp_path / "later.parquet", "--model-dir", model, "--public-key", public,
            "--output", out)  # fmt: skip
        scores[name] = pyarrow.parquet.read_table(out)["risk"].to_numpy()[-len(OTHERS) :]
    assert (scores["after"] > scores["before"]).all()
    assert (scores["after"] - scores["before"]).mean() > 1.0
    labels = told["after"]["labels"]
    assert (labels["kept_out"], labels["taught"]) == (1, 1)
    assert told["after"]["dropped"]["confirmed_compromised"] == 1
    card = json.loads((tmp_path / "after" / "card.json").read_text())
    assert card["label_report"] == labels
    assert card["labels"] == {"analyst": 1, "owner": 1}
    kinds = told["before"]["simulated_prompted"]
    assert all(told["after"]["simulated_prompted"][kind] > kinds[kind] - 0.15 for kind in kinds)
