"""What the console's flows and pages need of the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from msgspec import Struct

from risk_scorer.core.console.accounts import (
    AccountChange,
    AccountList,
    AccountSummary,
    LiveSessions,
    PersonRisk,
    ResetForced,
    SessionsEnded,
)
from risk_scorer.core.console.kept_drafts import KeptDraft
from risk_scorer.core.console.operator import Operator, Role
from risk_scorer.core.console.sign_in_request import SignInRequest

LONGEST_REASON = 500
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
RiskVerdict = Literal["compromised", "safe", "dismissed"]
T = TypeVar("T")


class Act(Struct, frozen=True, kw_only=True):
    """What somebody is about to do at the console, and why."""

    operator: str
    role: Role
    action: str
    subjects: tuple[str, ...]
    reason: str
    request_id: str


class ActRow(Struct, frozen=True, kw_only=True):
    """One line of the console's audit. `result` is "begun", "done", or the code of why it was not done."""

    id: int
    at: float
    operator: str
    role: str
    action: str
    subject: str
    reason: str
    result: str
    request_id: str
    ended_at: float | None


class ActLog(Protocol):
    """Where acts are written down. All raise Refused."""

    async def begin(self, act: Act) -> tuple[int, ...]:
        """Write it down, a row for each subject, durably; the rows' numbers."""
        ...

    async def end(self, rows: tuple[int, ...], result: str) -> None:
        """Say what became of it."""
        ...

    async def page(self, *, before: int | None, subject: str, operator: str, limit: int) -> list[ActRow]:
        """The newest first, those before that row; "" is anybody's."""
        ...


class Proof(Struct, frozen=True, kw_only=True):
    """Whom the gateway vouches for: its ID token, checked. `name` is the user name there."""

    subject: str
    name: str
    proved_at: float
    level: str
    session_id: str
    id_token: str


class Ended(Struct, frozen=True, kw_only=True):
    """A session of the gateway's that is over; all of the person's where `session_id` is ""."""

    subject: str
    session_id: str


class Drafts(Protocol):
    """Texts that wait for their authors, whichever process those come back to. All raise Refused."""

    async def keep(self, operator: str, draft: KeptDraft) -> None:
        """Until it is taken, in the place of an earlier one."""
        ...

    async def take(self, operator: str, now: float) -> KeptDraft | None:
        """Theirs, once, unless it is too old by now."""
        ...


class Identity(Protocol):
    """Who vouches for people."""

    @property
    def issuer(self) -> str: ...

    def address(self, asked: SignInRequest) -> str:
        """Where the person goes to be vouched for."""
        ...

    def end_address(self, id_token: str, after: str) -> str:
        """Where the person goes so that their session there ends too; they come back to `after`."""
        ...

    async def proof(self, code: str, asked: SignInRequest) -> Proof:
        """Who it is whom that code was given for. Raises: Refused."""
        ...

    async def ended(self, logout_token: str) -> Ended:
        """Whose session is over. Raises: Refused."""
        ...


class Consoles(Protocol):
    """Who is signed in at the console. All raise Refused."""

    def operator(self, session_token: str | None) -> Operator | None:
        """Whose session this is, None when it is none or over; without a role where they have none any more."""
        ...

    def role_of(self, proof: Proof) -> Role | None:
        """What the person may do here."""
        ...

    async def open(self, proof: Proof) -> str:
        """A session token for them."""
        ...

    def id_token_of(self, session_token: str) -> str | None:
        """The ID token that the session began with, where it was the gateway's."""
        ...

    async def veil(self, session_token: str, *, is_on: bool) -> None:
        """Whether this session shows addresses whole."""
        ...

    async def end_of(self, *, session_id: str, subject: str) -> int:
        """End what stands on this session of the gateway's, or, without one, all of the person; how many."""
        ...


class Gateway(Protocol):
    """The gateway's own desk, asked as a program with the console's credentials.

    Everything raises Refused: `gateway_unavailable` (503) when nothing was learned of what became of it,
    `gateway_refuses_console` and `gateway_answer_invalid` (502), and what the gateway itself refuses, with its own code
    and status (404 `unknown_user`, 409 `changed_meanwhile`, 412, 422, …).
    """

    @property
    def is_on(self) -> bool:
        """Whether there is one that the console may ask."""
        ...

    async def ask(
        self,
        method: Method,
        path: str,
        shape: type[T],
        *,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> T:
        """The answer of any of its addresses, in this shape; parts of a path must be quoted. `seconds` is how long
        somebody waits for what takes longer than usual."""
        ...

    async def summary(self, user_id: str) -> AccountSummary:
        """The account, its sessions, what is held against the person."""
        ...

    async def freeze(self, user_id: str, *, by: str, why: str) -> AccountChange:
        """Nobody gets in any more, and every session ends."""
        ...

    async def unfreeze(self, user_id: str, *, by: str, why: str, version: int | None = None) -> AccountChange:
        """The person may log in again; with `version`, unless something happened since."""
        ...

    async def reset_sessions(self, user_id: str, *, by: str, why: str) -> SessionsEnded:
        """Every session ends, and the trust in every browser."""
        ...

    async def end_session(self, user_id: str, session_id: str, *, by: str, why: str) -> SessionsEnded:
        """One session of theirs ends; the others go on, and browsers that are trusted stay so."""
        ...

    async def force_reset(self, user_id: str, *, by: str, why: str, version: int | None = None) -> ResetForced:
        """Every session ends, and nobody gets in until the owner has set another password by the recovery letter."""
        ...

    async def live_sessions(self, user_id: str) -> LiveSessions:
        """Where somebody is signed in."""
        ...

    async def accounts(self, query: str, *, cursor: str = "", limit: int = 25) -> AccountList:
        """Those whose id, name or mail address begins so, a page at a time."""
        ...

    async def accounts_of(self, user_ids: Sequence[str]) -> AccountList:
        """Those of these people, 50 at most, who have an account there."""
        ...

    async def risk(self, user_id: str, *, before: int | None = None, limit: int = 50) -> PersonRisk:
        """What is held against the person, and why."""
        ...

    async def verdict(self, user_id: str, verdict: RiskVerdict, *, by: str, why: str) -> PersonRisk:
        """An analyst's word about the person."""
        ...
