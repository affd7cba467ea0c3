"""What a decision leaves behind, in its own transaction: one line of the audit trail and the messages that follow."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.announcement import (
    OUTCOME_EVENT_TYPE,
    VERDICT_EVENT_TYPE,
    Announced,
    EventType,
    account_data,
    announced_data,
    outcome_body,
    verdict_body,
)
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import LoginContext
from auth_gateway.core.policy import is_worth_announcing
from auth_gateway.core.scored_decisions import DECISION_EVENT_TYPE, decisions_of
from auth_gateway.flows.ports import AuditTrail, OutboxWriter
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import BY_OWNER, OutcomeKind
from webhooks.announcement import announcement, message_id

EndpointName = Literal[
    "mfa", "webhook", "scorer", "scorer-feedback", "scorer-erasure", "scorer-sessions", "scorer-decisions"
]


class Announcing(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told: the endpoints that are configured, under which tenant, and from which score on denials are told."""

    tenant: str = "default"
    risk_threshold: float = 80.0
    endpoints: frozenset[EndpointName] = frozenset()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message that leaves with the transaction."""

    endpoint: EndpointName
    event_type: str
    body: bytes


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a login as it will be written: its audit line and its messages."""

    line: AuditEvent
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Turns a step into an entry beforehand, and writes the entry inside the transaction."""

    audit: AuditTrail
    outbox: OutboxWriter
    announcing: Announcing

    def write(self, tx: Transaction, entry: Entry) -> None:
        """Keep the line and its messages; each message has the step's own id, once for each endpoint."""
        self.audit.record(tx, entry.line)
        self.tell(tx, entry)

    def tell(self, tx: Transaction, entry: Entry) -> None:
        """The messages without the line, for what is written down otherwise."""
        for message in entry.messages:
            self.outbox.add(
                tx,
                message_id=message_id(entry.line.event_id),
                endpoint=message.endpoint,
                event_type=message.event_type,
                body=message.body,
                now=entry.line.ts,
            )

    def outcome(self, line: AuditEvent, event: LoginEvent | None, outcome: OutcomeKind) -> Entry:
        """A step after which the scorer learns how the attempt ended (`event` None: it does not)."""
        if event is None or "scorer" not in self.announcing.endpoints:
            return Entry(line=line)
        decisions = decisions_of(line)
        body = outcome_body(event, outcome_id=line.event_id, outcome=outcome, now=line.ts, decisions=decisions)
        return Entry(line=line, messages=(Message(endpoint="scorer", event_type=OUTCOME_EVENT_TYPE, body=body),))

    def mfa_required(
        self, line: AuditEvent, announced: Announced, context: LoginContext, score: RiskScore | None
    ) -> Entry:
        """A login that awaits its second factor; MFA systems are told."""
        entry = self._told("mfa", "login.mfa_required", line, announced=announced, context=context, score=score)
        return self._decided(entry)

    def denied(self, line: AuditEvent, announced: Announced, context: LoginContext, score: RiskScore | None) -> Entry:
        """A refused login; the general webhook is told when the score reaches its threshold."""
        if not is_worth_announcing(score, self.announcing.risk_threshold):
            return self._decided(Entry(line=line))
        return self._decided(
            self._told("webhook", "login.denied", line, announced=announced, context=context, score=score)
        )

    def session_ended(
        self,
        line: AuditEvent,
        announced: Announced,
        context: LoginContext,
        score: RiskScore | None,
        *,
        whatever_the_score: bool = False,
    ) -> Entry:
        """A session that its own refresh ended; the general webhook is told as of a denied login, or always."""
        if not (whatever_the_score or is_worth_announcing(score, self.announcing.risk_threshold)):
            return self._decided(Entry(line=line))
        return self._decided(
            self._told("webhook", "session.revoked", line, announced=announced, context=context, score=score)
        )

    def verdict(self, line: AuditEvent, scored_as: str, *, was_owner: bool, by: str = BY_OWNER) -> Entry:
        """The owner's word about a login, or an analyst's, from which the scorer learns."""
        if "scorer-feedback" not in self.announcing.endpoints:
            return Entry(line=line)
        body = verdict_body(scored_as, was_owner=was_owner, now=line.ts, by=by)
        return Entry(
            line=line, messages=(Message(endpoint="scorer-feedback", event_type=VERDICT_EVENT_TYPE, body=body),)
        )

    def account_frozen(self, line: AuditEvent, account: Account) -> Entry:
        """An account that nobody gets into until its owner has set a new password; the general webhook is told."""
        return self._about("account.frozen", line, account)

    def password_breached(self, line: AuditEvent, account: Account) -> Entry:
        """A right password that others guess first; the general webhook is told."""
        return self._about("password.breached", line, account)

    def _decided(self, entry: Entry) -> Entry:
        """The step with a word to the scorer of what was decided, where no outcome takes it along."""
        decisions = decisions_of(entry.line)
        if not decisions or "scorer-decisions" not in self.announcing.endpoints:
            return entry
        body = msgspec.json.encode(decisions)
        told = Message(endpoint="scorer-decisions", event_type=DECISION_EVENT_TYPE, body=body)
        return Entry(line=entry.line, messages=(*entry.messages, told))

    def _about(self, event_type: EventType, line: AuditEvent, account: Account) -> Entry:
        if "webhook" not in self.announcing.endpoints:
            return Entry(line=line)
        announced = Announced(
            event_id=line.event_id, user_id=account.user_id, username=account.username, rule=line.rule or ""
        )
        data = account_data(announced, tenant=self.announcing.tenant, ip=line.ip or "")
        body = announcement(event_type, at=line.ts, data=data)
        return Entry(line=line, messages=(Message(endpoint="webhook", event_type=event_type, body=body),))

    def _told(
        self,
        endpoint: EndpointName,
        event_type: EventType,
        line: AuditEvent,
        *,
        announced: Announced,
        context: LoginContext,
        score: RiskScore | None,
    ) -> Entry:
        if endpoint not in self.announcing.endpoints:
            return Entry(line=line)
        data = announced_data(announced, tenant=self.announcing.tenant, context=context, score=score)
        body = announcement(event_type, at=line.ts, data=data)
        return Entry(line=line, messages=(Message(endpoint=endpoint, event_type=event_type, body=body),))
