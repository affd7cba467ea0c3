"""An authorization code or an approved device becomes tokens: look, judge where it comes from, and then one writer
transaction that judges it again, spends it and writes the application's part.
"""

from dataclasses import dataclass

from auth_gateway.core.context import LoginContext
from auth_gateway.core.provider.authorization import AuthorizationCode
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.code_grant import CodeShown, CodeVerdict, code_verdict
from auth_gateway.core.provider.device_grant import POLL_SECONDS, DeviceGrant, verdict
from auth_gateway.core.rotation import digest, is_plausible
from auth_gateway.flows.answers import GrantAnswer, InvalidGrant, Issued, LoginNeeded, NotGranted, SessionEnded
from auth_gateway.flows.ports import AuditTrail, Clock
from auth_gateway.flows.provider.arrival import Arrival, Arrivals, Start
from auth_gateway.flows.provider.granting import Asking, Granting, Part
from auth_gateway.flows.provider.ports import AuthorizationCodes, DeviceGrants, Proof
from auth_gateway.flows.turn import RecentLines
from plumbing.database import Database
from plumbing.statements import Transaction

Outcome = Part | InvalidGrant | LoginNeeded | SessionEnded | NotGranted
SESSION_OVER = InvalidGrant("session_over")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCode:
    """Answers one authorization code."""

    database: Database
    clock: Clock
    codes: AuthorizationCodes
    granting: Granting
    arrivals: Arrivals
    audit: AuditTrail
    lines: RecentLines

    async def __call__(
        self,
        code: str,
        client: RegisteredClient,
        context: LoginContext,
        *,
        redirect_uri: str,
        code_verifier: str,
        proof: Proof | None,
    ) -> GrantAnswer:
        """The first tokens, once. A second use by the client itself ends its part in the session: one of two holders
        of the code is a thief, and nobody can tell which.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if not is_plausible(code):
            return InvalidGrant("unknown")
        code_digest, now = digest(code), self.clock.now()
        shown = CodeShown(
            client_id=client.client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            jkt=None if proof is None else proof.jkt,
        )
        found = self.database.read(lambda tx: self.codes.find(tx, code_digest))
        judged = code_verdict(found, shown, now=now)
        if found is None or (_is_refused(judged) and not self.lines.is_due((found.session_id, judged), now)):
            return InvalidGrant(judged)
        asking = self.granting.asking(client, context, proof, now=now)
        arrival: Arrival | None = None
        if judged == "redeem":
            part = self.database.read(lambda tx: self._part(tx, found, now))
            if part is not None:
                start = _start_of(part)
                arrival = await self.arrivals.judge(asking, part, start)
        outcome = await self.database.write(lambda tx: self.redeem(tx, asking, code_digest, shown, arrival))
        return Issued(tokens=self.granting.tokens(asking, outcome)) if isinstance(outcome, Part) else outcome

    def redeem(
        self, tx: Transaction, asking: Asking, code_digest: bytes, shown: CodeShown, arrival: Arrival | None
    ) -> Outcome:
        """The whole redemption inside a transaction."""
        if not self.granting.counts(tx, asking):
            return NotGranted("invalid_dpop_proof")
        found = self.codes.find(tx, code_digest)
        judged = code_verdict(found, shown, now=asking.now)
        if found is None:
            return InvalidGrant(judged)
        if judged == "redeem" and not self.codes.spend(tx, code_digest, asking.now):
            judged = "reused"
        if judged == "reused":
            return self._end_part(tx, asking, found)
        if judged != "redeem":
            return self._note(tx, asking, found, judged)
        part = self._part(tx, found, asking.now)
        if part is None or arrival is None:  # good only since we looked, so nobody has asked about the risk
            return SESSION_OVER
        if not arrival.is_let_go_on:
            return self.arrivals.refuse(tx, asking, part, arrival)
        if not self.granting.write(tx, asking, part):
            return SESSION_OVER
        line = asking.line("session.started", part.session, detail="authorization_code")
        self.audit.record(tx, line if arrival.ruling is None else arrival.ruling.on(line))
        return part

    def _part(self, tx: Transaction, code: AuthorizationCode, now: float) -> Part | None:
        running = self.granting.running(tx, code.session_id, now)
        if running is None:
            return None
        session, account = running
        return Part(
            session=session, account=account, kind="code", scope=code.scope, nonce=code.nonce, claims=code.claims
        )

    def _end_part(self, tx: Transaction, asking: Asking, code: AuthorizationCode) -> InvalidGrant:
        """Source: RFC 6749, section 4.1.2 (revoke what was issued for the code)."""
        running = self.granting.running(tx, code.session_id, asking.now)
        ended = self.granting.session_clients.end(tx, code.session_id, code.client_id, asking.now)
        if running is not None and ended:
            self.audit.record(tx, asking.line("code.reused", running[0]))
        return InvalidGrant("reused")

    def _note(self, tx: Transaction, asking: Asking, code: AuthorizationCode, judged: CodeVerdict) -> InvalidGrant:
        """One line a minute for what a code is refused for."""
        key = (code.session_id, judged)
        session = self.granting.sessions.find(tx, code.session_id)
        if session is not None and self.lines.is_due(key, asking.now):
            self.lines.written(key, asking.now)
            self.audit.record(tx, asking.line("token.refused", session, rule=judged))
        return InvalidGrant(judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemDevice:
    """Answers one poll of a device that waits."""

    database: Database
    clock: Clock
    device_grants: DeviceGrants
    granting: Granting
    arrivals: Arrivals
    audit: AuditTrail

    async def __call__(
        self, device_code: str, client: RegisteredClient, context: LoginContext, *, proof: Proof | None
    ) -> GrantAnswer:
        """The first tokens once the person has agreed, or what the device does meanwhile (RFC 8628, section 3.5).

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if not is_plausible(device_code):
            return InvalidGrant("unknown")
        device_digest, now = digest(device_code), self.clock.now()
        grant = self.database.read(lambda tx: self.device_grants.find(tx, device_digest))
        judged = verdict(grant, expected_client_id=client.client_id, now=now)
        if grant is None or judged in {"unknown", "other_client"}:
            return InvalidGrant(judged)
        if judged == "access_denied" or judged == "expired_token":
            return NotGranted(judged)
        asking = self.granting.asking(client, context, proof, now=now)
        arrival: Arrival | None = None
        if judged == "redeem":
            part = self.database.read(lambda tx: self._part(tx, grant, now))
            if part is not None:
                start = Start(ip=grant.ip, started_at=grant.created_at, country="", is_proven=False)
                arrival = await self.arrivals.judge(asking, part, start)
        outcome = await self.database.write(lambda tx: self.redeem(tx, asking, device_digest, arrival))
        return Issued(tokens=self.granting.tokens(asking, outcome)) if isinstance(outcome, Part) else outcome

    def redeem(self, tx: Transaction, asking: Asking, device_digest: bytes, arrival: Arrival | None) -> Outcome:
        """One poll inside a transaction."""
        if not self.granting.counts(tx, asking):
            return NotGranted("invalid_dpop_proof")
        grant = self.device_grants.find(tx, device_digest)
        judged = verdict(grant, expected_client_id=asking.client.client_id, now=asking.now)
        if grant is None or judged in {"unknown", "other_client"}:
            return InvalidGrant(judged)
        if judged == "authorization_pending" or judged == "slow_down":
            seconds = grant.interval_seconds + (POLL_SECONDS if judged == "slow_down" else 0)
            self.device_grants.poll(tx, device_digest, now=asking.now, interval_seconds=seconds)
            return NotGranted(judged)
        if judged == "access_denied" or judged == "expired_token":
            return NotGranted(judged)
        part = self._part(tx, grant, asking.now)
        if part is not None and arrival is None:  # approved only since we looked: the next poll asks about the risk
            return NotGranted("authorization_pending")
        if not self.device_grants.redeem(tx, device_digest):
            return InvalidGrant("unknown")
        if part is None or arrival is None:
            return SESSION_OVER
        if not arrival.is_let_go_on:
            return self.arrivals.refuse(tx, asking, part, arrival)
        if not self.granting.write(tx, asking, part):
            return SESSION_OVER
        line = asking.line("session.started", part.session, detail="device_code")
        self.audit.record(tx, line if arrival.ruling is None else arrival.ruling.on(line))
        return part

    def _part(self, tx: Transaction, grant: DeviceGrant, now: float) -> Part | None:
        running = None if grant.session_id is None else self.granting.running(tx, grant.session_id, now)
        if running is None:
            return None
        return Part(session=running[0], account=running[1], kind="device", scope=grant.scope)


def _start_of(part: Part) -> Start:
    """A code begins at the browser; its verifier is known to nobody but the application that sent the person there."""
    session = part.session
    return Start(ip=session.ip, started_at=session.created_at, country=session.country, is_proven=True)


def _is_refused(judged: CodeVerdict) -> bool:
    """Whether this verdict changes nothing: the code is dead, or not theirs."""
    return judged not in {"redeem", "reused"}
