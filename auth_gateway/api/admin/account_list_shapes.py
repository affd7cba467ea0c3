"""What `/accounts` and `/accounts/{user_id}/sessions` answer."""

from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.api.admin.account_shapes import OPERATORS, PersonsRisk
from auth_gateway.core.account_line import AccountLine, State
from auth_gateway.core.session import Session
from auth_gateway.core.user_risk import user_level


class ListedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a list. `last_sign_in_at` is null where none is kept any more."""

    user_id: str
    username: str
    display_name: str
    email: str
    state: State
    frozen_reason: str | None
    version: int
    created_at: float
    risk: PersonsRisk
    last_sign_in_at: float | None
    factors: tuple[str, ...]


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accounts; `next` goes on, as `cursor`."""

    accounts: list[ListedAccount]
    next: str | UnsetType = UNSET


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that runs, or rests until its owner has shown a factor. Times are epoch seconds; `last_used_at` is
    exact to the hour. `device` is the SHA-256 of the device's id, in hex."""

    session_id: str
    state: Literal["running", "awaits_factor"]
    began_at: float
    last_used_at: float
    expires_at: float
    clients: tuple[str, ...]
    user_agent: str
    device: str | None
    ip: str
    place: str
    factors: tuple[str, ...]


class AccountSessions(msgspec.Struct, frozen=True, kw_only=True):
    """A person's live sessions."""

    sessions: list[LiveSession]


LIST_SHAPES: Final = (AccountList, AccountSessions)


def listed(line: AccountLine, risk: float) -> ListedAccount:
    """As programs are told of it; `risk` is what is left of it."""
    return ListedAccount(
        user_id=line.user_id,
        username=line.username,
        display_name=line.display_name,
        email=line.email,
        state="frozen" if line.is_frozen else "active",
        frozen_reason=(line.frozen_reason or OPERATORS) if line.is_frozen else None,
        version=line.version,
        created_at=line.created_at,
        risk=PersonsRisk(risk=round(risk, 2), level=user_level(risk), is_held=line.risk.is_held),
        last_sign_in_at=line.last_sign_in_at,
        factors=line.factors,
    )


def live(session: Session, clients: tuple[str, ...]) -> LiveSession:
    """As programs are told of it."""
    return LiveSession(
        session_id=session.session_id,
        state="awaits_factor" if session.awaits_factor else "running",
        began_at=session.created_at,
        last_used_at=session.seen_at,
        expires_at=session.expires_at,
        clients=clients,
        user_agent=session.user_agent,
        device=None if session.device_digest is None else session.device_digest.hex(),
        ip=session.ip,
        place=session.place,
        factors=tuple(session.amr.split()),
    )
