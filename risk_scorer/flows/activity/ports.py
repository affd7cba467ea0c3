"""What the flows of activity need from outside, each as small as its caller's need. Adapters satisfy these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from risk_scorer.contract.activity import Assessment
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.contract.signals import SessionRiskSignal
from risk_scorer.core.activity.memory import Memory, Scope
from risk_scorer.core.activity.seen import Seen, SessionFacts
from risk_scorer.core.known_session import KnownSession

Place = tuple[Scope, str]
"""Whose memory: a scope, and the key in it."""


class Risk(Struct, frozen=True, kw_only=True, gc=False):
    """How a session stands, as it is kept. `told` is how strong a response the gateway was told of."""

    session_id: str
    user_id: str
    score: float
    nats: float
    signals: bytes
    attack_likelihood: float | None
    model_version: str
    told: int
    events: int
    started_at: float
    updated_at: float


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """One event that was judged, with everything that is kept of it.

    `is_named` where its reporter gave it an id of its own; `described` is a session that nobody knew before.
    """

    seen: Seen
    client_id: str
    user_agent: str
    answer: Assessment
    is_named: bool
    risk: Risk | None
    signal: SessionRiskSignal | None
    described: KnownSession | None = None


class TokenSession(Struct, frozen=True, kw_only=True):
    """What an access token of the gateway says of who acts."""

    session_id: str
    user_id: str


class Sessions(Protocol):
    def find(self, session_ids: Iterable[str]) -> Mapping[str, KnownSession]:
        """Those of them that are known. Raises: Refused."""
        ...

    async def hear(
        self, notices: Sequence[tuple[SessionNotice, SessionFacts]], written: Any, calmed: Sequence[str]
    ) -> tuple[int, Sequence[Place]]:
        """Hear each, durably and together with what was written of memories, and let the `calmed` sessions stand at no
        risk; how many notices were news, and which memories another process had changed meanwhile. Raises: Refused.
        """
        ...


class Tokens(Protocol):
    async def session_of(self, token: str) -> TokenSession:
        """Whose session the token is of. Raises: Refused (401 `invalid_token`, 503 `keys_unavailable`)."""
        ...


class Memories(Protocol):
    def at(self, places: Iterable[Place]) -> Mapping[Place, Memory]:
        """What is remembered there, to be changed in place; begun where there is nothing. Raises: Refused."""
        ...

    def changed(self, places: Iterable[Place], *, with_events: Iterable[Place] = ()) -> Any:
        """These have changed; what is to be written with the events that changed them: `with_events` at least."""
        ...

    def settle(self, written: Any, lost: Iterable[Place]) -> None:
        """It is written, but for those that another process had changed."""
        ...

    def undo(self, places: Iterable[Place]) -> None:
        """What changed these was not kept."""
        ...


class Events(Protocol):
    def answers(self, named: Sequence[tuple[str, str]]) -> Sequence[Assessment | None]:
        """What was answered for each (person, event id). Raises: Refused."""
        ...

    async def keep(self, judged: Sequence[Judgement], written: Any) -> Sequence[Place]:
        """Keep them with their risk, their signals and what was written of memories, durably; which memories another
        process had changed meanwhile. Raises: Refused.
        """
        ...


class ClaimedTask(Struct, frozen=True, kw_only=True):
    """A task that is ours for now; `claim` counts how often it was claimed."""

    task_id: str
    claim: int
    vouches: bool
    body: bytes


class KeptTask(Struct, frozen=True, kw_only=True):
    """How far a task is."""

    state: str
    result: bytes | None
    problem: str | None


class Tasks(Protocol):
    async def add(self, task_id: str, body: bytes, *, user_id: str, caller: str, vouches: bool) -> None:
        """Keep a task until it is done, durably. Raises: Refused (429 `queue_full`, 503)."""
        ...

    async def claim(self, up_to: int) -> list[ClaimedTask]:
        """Tasks that are ours alone for a while, oldest first. Raises: Refused."""
        ...

    async def finish(self, done: Sequence[tuple[ClaimedTask, bytes | None, str | None]]) -> None:
        """Say what became of each (task, answer, problem). Raises: Refused."""
        ...

    async def release(self, tasks: Sequence[ClaimedTask], *, after_seconds: float) -> None:
        """Give them back for later. Raises: Refused."""
        ...

    async def find(self, task_id: str, *, caller: str) -> KeptTask | None:
        """How far a task of that caller is. Raises: Refused."""
        ...
