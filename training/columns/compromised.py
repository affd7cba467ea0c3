"""Finds labelled logins in a large log, as `labelling.matching.matched` does in a small one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from training.columns.log import CodedLog
from training.labelling.matching import DROPPED, Matched, found_in
from training.labelling.standing import Label


def matched_rows(log: CodedLog, labels: Iterable[Label]) -> Matched[CodedLog]:
    """The log without its compromises, counted in `dropped`, and its labelled rows. Raises as `matched`."""
    users, addresses = log.texts["user_id"], log.texts["ip"]

    def whose(row: int) -> tuple[str, str]:
        return users.text(int(log.codes["user_id"][row])), addresses.text(int(log.codes["ip"][row]))

    found = found_in(log.timestamp, whose, labels)
    drop = found.compromised(len(log))
    return Matched(
        table=log.without(drop, why=DROPPED, notes=found.notes),
        rows=log.table(np.array(sorted(found.places), np.int64)),
        labels=found.labels,
        kept_out=int(drop.sum()),
        missed=found.missed,
    )
