"""What the gateway tells of accounts, as the console reads it: no more than it shows. Unknown fields are left alone, so
that a newer gateway may say more."""

from __future__ import annotations

from msgspec import Struct


class Account(Struct, frozen=True, kw_only=True):
    """An account. `version` goes with what must not be done to a later state than somebody looked at."""

    user_id: str
    username: str
    state: str
    frozen_reason: str | None
    version: int
    created_at: float


class AccountSession(Struct, frozen=True, kw_only=True):
    """A session that runs, or rests until its owner has shown a factor. Times are epoch seconds."""

    session_id: str
    client_id: str
    state: str
    created_at: float
    seen_at: float
    ip: str
    place: str
    amr: tuple[str, ...]


class HeldRisk(Struct, frozen=True, kw_only=True):
    """What is held against the person now, 0-100."""

    risk: float
    level: str
    is_held: bool


class HeardSignal(Struct, frozen=True, kw_only=True):
    """What the gateway was told of a session's risk, and what it made of it."""

    signal_id: str
    session_id: str
    score: float
    recommended: str
    response: str
    effect: str = ""
    received_at: float


class AccountSummary(Struct, frozen=True, kw_only=True):
    """What a reviewer sees of an account."""

    account: Account
    sessions: list[AccountSession]
    risk: HeldRisk
    signals: list[HeardSignal]


class AccountChange(Struct, frozen=True, kw_only=True):
    """How the account is now, and whether it was another way before."""

    account: Account
    changed: bool


class SessionsEnded(Struct, frozen=True, kw_only=True):
    """How many sessions have ended."""

    ended: int


class ResetForced(Struct, frozen=True, kw_only=True):
    """How the account is now, whether its password had not to be renewed before, and how many sessions have ended."""

    account: Account
    changed: bool
    ended: int


class ListedAccount(Struct, frozen=True, kw_only=True):
    """An account as lists of the gateway have it."""

    user_id: str
    username: str
    display_name: str
    email: str
    state: str
    frozen_reason: str | None
    risk: HeldRisk
    last_sign_in_at: float | None
    factors: tuple[str, ...]


class AccountList(Struct, frozen=True, kw_only=True):
    """Some accounts; `next` goes on."""

    accounts: list[ListedAccount]
    next: str | None = None


class LiveSession(Struct, frozen=True, kw_only=True):
    """Where somebody is signed in, as the gateway knows it."""

    session_id: str
    state: str
    began_at: float
    last_used_at: float
    expires_at: float
    clients: tuple[str, ...]
    user_agent: str
    device: str | None
    ip: str
    place: str
    factors: tuple[str, ...]


class LiveSessions(Struct, frozen=True, kw_only=True):
    """All of them, the newest first."""

    sessions: list[LiveSession]


class RiskChange(Struct, frozen=True, kw_only=True):
    """One change of what is held against a person; `by` and `why` where somebody said it."""

    ts: float
    source: str
    reason: str
    before: float
    after: float
    event_id: str
    by: str = ""
    why: str = ""


class PersonRisk(Struct, frozen=True, kw_only=True):
    """What is held against a person, and a page of its history; `next` goes on, as `before`."""

    user_id: str
    risk: float
    level: str
    is_held: bool
    changed_at: float | None
    history: list[RiskChange]
    next: int | None = None
