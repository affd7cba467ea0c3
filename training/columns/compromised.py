"""Leaves confirmed compromises out of a large log, as `labels.without_compromised` does with a small one."""

from __future__ import annotations

import numpy as np

from training.columns.log import CodedLog
from training.labels import DROPPED, Login
from training.refusals import WrongInputError


def without_compromised_rows(log: CodedLog, compromised: frozenset[Login]) -> CodedLog:
    """The log without these logins, counted in `dropped`; labels that it does not have are told in `notes`.

    Raises WrongInputError("no_usable_rows") when nothing is left.
    """
    if not compromised:
        return log
    step = 1000 if (log.timestamp % 1.0 == 0.0).all() else 1  # a log of whole seconds has cut the rest off
    wanted = frozenset((user, moment // step, ip) for user, moment, ip in compromised)
    moments = np.round(log.timestamp * 1000).astype(np.int64) // step
    users, addresses = log.texts["user_id"], log.texts["ip"]
    drop, met = np.zeros(len(log), bool), set()
    for row in np.flatnonzero(np.isin(moments, [moment for _, moment, _ in wanted])).tolist():
        login = (
            users.text(int(log.codes["user_id"][row])), int(moments[row]), addresses.text(int(log.codes["ip"][row]))
        )  # fmt: skip
        if login in wanted:
            drop[row] = True
            met.add(login)
    missed = len(wanted) - len(met)
    notes = (f"{missed} of {len(wanted)} confirmed compromises are not among the usable rows",) if missed else ()
    if drop.all():
        raise WrongInputError("no_usable_rows", "every usable row of the log is a confirmed compromise")
    return log.without(drop, why=DROPPED, notes=notes)
