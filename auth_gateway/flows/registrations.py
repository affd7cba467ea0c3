"""Applications come, get another secret, and go; the audit trail has a line for each."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.registration import check_registration
from auth_gateway.flows.ending import CLIENT_REMOVED, Ending
from auth_gateway.flows.ports import AuditTrail, Clients, Clock, Randomness
from plumbing.credentials import new_credential
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

SECRET_PREFIX = "rgc"  # noqa: S105 - the public mark of a client's secret, not one
LONGEST_OVERLAP_SECONDS = 30 * 86_400

_BY_OPERATOR = Facts(by=OPERATOR)

Show = Callable[[str], None]
"""Takes a new secret before it counts: a client whose secret nobody saw cannot come to be, however showing it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrations:
    """Keeps the list of applications; for the operator's commands, blocks."""

    database: Database
    clock: Clock
    randomness: Randomness
    clients: Clients
    ending: Ending
    audit: AuditTrail

    def add(self, client: RegisteredClient, *, show: Show) -> None:
        """Register an application; one that proves itself by a secret gets it through `show`, this once.

        Raises: Refused `invalid_redirect_uri`, `invalid_client_metadata`, `client_exists`.
        """
        check_registration(client)
        if self.database.read(lambda tx: self.clients.find(tx, client.client_id)) is not None:
            raise _taken()
        digest = self._new_secret(show) if _has_secret(client) else b""
        line = self._line("client.added", client.client_id)

        def job(tx: Transaction) -> bool:
            if not self.clients.add(tx, client, digest, line.ts):
                return False
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):
            raise _taken()

    def list(self) -> list[RegisteredClient]:
        """All of them, by id."""
        return self.database.read(self.clients.list)

    def rotate_secret(self, client_id: str, *, overlap_seconds: int, show: Show) -> None:
        """A new secret through `show`; the one before works for that long, so that nobody is interrupted, and the one
        before that no more.

        Raises: Refused `invalid_overlap`, `unknown_client`, `no_secret`.
        """
        if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
            raise Refused("invalid_overlap", "the old secret works for 30 days longer at the most", status=400)
        client = self.database.read(lambda tx: self.clients.find(tx, client_id))
        if client is None:
            raise _unknown()
        if not _has_secret(client):
            raise Refused("no_secret", "this client proves itself without a secret", status=400)
        digest = self._new_secret(show)
        line = self._line("client.secret_rotated", client_id, detail=f"overlap {overlap_seconds} s")

        def job(tx: Transaction) -> bool:
            until = line.ts + overlap_seconds
            if not self.clients.rotate_secret(tx, client_id, secret_digest=digest, previous_until=until):
                return False
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):
            raise _unknown()

    def remove(self, client_id: str) -> int:
        """Forget an application, and end the sessions that began there and its part in others; how many ended.

        Raises: Refused `unknown_client`.
        """
        line = self._line("client.removed", client_id)
        event_id = self.randomness.event_id("evt")

        def job(tx: Transaction) -> int | None:
            # The sessions first: whoever must be told is looked up in the list of applications.
            running = self.clients.sessions_of(tx, client_id)
            ended = self.ending.end_all(tx, running, reason=CLIENT_REMOVED, event_id=event_id, now=line.ts)
            if not self.clients.remove(tx, client_id, now=line.ts):
                return None
            self.audit.record(tx, msgspec.structs.replace(line, detail=f"{ended} sessions ended"))
            return ended

        ended: int | None = self.database.write_sync(job)
        if ended is None:
            raise _unknown()
        return ended

    def _new_secret(self, show: Show) -> bytes:
        secret, digest = new_credential(self.randomness, SECRET_PREFIX)
        show(secret)
        return digest

    def _line(self, kind: Kind, client_id: str, *, detail: str | None = None) -> AuditEvent:
        event_id, now = self.randomness.event_id("evt"), self.clock.now()
        return AuditEvent(event_id=event_id, ts=now, kind=kind, client_id=client_id, detail=detail, facts=_BY_OPERATOR)


def _has_secret(client: RegisteredClient) -> bool:
    return client.token_endpoint_auth_method == "client_secret_basic"  # noqa: S105 - a method's name


def _taken() -> Refused:
    return Refused("client_exists", "there is a client or a person of this id already", status=409)


def _unknown() -> Refused:
    return Refused("unknown_client", "there is no client of this id", status=404)
