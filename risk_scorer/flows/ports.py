"""What the scorer's flows need from outside, each as small as its caller's need.

Adapters satisfy these; `app.py` joins the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.decisions import Decision
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import VerdictKind, VerdictSource
from risk_scorer.core.console.operator import Operator
from risk_scorer.core.facts import AgentFacts, FingerprintFacts, IpFacts
from risk_scorer.core.history import OutcomeKind, UserHistory
from risk_scorer.core.lessons import Taught
from risk_scorer.core.observation import Observation

if TYPE_CHECKING:  # brings numpy and numba, which the command line does without
    from risk_scorer.core.model import Model


class Caller(Struct, frozen=True, kw_only=True):
    """A service that presented a living credential, and what it may do."""

    name: str
    scopes: frozenset[str]


class ScoredEvent(Struct, frozen=True, kw_only=True):
    """A login as it was reported and what we answered."""

    event: LoginEvent
    score: RiskScore


class Announcement(Struct, frozen=True, kw_only=True):
    """One webhook message, as the exact bytes that will be signed and sent."""

    message_id: str
    event_type: str
    body: bytes


class Lesson(Struct, frozen=True, kw_only=True):
    """A finished login that a history may learn from, once per `event_id`; `decisions` teach nothing."""

    event_id: str
    observation: Observation
    outcome: OutcomeKind
    decisions: tuple[Decision, ...] = ()


class JudgedLogin(Struct, frozen=True, kw_only=True):
    """A login that somebody has a verdict on: as it was reported, its score where known, and what it would teach.

    `event` has its moment in epoch seconds. `context` is the login as if it had succeeded, or a failure when too little
    is known of it to learn from it.
    """

    event: LoginEvent
    score: RiskScore | None
    context: Taught


class Judgement(Struct, frozen=True, kw_only=True):
    """One verdict to record; `login` is None for a login that had one before, `source` where nobody said it."""

    event_id: str
    verdict: VerdictKind
    by: str
    reason: str
    ts: float
    login: JudgedLogin | None
    source: VerdictSource | None = None


class Remembered(Struct, frozen=True, kw_only=True):
    """What is kept of a login apart from the log: whether it has a verdict, and what its outcomes told."""

    is_judged: bool
    own: Taught | None
    failed: Taught | None


class StreamRecord(Struct, frozen=True, gc=False):
    """One record as it stands in a topic; `timestamp_ms` is what its producer or the broker put on it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class StreamMessage(Struct, frozen=True, gc=False):
    """One record to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


Place = tuple[str, int]
"""A topic and a partition of it."""


class StreamResult(Struct, frozen=True, gc=False):
    """What came of one streamed event: its `ScoredEvent` in JSON as `body`, itself where it is to be shown."""

    event_id: str
    user_id: str
    ts_scored: float
    body: bytes
    shown: ScoredEvent | None


class Known(Struct, frozen=True):
    """Which of the asked ids the log has, and for each place the offset up to which its records were kept."""

    event_ids: frozenset[str]
    offsets: dict[Place, int]


class Models(Protocol):
    def current(self) -> Model | None:
        """The model in use, None while there is no good one."""
        ...


class Histories(Protocol):
    def get_many(self, user_ids: Sequence[str]) -> list[UserHistory | None]:
        """Each person's history in the given order, None for whoever has none. Raises: Refused."""
        ...

    async def learn(self, lessons: Sequence[Lesson]) -> int:
        """Learn what was not learned before, durably; how many lessons were new. Raises: Refused."""
        ...


class RecentLessons(Protocol):
    def recent_lessons(self, since: float) -> Iterator[Taught]:
        """What was taught by outcomes that came in from that time on, in their order. Raises: Refused."""
        ...


class Verdicts(Protocol):
    async def remembered(self, event_ids: Sequence[str]) -> list[Remembered]:
        """What is kept of each login, in the given order. Raises: Refused."""
        ...

    async def record(self, judgements: Sequence[Judgement]) -> int:
        """Record all of them in order, durably, and move the histories; how many were no news. Raises: Refused."""
        ...


class LoggedEvents(Protocol):
    async def find_many(self, event_ids: Sequence[str]) -> list[ScoredEvent | None]:
        """The first logged event of each id, in the given order, None where there is none. Raises: Refused."""
        ...


class EventLog(Protocol):
    def record(self, scored: Sequence[ScoredEvent]) -> None:
        """Append soon; never waits and never fails."""
        ...

    async def record_and_announce(self, scored: Sequence[ScoredEvent], announcements: Sequence[Announcement]) -> None:
        """Append and announce in one durable transaction. Raises: Refused."""
        ...

    @property
    def shown_at_most(self) -> int:
        """How many events that were only asked about `recent` can tell."""
        ...

    @property
    def recent_at_most(self) -> int:
        """How many events `recent` can tell in all."""
        ...

    def show(self, scored: Sequence[ScoredEvent]) -> None:
        """Put them among the recent ones without keeping them in the log."""
        ...

    def recent(self, limit: int) -> list[ScoredEvent]:
        """The newest events, newest first."""
        ...


class StreamLog(Protocol):
    async def known(self, event_ids: Sequence[str], places: Sequence[Place]) -> Known:
        """What was kept before. Raises: Refused."""
        ...

    async def keep(
        self,
        results: Sequence[StreamResult],
        announcements: Sequence[Announcement],
        offsets: Mapping[Place, int],
    ) -> frozenset[str]:
        """Keep each result whose id is new, what it announces, and how far the places are, durably.

        Which ids were new: another process may have kept one meanwhile. Raises: Refused.
        """
        ...


class TakesRecords(Protocol):
    """Who makes something of records, called on the event loop but for `read`."""

    def read(self, records: Sequence[StreamRecord]) -> Any:
        """The records decoded; runs on any thread."""
        ...

    async def take(self, batch: Any) -> list[StreamMessage]:
        """Everything that came of what `read` gave is kept when this returns; what is to be published.

        Raises: Refused (503) when they cannot be taken now: nothing is lost by asking again.
        """
        ...


class IpLookup(Protocol):
    def facts(self, ip: str) -> IpFacts: ...

    def facts_many(self, ips: list[str]) -> list[IpFacts]: ...


class Agents(Protocol):
    def facts(self, ua: str) -> AgentFacts: ...


class Fingerprints(Protocol):
    def facts(self, ja4: str) -> FingerprintFacts: ...


class Zones(Protocol):
    def local(self, country: str, latitude: float | None, longitude: float | None, moment: float) -> tuple[str, int]:
        """The time zone of a place and what it is ahead of UTC at that epoch second; ("", 0) when unknown."""
        ...


class Callers(Protocol):
    def caller(self, text: str) -> Caller | None:
        """Who holds this credential, or None. Raises: Refused."""
        ...


class OperatorSessions(Protocol):
    async def sign_in(self, link_token: str) -> str | None:
        """A session token for an unused link, once."""
        ...

    def is_signed_in(self, session_token: str | None) -> bool:
        """Whether this is a living session of somebody with a role."""
        ...

    def operator(self, session_token: str | None) -> Operator | None:
        """Whose session this is, None when it is none or over."""
        ...

    async def sign_out(self, session_token: str) -> None: ...
