"""What is told of a model that scores beside the one that decides."""

from __future__ import annotations

from msgspec import Struct


class ShadowScore(Struct, frozen=True, kw_only=True, gc=False):
    """One login as both models score it, 0-100 as shown; `ts_scored` is when the active one did (epoch seconds).

    `success` says whether it was reported with the right password.
    """

    event_id: str
    user_id: str
    success: bool
    ts_scored: float
    active_version: str
    active_score: float
    version: str
    score: float


class ShadowState(Struct, frozen=True, kw_only=True):
    """Which models there are and why one does not shadow; logins of this process since its start, by what became of
    them.
    """

    active: str | None
    shadow: str | None
    problem: str | None
    waiting: int
    scored: int
    dropped: int
    failed: int
