"""What `/accounts/{user_id}` takes and answers."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from auth_gateway.core.account import Account
from auth_gateway.core.session import Session
from auth_gateway.core.session_risk import KeptSignal
from auth_gateway.core.user_risk import UserLevel, user_level
from auth_gateway.flows.account_desk import AccountFile
from auth_gateway.flows.ports.session_risk import Behaviour
from auth_gateway.flows.said import LONGEST_NAME, LONGEST_WHY

OPERATORS = "operator"
"""What is told of a freeze that an operator or reviewer made themselves."""

By = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Why = Annotated[str, Meta(min_length=1, max_length=LONGEST_WHY)]


class ReviewBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /accounts/{user_id}/freeze`, `/reset-sessions`, `/sessions/{session_id}/end`: who asks for it, and why."""

    by: By
    why: Why


class UnfreezeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /accounts/{user_id}/unfreeze` and `/force-reset`: who has looked, what they found, and the `version` that
    they looked at."""

    by: By
    why: Why
    version: Annotated[int, Meta(ge=1)] | None = None


class ShownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `frozen_reason` says who lifts it: `reported` and `password_renewal` its owner by
    recovery, `operator` and `shield` a reviewer."""

    user_id: str
    username: str
    state: Literal["active", "frozen"]
    frozen_reason: str | None
    version: int
    created_at: float


class RunningSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that runs, or rests until its owner has shown a factor. Times are epoch seconds."""

    session_id: str
    client_id: str
    state: Literal["running", "awaits_factor"]
    created_at: float
    seen_at: float
    ip: str
    place: str
    amr: tuple[str, ...]


class PersonsRisk(msgspec.Struct, frozen=True, kw_only=True):
    """What is held against the person."""

    risk: float
    level: UserLevel
    is_held: bool


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer sees. `behaviour` is the scorer's own word; where it is null, `behaviour_missing` says why."""

    account: ShownAccount
    sessions: list[RunningSession]
    risk: PersonsRisk
    signals: list[KeptSignal]
    behaviour: Any
    behaviour_missing: str | None


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """How the account is now, and whether it was another way before."""

    account: ShownAccount
    changed: bool


class SessionsReset(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions have ended."""

    ended: int


class ResetForced(msgspec.Struct, frozen=True, kw_only=True):
    """How the account is now, whether it was another way before, and how many sessions have ended."""

    account: ShownAccount
    changed: bool
    ended: int


SHAPES = (ReviewBody, UnfreezeBody, AccountSummary, Frozen, SessionsReset, ResetForced)


def shown_account(account: Account) -> ShownAccount:
    """As programs are told of it."""
    return ShownAccount(
        user_id=account.user_id,
        username=account.username,
        state="frozen" if account.is_frozen else "active",
        frozen_reason=(account.frozen_reason or OPERATORS) if account.is_frozen else None,
        version=account.password_version,
        created_at=account.created_at,
    )


def summary(found: AccountFile, behaviour: Behaviour) -> AccountSummary:
    """As programs are told of it; numbers to two places."""
    return AccountSummary(
        account=shown_account(found.account),
        sessions=[_session(each) for each in found.sessions],
        risk=PersonsRisk(
            risk=round(found.risk_value, 2), level=user_level(found.risk_value), is_held=found.risk.is_held
        ),
        signals=list(found.signals),
        behaviour=behaviour.told,
        behaviour_missing=behaviour.missing,
    )


def _session(session: Session) -> RunningSession:
    return RunningSession(
        session_id=session.session_id,
        client_id=session.client_id,
        state="awaits_factor" if session.awaits_factor else "running",
        created_at=session.created_at,
        seen_at=session.seen_at,
        ip=session.ip,
        place=session.place,
        amr=tuple(session.amr.split()),
    )
