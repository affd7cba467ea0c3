"""What detectors remember, the most recently used of it in memory and all of it on disk.

A process that has the database to itself changes memories in place and writes them behind, every `FLUSH_SECONDS`: a
crash loses what baselines have learned since, and nothing else, for a session at or above the first mark is written
with the answer that says so, and a trace is over within seconds. Where several processes share a database, persons,
sessions and traces are read for each batch and written with its events; what many share (roles, services, everybody) is
read again after `FRESH_SECONDS` and written behind.

Bounded: of each scope `most` memories are in memory, whose sizes the detectors bound. Fails closed: a memory that
cannot be read is a 503, for a judgement without it would mean something else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.erasure import without
from risk_scorer.adapters.activity.memory_rows import Stored, Written, stored_at, write_memories
from risk_scorer.core.activity.memory import SCOPES, Memory, Part, Scope, packed, unpacked
from risk_scorer.flows.activity.ports import Place

FLUSH_SECONDS: Final = 30.0
FLUSH_PLACES: Final = 500
"""Memories that one transaction writes behind, so that the event loop and the writer are never held for long."""
FRESH_SECONDS: Final = 5.0
SHARED: Final[frozenset[Scope]] = frozenset({"peers", "service", "world"})
"""What many people share: it changes at every event, so it is never written with one."""

log = structlog.get_logger(__name__)
Parts = Callable[[Scope], Mapping[str, type[Part]]]


class _Entry:
    """One memory; `version` is that of its row, of what is on its way there included."""

    __slots__ = ("is_dirty", "memory", "on_way", "read_at", "version")

    def __init__(self, memory: Memory, version: int, read_at: float) -> None:
        self.memory = memory
        self.version = version
        self.read_at = read_at
        self.is_dirty = False
        self.on_way = 0


class MemoryStore:
    """Memories by place. Use it from the event loop."""

    def __init__(
        self, database: Database, *, clock: Clock, parts: Parts, most: Mapping[Scope, int], is_alone: bool
    ) -> None:
        self._database = database
        self._clock = clock
        self._parts = {scope: parts(scope) for scope in SCOPES}
        self._most = most
        self._is_alone = is_alone
        self._entries: dict[str, OrderedDict[str, _Entry]] = {scope: OrderedDict() for scope in SCOPES}
        self._passing: OrderedDict[str, Memory] = OrderedDict()  # traces, where they are never written
        self._leaving: dict[Place, Written] = {}
        self._flying: dict[Place, Written] = {}
        self._dirty: dict[Place, None] = {}
        self.lost = self.dropped = 0
        self.written_at = clock.now()

    def at(self, places: Iterable[Place]) -> dict[Place, Memory]:
        """What is remembered there, to be changed in place; begun where there is nothing. Raises: Refused."""
        now, missing, found = self._clock.monotonic(), [], {}
        for place in dict.fromkeys(places):
            if place[0] == "trace" and self._is_alone:
                found[place] = self._passing_at(place[1])
                continue
            entry = self._usable(place, now)
            if entry is None:
                missing.append(place)
            else:
                found[place] = entry.memory
        if missing:
            stored = self._database.read(lambda tx: stored_at(tx, missing))
            for place in missing:
                found[place] = self._taken(place, stored.get(place), now)
            self._let_go()
        return found

    async def copies(self, places: Iterable[Place]) -> dict[Place, Memory]:
        """What is remembered there, as copies of it: nothing here moves, is taken in or leaves, and what is changed in
        them changes nothing. Raises: Refused."""
        now = self._clock.monotonic()
        held = {place: self._held_packed(place, now) for place in dict.fromkeys(places)}
        missing = [place for place, whole in held.items() if whole is None]
        stored = await self._database.read_in_thread(lambda tx: stored_at(tx, missing)) if missing else {}
        wholes = held | {place: each.packed for place, each in stored.items()}
        return {place: {} if whole is None else self._read(place[0], whole) for place, whole in wholes.items()}

    def changed(self, places: Iterable[Place], *, with_events: Iterable[Place] = ()) -> list[Written]:
        """These have changed; what is to be written with the events that changed them: `with_events`, and where others
        look too, all that is not shared by many."""
        now_written = dict.fromkeys(with_events)
        for place in places:
            entry = self._entries[place[0]].get(place[1])
            if entry is None:
                continue
            if not self._is_alone and place[0] not in SHARED:
                now_written[place] = None
            elif not entry.is_dirty:
                entry.is_dirty = True
                self._dirty[place] = None
        return self._packed(now_written)

    def settle(self, written: Iterable[Written], lost: Iterable[Place]) -> None:
        """These are on the disk, but for those that were lost to another process: they are read again."""
        for each in written:
            entry = self._entries[each.place[0]].get(each.place[1])
            if entry is not None:
                entry.on_way = max(0, entry.on_way - 1)
        for place in lost:
            self._drop(place)
            self.lost += 1

    def undo(self, places: Iterable[Place]) -> None:
        """What changed these was not kept: take nothing for known of them but what is on the disk. What many share has
        learned one event too much, which is better than to forget what it learned of others.
        """
        for place in places:
            if place[0] not in SHARED:
                self._drop(place)

    async def flush(self) -> int:
        """Write what has changed, a piece at a time; how many memories. Raises: Refused; then it waits on.

        One flush at a time: its caller sees to that.
        """
        total = 0
        while piece := self._piece():
            await self._write(piece)
            total += len(piece)
        self.written_at = self._clock.now()
        return total

    def forget(self, places: Iterable[Place]) -> None:
        """Take nothing for known there, which somebody has just deleted."""
        for place in places:
            self._drop(place)

    def forget_name(self, name: str) -> None:
        """Have nothing of this person in what many share."""
        needle = name.encode()
        for scope in SHARED:
            for key, entry in self._entries[scope].items():
                whole = packed(entry.memory)
                if needle in whole:
                    entry.memory = self._read(scope, without(whole, name))
                    entry.is_dirty = True
                    self._dirty[scope, key] = None

    @property
    def waiting(self) -> int:
        """How many memories have changed since they were written."""
        return len(self._dirty) + len(self._leaving)

    @property
    def held(self) -> dict[str, int]:
        """How many memories of each scope are here."""
        return {scope: len(entries) for scope, entries in self._entries.items()} | (
            {"trace": len(self._passing)} if self._is_alone else {}
        )

    def _passing_at(self, trace_id: str) -> Memory:
        memory = self._passing.get(trace_id)
        if memory is not None:
            self._passing.move_to_end(trace_id)
            return memory
        memory = self._passing[trace_id] = {}
        if len(self._passing) > self._most["trace"]:
            self._passing.popitem(last=False)
        return memory

    def _usable(self, place: Place, now: float) -> _Entry | None:
        entry = self._at_hand(place, now)
        if entry is not None:
            self._entries[place[0]].move_to_end(place[1])
        return entry

    def _at_hand(self, place: Place, now: float) -> _Entry | None:
        """The memory, where what is here is what is known of it."""
        entry = self._entries[place[0]].get(place[1])
        if entry is None:
            return None
        is_ours = self._is_alone or entry.is_dirty or entry.on_way
        is_fresh = place[0] in SHARED and now - entry.read_at < FRESH_SECONDS
        return entry if is_ours or is_fresh else None

    def _held_packed(self, place: Place, now: float) -> bytes | None:
        """The memory as it would be written, where it is here."""
        entry = self._at_hand(place, now)
        if entry is not None:
            return packed(entry.memory)
        waiting = self._flying.get(place) or self._leaving.get(place)
        return None if waiting is None else waiting.packed

    def _taken(self, place: Place, stored: Stored | None, now: float) -> Memory:
        scope, key = place
        if place in self._flying:
            flying = self._flying[place]
            entry = _Entry(self._read(scope, flying.packed), flying.version, now)
            entry.on_way = 1
        elif place in self._leaving:
            leaving = self._leaving.pop(place)
            entry = _Entry(self._read(scope, leaving.packed), leaving.read_version, now)
            entry.is_dirty = True
            self._dirty[place] = None
        elif stored is None:
            entry = _Entry({}, 0, now)
        else:
            known = self._entries[scope].get(key)
            if known is not None and known.version == stored.version:
                known.read_at = now
                return known.memory
            entry = _Entry(self._read(scope, stored.packed), stored.version, now)
        self._entries[scope][key] = entry
        self._entries[scope].move_to_end(key)
        return entry.memory

    def _read(self, scope: Scope, stored: bytes) -> Memory:
        try:
            return unpacked(stored, self._parts[scope])
        except msgspec.MsgspecError:
            log.warning("memory_unreadable", scope=scope)  # another version's: it is learned anew
            return {}

    def _packed(self, places: Iterable[Place]) -> list[Written]:
        written = []
        for place in places:
            entry = self._entries[place[0]].get(place[1])
            if entry is None:
                continue
            written.append(Written(place, packed(entry.memory), entry.version, entry.version + 1))
            entry.version += 1
            entry.on_way += 1
            entry.is_dirty = False
            self._dirty.pop(place, None)
        return written

    def _piece(self) -> list[Written]:
        leaving = [self._leaving.pop(place) for place in list(islice(self._leaving, FLUSH_PLACES))]
        self._flying = {each.place: each for each in leaving}
        return leaving + self._packed(list(islice(self._dirty, FLUSH_PLACES - len(leaving))))

    async def _write(self, piece: Sequence[Written]) -> None:
        now = self._clock.now()
        try:
            lost = await self._database.write(lambda tx: write_memories(tx, piece, now))
        except Refused:
            for each in piece:  # what is in memory is newer than the row all the same: the next flush writes it
                self._unwritten(each)
            raise
        finally:
            self._flying = {}
        self.settle(piece, lost)

    def _unwritten(self, each: Written) -> None:
        entry = self._entries[each.place[0]].get(each.place[1])
        if entry is None:
            self._leaving.setdefault(each.place, each)
            return
        entry.version, entry.on_way, entry.is_dirty = each.read_version, max(0, entry.on_way - 1), True
        self._dirty[each.place] = None

    def _let_go(self) -> None:
        """The longest unused leave; what has changed waits packed for the next flush."""
        for scope, entries in self._entries.items():
            most = self._most[scope]  # type: ignore[index] # the same scopes
            while len(entries) > most:
                key, entry = entries.popitem(last=False)
                if entry.on_way:  # its row is being written: it stays until that is done
                    entries[key] = entry
                    break
                if entry.is_dirty:
                    place: Place = (scope, key)  # type: ignore[assignment] # one of SCOPES
                    self._dirty.pop(place, None)
                    self._leaving[place] = Written(place, packed(entry.memory), entry.version, entry.version + 1)
            while len(self._leaving) > most + FLUSH_PLACES:
                del self._leaving[next(iter(self._leaving))]
                self.lost, self.dropped = self.lost + 1, self.dropped + 1

    def _drop(self, place: Place) -> None:
        if place[0] == "trace":
            self._passing.pop(place[1], None)
        self._entries[place[0]].pop(place[1], None)
        self._dirty.pop(place, None)
        self._leaving.pop(place, None)
