"""Events that come by a stream: decoded, scored as a bulk is, kept once by their ids, learned from where they ended.

Whatever is handed in may have been handed in before: an id that the log has is not scored again. Its result is
published again only where we cannot know whether it was: where the record lies before what its place was kept up to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from plumbing.bodies import decode
from plumbing.refusals import Refused
from risk_scorer.contract.activity import Assessment, AssessRequest
from risk_scorer.contract.feedback import Outcome
from risk_scorer.contract.stream import StreamedActivity, StreamedLogin
from risk_scorer.core.stream_events import derived_id, identified, login_of
from risk_scorer.flows.assess import CHUNK, Assess
from risk_scorer.flows.learn import Learn
from risk_scorer.flows.ports import (
    Announcement,
    Lesson,
    LoggedEvents,
    Place,
    ScoredEvent,
    StreamLog,
    StreamMessage,
    StreamRecord,
    StreamResult,
)

MAX_RECORD_BYTES: Final = 64 * 1024
"""As much as `/score` takes."""
LESSONS_TOGETHER: Final = 250
"""Outcomes that one transaction learns, so that the writer is never held for long."""

_login = msgspec.json.Decoder(StreamedLogin)
_activity = msgspec.json.Decoder(StreamedActivity)
_asked = msgspec.json.Decoder(AssessRequest)
_outcome = msgspec.json.Decoder(Outcome)
_encode = msgspec.json.Encoder().encode


class JudgesActivity(Protocol):
    async def many(self, requests: Sequence[AssessRequest], *, may_vouch: bool) -> Sequence[Assessment | Refused]:
        """An answer or a refusal for each, in order, durably kept. Raises: Refused (503)."""
        ...


class StreamTopics(Struct, frozen=True, kw_only=True):
    """Where events and outcomes come from, and where results and what nobody can read go."""

    events: str
    outcomes: str | None
    scores: str
    dead: str

    @property
    def read(self) -> list[str]:
        """Those that are consumed."""
        return [self.events] if self.outcomes is None else [self.events, self.outcomes]


class Entry(Struct, frozen=True, gc=False):
    """A record and the event in it."""

    record: StreamRecord
    event: StreamedLogin


class Batch(Struct, frozen=True):
    """Records by what they are: logins, what was done in sessions, how logins ended, and what can be none of these."""

    entries: list[Entry]
    activities: list[tuple[StreamRecord, AssessRequest]]
    outcomes: list[tuple[StreamRecord, Outcome]]
    refused: list[tuple[StreamRecord, Refused]]


class Stream:
    """Takes records, a few hundred at a time."""

    def __init__(
        self,
        *,
        assess: Assess,
        learn: Learn,
        log: StreamLog,
        events: LoggedEvents,
        topics: StreamTopics,
        announce: bool,
        together: int = CHUNK,
        activity: JudgesActivity | None = None,
    ) -> None:
        """`activity` judges what was done in sessions; without it that is scored as a refresh."""
        self._assess = assess
        self._learn = learn
        self._log = log
        self._events = events
        self._topics = topics
        self._announce = announce
        self._together = together
        self._activity = activity
        self.counts: Counter[str] = Counter()

    def read(self, records: Sequence[StreamRecord]) -> Batch:
        """The records decoded; runs on any thread."""
        batch = Batch([], [], [], [])
        for record in records:
            try:
                value = _bounded(record)
                if record.topic == self._topics.outcomes:
                    batch.outcomes.append((record, decode(_outcome, value)))
                else:
                    self._sort_in(batch, record, value)
            except Refused as refused:
                batch.refused.append((record, refused))
        return batch

    def _sort_in(self, batch: Batch, record: StreamRecord, value: bytes) -> None:
        event = _event(value, record, judges_activity=self._activity is not None)
        if isinstance(event, AssessRequest):
            batch.activities.append((record, event))
        else:
            batch.entries.append(Entry(record, event))

    async def take(self, batch: Batch) -> list[StreamMessage]:
        """Everything that came of these records is kept when this returns; what is to be published.

        Raises: Refused (503) when they cannot be taken now: nothing is lost by asking again.
        """
        places = {_place(entry.record) for entry in batch.entries}
        known = await self._log.known([_id(entry) for entry in batch.entries], list(places))
        fresh: dict[str, Entry] = {}
        again: list[str] = []
        for entry in batch.entries:
            if _id(entry) not in known.event_ids:
                fresh.setdefault(_id(entry), entry)
            elif entry.record.offset < known.offsets.get(_place(entry.record), 0):
                again.append(_id(entry))
        refused = list(batch.refused)
        messages, lost = await self._score(list(fresh.values()), _ends(batch), refused)
        messages += await self._published_before([*again, *lost])
        await self._teach(batch, refused)
        messages += await self._judge(batch.activities, refused)
        self.counts["taken"] += len(batch.entries) + len(batch.activities) + len(batch.outcomes) + len(batch.refused)
        self.counts["known_before"] += len(batch.entries) - len(fresh)
        self.counts["dead"] += len(refused)
        return messages + [_dead(self._topics.dead, record, why) for record, why in refused]

    async def _score(
        self, fresh: list[Entry], ends: dict[Place, int], refused: list[tuple[StreamRecord, Refused]]
    ) -> tuple[list[StreamMessage], list[str]]:
        """What to publish of these, and the ids that somebody else kept meanwhile; adds to `refused`."""
        results: list[StreamResult] = []
        announcements: list[Announcement] = []
        shown_from = len(fresh) - self._assess.shown_at_most

        def take(start: int, answers: Sequence[ScoredEvent | Refused]) -> None:
            scored = []
            for position, answer in enumerate(answers, start):
                if isinstance(answer, Refused):
                    refused.append((fresh[position].record, answer))
                else:
                    scored.append(answer)
                    results.append(_result(answer, is_shown=position >= shown_from))
            if self._announce:
                announcements.extend(self._assess.announcements(scored))

        if fresh:  # without logins no model of logins is needed
            await self._assess.each([each.event for each in fresh], together=self._together, take=take)
        if not results:
            return [], []
        kept = await self._log.keep(results, announcements, ends)
        self.counts["scored"] += len(kept)
        topic = self._topics.scores
        messages = [StreamMessage(topic, each.user_id.encode(), each.body) for each in results if each.event_id in kept]
        return messages, [each.event_id for each in results if each.event_id not in kept]

    async def _judge(
        self, activities: list[tuple[StreamRecord, AssessRequest]], refused: list[tuple[StreamRecord, Refused]]
    ) -> list[StreamMessage]:
        """What to publish of what was done in sessions; what came before has its answer. Raises: Refused (503)."""
        if self._activity is None or not activities:
            return []
        messages = []
        answers = await self._activity.many([event for _, event in activities], may_vouch=True)
        for (record, _), answer in zip(activities, answers, strict=True):
            if isinstance(answer, Refused):
                if answer.status == 503:
                    raise answer
                refused.append((record, answer))
            else:
                body = b'{"assessment":%b}' % _encode(answer)
                messages.append(StreamMessage(self._topics.scores, answer.user_id.encode(), body))
        self.counts["scored"] += len(messages)
        return messages

    async def _published_before(self, event_ids: Sequence[str]) -> list[StreamMessage]:
        """The kept results of these, which may have been published or not."""
        found = await self._events.find_many(list(dict.fromkeys(event_ids)))
        topic = self._topics.scores
        return [StreamMessage(topic, each.event.user_id.encode(), _encode(each)) for each in found if each is not None]

    async def _teach(self, batch: Batch, refused: list[tuple[StreamRecord, Refused]]) -> None:
        """Let the histories learn how logins ended, those that were known before too: each id counts once there."""
        dead = {id(record) for record, _ in refused}
        reports = list(batch.outcomes)
        for record, event in ((entry.record, entry.event) for entry in batch.entries):
            if event.outcome is not None and event.event_id and id(record) not in dead:
                report = Outcome(
                    event_id=event.event_id, event=event, outcome=event.outcome, ts=max(0.0, record.timestamp_ms / 1e3)
                )
                reports.append((record, report))
        for start in range(0, len(reports), LESSONS_TOGETHER):
            lessons = self._lessons(reports[start : start + LESSONS_TOGETHER], refused)
            self.counts["learned"] += await self._learn.learn(lessons)

    def _lessons(
        self, reports: list[tuple[StreamRecord, Outcome]], refused: list[tuple[StreamRecord, Refused]]
    ) -> list[Lesson]:
        """What these teach; when one of them cannot be read, each by itself."""
        try:
            return self._learn.lessons([report for _, report in reports], path=None)
        except Refused as error:
            if error.status != 422:
                raise
            if len(reports) == 1:
                refused.append((reports[0][0], error))
                return []
        return [lesson for report in reports for lesson in self._lessons([report], refused)]


def _bounded(record: StreamRecord) -> bytes:
    if record.value is None:
        raise Refused("empty_record", "The record has no value.", status=422)
    if len(record.value) > MAX_RECORD_BYTES:
        raise Refused("record_too_large", "The record is larger than an event may be.", status=413)
    return record.value


def _event(value: bytes, record: StreamRecord, *, judges_activity: bool) -> StreamedLogin | AssessRequest:
    """The login, or what was done in a session, with an id; that without an endpoint as a login. Raises: Refused."""
    try:
        event = decode(_login, value)
    except Refused as refused:
        if refused.code == "malformed_json" or b'"identity"' not in value:
            raise
        if judges_activity and b'"endpoint"' in value:
            asked = decode(_asked, value)
            return msgspec.structs.replace(asked, event_id=asked.event_id or derived_id(_coordinates(record)))
        event = login_of(decode(_activity, value))
    if event.event_id and event.event_type == "login":
        return event
    return identified(event, _coordinates(record))


def _coordinates(record: StreamRecord) -> str:
    return f"{record.topic} {record.partition} {record.offset} {record.timestamp_ms}"


def _result(scored: ScoredEvent, *, is_shown: bool) -> StreamResult:
    score = scored.score
    return StreamResult(
        score.event_id, scored.event.user_id, score.ts_scored, _encode(scored), scored if is_shown else None
    )


def _id(entry: Entry) -> str:
    return entry.event.event_id or ""


def _place(record: StreamRecord) -> Place:
    return record.topic, record.partition


def _ends(batch: Batch) -> dict[Place, int]:
    """Up to where each place that events come from is done with."""
    ends: dict[Place, int] = {}
    for entry in batch.entries:
        place = _place(entry.record)
        ends[place] = max(ends.get(place, 0), entry.record.offset + 1)
    return ends


def _dead(topic: str, record: StreamRecord, why: Refused) -> StreamMessage:
    """The record as it came, with the reason beside it."""
    told = {
        "reason": why.code,
        "field": str(why.evidence.get("field", "")),
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
    }
    headers = tuple((name, text.encode()) for name, text in told.items() if text)
    return StreamMessage(topic, record.key, record.value, headers)
