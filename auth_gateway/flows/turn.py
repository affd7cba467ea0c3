"""One refresh as a value: what was presented, what was found out about it, and what came of it."""

from typing import Protocol

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.claims import SCOPE
from auth_gateway.core.context import LoginContext
from auth_gateway.core.facts import facts_of
from auth_gateway.core.rotation import Presented, Verdict
from auth_gateway.core.ruling import Ruling
from auth_gateway.core.vocabulary import is_told
from auth_gateway.flows.answers import FactorNeeded, InvalidGrant, LoginNeeded, NotGranted, SessionEnded
from auth_gateway.flows.provider.ports import Proof
from auth_gateway.flows.recording import Entry

Refusal = InvalidGrant | LoginNeeded | FactorNeeded | SessionEnded | NotGranted


def refusal_of(judged: Verdict) -> Refusal:
    """What the client is told of a token that is not good."""
    return FactorNeeded() if judged == "awaits_factor" else InvalidGrant(judged)


class RecentLines(Protocol):
    """Which refusals of a family were written down lately: who repeats them must not fill the disk. Bounded."""

    def is_due(self, key: tuple[str, str], now: float) -> bool: ...

    def written(self, key: tuple[str, str], now: float) -> None: ...


class Rotated(msgspec.Struct, frozen=True):
    """A refresh that was granted: the family's state and the token that now leads it."""

    presented: Presented
    refresh_text: str
    expires_at: float


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One presented token with everything drawn and found out that the transaction needs.

    `refresh_seconds` None is the gateway's own lifetime; `context` is None where it says nothing about the person.
    `ruling` is None where the token was not good when it was looked at; `ended` is what is written when the risk ends
    the session: at once by a denial, or by one refusal too many.
    """

    refresh_token: str
    client_id: str
    event_id: str
    now: float
    context: LoginContext | None = None
    scope: str = SCOPE
    refresh_seconds: int | None = None
    proof: Proof | None = None
    ruling: Ruling | None = None
    ended: Entry | None = None
    incident_id: str = ""

    @property
    def shown_jkt(self) -> str | None:
        """The key that the bearer has proven to hold."""
        return None if self.proof is None else self.proof.jkt

    def line(self, kind: Kind, presented: Presented, *, rule: str | None) -> AuditEvent:
        """The audit line of this turn."""
        line = AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind=kind,
            user_id=presented.user_id,
            client_id=self.client_id,
            session_id=presented.session_id,
            ip=None if self.context is None else self.context.ip,
            rule=rule,
            facts=facts_of(self.context, None, path="refresh") if self.context is not None and is_told(kind) else None,
        )
        return line if self.ruling is None else self.ruling.on(line)
