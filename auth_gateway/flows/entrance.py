"""What a person who was recognised goes in by. Score, policy, throttle and audit are the same at each entrance; what is
begun there, and what is written beside the decision, is the entrance's own.
"""

from dataclasses import dataclass
from typing import Protocol

from auth_gateway.core.claims import Authentication
from auth_gateway.core.context import Client
from auth_gateway.core.session import Session
from auth_gateway.flows.answers import Allowed, LetIn
from auth_gateway.flows.issue import Grant, Issuer
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent


class Beginning(Protocol):
    """A session that is about to begin, drawn before its transaction so that it may run again."""

    @property
    def session(self) -> Session: ...

    def write(self, tx: Transaction) -> None:
        """Keep the session and all that begins with it.

        Raises: Refused, which undoes the whole decision, when this entrance was closed in the meantime.
        """
        ...

    def answer(self, score: RiskScore | None) -> LetIn:
        """What the flow answers once that is committed."""
        ...


class Entrance(Protocol):
    """Where a decision about a login takes effect."""

    def begin(
        self,
        event: LoginEvent,
        *,
        client_id: str,
        authentication: Authentication,
        risk_score: float | None,
        now: float,
        is_vouched: bool,
        country: str,
        place: str = "",
    ) -> Beginning:
        """The session of the login that `event` describes; `place` is where that was, in words for its owner."""
        ...

    def challenge(self, tx: Transaction, challenge_token: str) -> None:
        """A second factor is awaited; in the transaction that keeps the challenge."""
        ...

    def deny(self, tx: Transaction, incident_id: str) -> None:
        """The login is refused; in the transaction that writes it down."""
        ...


@dataclass(frozen=True, slots=True)
class FirstTokens:
    """A session that begins with a refresh family."""

    issuer: Issuer
    grant: Grant

    @property
    def session(self) -> Session:
        return self.grant.session

    def write(self, tx: Transaction) -> None:
        self.issuer.write(tx, self.grant)

    def answer(self, score: RiskScore | None) -> LetIn:
        session = self.session
        tokens = self.issuer.tokens(self.grant)
        return Allowed(session_id=session.session_id, user_id=session.user_id, tokens=tokens, score=score)


@dataclass(frozen=True, slots=True)
class TokenEntrance:
    """An application's own login: whoever is let in gets its tokens, and its answer says the rest."""

    issuer: Issuer
    client: Client

    def begin(
        self,
        event: LoginEvent,
        *,
        client_id: str,
        authentication: Authentication,
        risk_score: float | None,
        now: float,
        is_vouched: bool,
        country: str,
        place: str = "",
    ) -> FirstTokens:
        grant = self.issuer.prepare(
            event,
            client_id=client_id,
            authentication=authentication,
            risk_score=risk_score,
            now=now,
            is_vouched=is_vouched,
            country=country,
            place=place,
            client=self.client,
        )
        return FirstTokens(self.issuer, grant)

    def challenge(self, tx: Transaction, challenge_token: str) -> None:
        """The application holds the token."""

    def deny(self, tx: Transaction, incident_id: str) -> None:
        """The application has the incident id."""
