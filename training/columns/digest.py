"""The digest of a coded log: of what its rows say in time order, whatever numbers the reading gave its texts."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from training.columns.log import CodedLog
from training.columns.texts import Codes, Texts

ROWS_AT_ONCE = 1 << 20


def coded_sha256(log: CodedLog) -> str:
    """The same for the same rows, in whichever order files were read and whatever stood in dropped rows."""
    total = hashlib.sha256()
    for name in ("timestamp", "success", "asn", "ip_rep", "rtt_ms"):
        total.update(f"\n{name} {len(log)}\n".encode())
        total.update(np.ascontiguousarray(getattr(log, name)).data)
    for name, codes in log.codes.items():
        total.update(f"\n{name} {len(log)}\n".encode())
        _add(total, codes, log.texts[name])
    return total.hexdigest()


def _add(total: Any, codes: Codes, texts: Texts) -> None:
    """The column, its texts numbered as they come from 1 on ("" is 0), and then these texts."""
    new, old = np.full(len(texts), -1, np.int32), np.zeros(len(texts), np.int64)
    new[0], known = 0, 1
    for start in range(0, len(codes), ROWS_AT_ONCE):
        piece = np.ascontiguousarray(codes[start : start + ROWS_AT_ONCE])
        numbers = np.empty(len(piece), np.int32)
        known = _number(piece, new, old, known, numbers)
        total.update(numbers.data)
    came = texts.arrow().take(old[:known])
    for buffer in came.buffers()[1:]:
        total.update(buffer if buffer is not None else b"")


@njit(cache=True, nogil=True)
def _number(codes: NDArray[Any], new: Any, old: Any, known: int, numbers: Any) -> int:
    for row in range(codes.shape[0]):
        code = codes[row]
        if new[code] < 0:
            new[code] = known
            old[known] = code
            known += 1
        numbers[row] = new[code]
    return known
