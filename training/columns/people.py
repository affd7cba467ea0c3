"""Everybody's history, written to a file person by person in the order of their ids, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.history import UserHistory, decode
from training.columns.clocks import Clocks
from training.columns.facts import Facts
from training.columns.histories import LEARNED, NETWORK, PLACE, ZONE, State, rules
from training.columns.history_bytes import logins_of, write_people
from training.columns.texts import Codes

AT_ONCE = 50_000
"""People that one thread works on together."""
THREADS = 2
BYTES_A_PERSON = 4096
_DIRECT = {"ip": "ip", "ja4": "ja4", "ja4h": "ja4h", "ja4s": "ja4s"}


class Chunk(NamedTuple):
    """Written people: their bytes, how many, and of them the one with the most logins with its history's bytes."""

    content: bytes
    people: int
    most_logins: int
    best_known: bytes


@dataclass(frozen=True)
class StoredHistories:
    """A histories file: its digest (SHA-256), its size, whose histories it has and the best known of them."""

    path: Path
    sha256: str
    size: int
    people: int
    best_known: UserHistory


def write_histories(facts: Facts, clocks: Clocks, path: Path) -> StoredHistories:
    """Everybody who logged in or failed to, in a MessagePack map from id to history. Raises OSError."""
    log = facts.log
    rows = np.flatnonzero(log.learned)
    users = log.codes["user_id"][rows]
    order = rows[np.argsort(users, kind="stable")]
    counts = np.bincount(users, minlength=len(log.texts["user_id"]))
    starts = np.concatenate([[0], np.cumsum(counts)])
    del rows, users  # of tens of millions of logins, as much again as their order
    people = log.texts["user_id"].in_order()
    people = people[counts[people] > 0]
    digest, size, most, best = hashlib.sha256(), 0, -1, b""
    with path.open("wb") as file:
        for content in _contents(facts, clocks, order, starts, people):
            if isinstance(content, Chunk):
                most, best = (content.most_logins, content.best_known) if content.most_logins > most else (most, best)
                content = content.content
            digest.update(content)
            size += file.write(content)
    return StoredHistories(path, digest.hexdigest(), size, len(people), decode(best))


def _contents(
    facts: Facts, clocks: Clocks, order: NDArray[np.int64], starts: NDArray[np.int64], people: NDArray[np.int64]
) -> Iterator[bytes | Chunk]:
    yield _map_head(len(people))
    texts = _raw_texts(facts, clocks)
    with ThreadPoolExecutor(THREADS) as threads:
        waiting: list[Any] = []
        for start in range(0, len(people), AT_ONCE):
            some = people[start : start + AT_ONCE]
            waiting.append(threads.submit(_chunk, facts, clocks, order, starts, some, texts))
            if len(waiting) > THREADS:
                yield waiting.pop(0).result()
        for each in waiting:
            yield each.result()


def _chunk(facts: Facts, clocks: Clocks, order: Any, starts: Any, people: Any, texts: Any) -> Chunk:
    sizes = starts[people + 1] - starts[people]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    rows = order[np.repeat(starts[people] - bounds[:-1], sizes) + np.arange(bounds[-1])]
    own = np.arange(len(rows))
    logins = np.zeros(len(people), np.int64)
    columns = _columns(facts, clocks, rows)
    logins_of(bounds, own, columns[1], logins)
    users = facts.log.texts["user_id"].raw()
    best = int(np.argmax(logins))
    written, pieces, ends = 0, [], np.zeros(len(people), np.int64)
    while written < len(people):
        rest = people[written:]
        out = np.empty(max(1 << 20, len(rest) * BYTES_A_PERSON), np.uint8)
        done = write_people(
            rest, bounds[written:], own, State().arrays(), columns, _place_columns(facts), NETWORK, rules(),
            texts, users, out, ends[written:],
        )  # fmt: skip
        if written <= best < written + done:
            begin = int(ends[best - 1]) if best > written else 0
            known = out[begin : ends[best]].tobytes()
        pieces.append(out[: ends[written + done - 1]].tobytes())
        written += done
    return Chunk(b"".join(pieces), len(people), int(logins[best]), _without_key(known))


def _columns(facts: Facts, clocks: Clocks, rows: NDArray[np.int64]) -> tuple[Any, ...]:
    """What `histories.learn` reads of these logins."""
    log, networks = facts.log, facts.networks
    ip = log.codes["ip"][rows]
    zones, offsets = clocks.of(facts, rows)
    place = networks.place[ip]
    codes = np.empty((len(LEARNED), len(rows)), np.int32)
    for level, name in enumerate(LEARNED):
        if level == PLACE:
            codes[level] = facts.places.key[place] if len(facts.places.key) else 0
        elif level == ZONE:
            codes[level] = zones
        else:
            codes[level] = facts.codes(name, rows)
    return (
        log.timestamp[rows].astype(np.int64), np.array(log.success[rows]), facts.is_somebodys(rows),
        facts.is_shared(rows), offsets.astype(np.int64), place, networks.accuracy_km[ip], codes,
    )  # fmt: skip


def _place_columns(facts: Facts) -> tuple[Any, ...]:
    return facts.places.latitude, facts.places.longitude, facts.places.vector


def _raw_texts(facts: Facts, clocks: Clocks) -> tuple[Any, ...]:
    """Texts of each level. Nothing may be added to them while the kernels read."""
    own = {"device": "device_id", "zone": None}
    found = []
    for name in LEARNED:
        texts = clocks.texts if name == "zone" else facts.texts[own.get(name) or name]
        found.append(texts.raw())
    return tuple(found)


def _map_head(people: int) -> bytes:
    """The beginning of a map of so many people. Source: MessagePack specification."""
    if people < 16:
        return bytes([0x80 | people])
    return b"\xde" + people.to_bytes(2) if people < 1 << 16 else b"\xdf" + people.to_bytes(4)


def _without_key(entry: bytes) -> bytes:
    """The history of a map's entry."""
    key = msgspec.msgpack.encode(_KEY.decode(b"\x81" + entry).popitem()[0])
    return entry[len(key) :]


_KEY = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
Coded = Codes
