"""What is told of labels: counts by source, what became of them, and how late they come."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.logs import LOOKUPS, START, log
from training.labelling.evidence import evidence_of
from training.labelling.matching import matched
from training.labelling.report import ASSUMED_DAYS, DAY, LEAST_DELAYS, Taught, delay_of, label_report, labelled
from training.labelling.standing import Label

TABLE = log(400)
END = float(TABLE.timestamp[-1])


def late(days: list[float]) -> tuple[Label, ...]:
    return tuple(
        Label((f"u{n}", int(START * 1000), "10.0.0.1"), True, "analyst", "a", 1.0, START + each * DAY, False)
        for n, each in enumerate(days)
    )


def test_young_logins_are_those_that_nobody_can_know_yet() -> None:
    """Nine of ten compromises were known within so many days; what is younger than that says nothing by silence."""
    found = delay_of(late([1.0] * (LEAST_DELAYS - 2) + [6.0] * 2), TABLE.timestamp, END)
    assert (found.median_days, found.is_assumed) == (1.0, False)
    assert 1.0 <= found.most_days <= 6.0
    share = float((TABLE.timestamp > END - found.most_days * DAY).mean())
    assert found.too_young == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(("count", "assumed"), [(LEAST_DELAYS - 1, True), (LEAST_DELAYS, False)])
def test_few_labels_say_nothing_about_delays(count: int, assumed: bool) -> None:
    """Then two weeks are assumed, and that is told."""
    found = delay_of(late([2.0] * count), TABLE.timestamp, END)
    assert (found.is_assumed, found.most_days) == (assumed, ASSUMED_DAYS if assumed else 2.0)


def test_all_of_it_is_counted_and_nobody_is_named(tmp_path: Path) -> None:
    """By source and label; a name, an address or a mouth in a model would be told to whoever reads it."""
    rows = [
        {"user_id": TABLE.user_id[row], "timestamp": float(TABLE.timestamp[row]), "ip": TABLE.ip[row], "label": label,
         "by": by, "source": source, "known_at": known_at}
        for row, label, by, source, known_at in (
            (100, "compromised", "jane", "analyst", START),
            (120, "safe", "account-owner", "owner", START),
            (130, "withdrawn", "jane", "analyst", START),
            (140, "compromised", "jane", "analyst", END + DAY),
        )
    ]  # fmt: skip
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = labelled(path, TABLE.timestamp, partial(matched, TABLE), until=END)
    report = label_report(found, evidence_of(found.matched, LOOKUPS), Taught(1, 1), 0.5)
    assert report.standing == {
        "analyst": {"compromised": 1, "safe": 0},
        "owner": {"compromised": 0, "safe": 1},
    }
    assert (report.withdrawn, report.too_late, report.kept_out, report.not_in_log) == (1, 1, 1, 0)
    assert (report.compromised_weight, report.safe_weight, report.weight_used) == (0.0025, 0.0015, 0.5)
    assert len(report.sha256) == 64
    told = repr(report)
    assert not any(secret in told for secret in ("jane", TABLE.user_id[100] + "'", TABLE.ip[100]))
    assert report.largest["person"] == pytest.approx(0.05)
    assert isinstance(found.matched.table.timestamp, np.ndarray)
