"""Everything that the own account's pages show, read in one view of the database. Nothing here changes anything."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account_activity import (
    ANSWERS,
    MOST_SHOWN,
    SHOWN_SECONDS,
    Activity,
    about,
    is_shown,
)
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import Passkey, TrustedDevice
from auth_gateway.core.session import Session
from auth_gateway.core.sign_in_report import SignIn, sign_in_of
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.sessions import is_running
from auth_gateway.flows.ports import (
    AuditReader,
    Clients,
    Factors,
    Passkeys,
    RecoveryCodes,
    Sessions,
    TrustedDevices,
)
from auth_gateway.flows.provider.ports import Consents, SessionClients
from plumbing.database import Database
from plumbing.statements import Transaction

LINES_READ = 200
FEW_CODES = 3
"""From so many recovery codes on down the page says that they run out."""
REPORTABLE_SECONDS = 30 * 86_400


class RunningSession(msgspec.Struct, frozen=True, kw_only=True):
    """One browser or application that is signed in. `applications` are the names of those that were opened from it."""

    session_id: str
    user_agent: str
    ip: str
    place: str
    began_at: float
    seen_at: float
    is_this: bool
    applications: tuple[str, ...]


class ConnectedApplication(msgspec.Struct, frozen=True, kw_only=True):
    """An application that has a part in a session, or that the person agreed to give something."""

    client_id: str
    name: str
    scope: str
    is_running: bool


class Proofs(msgspec.Struct, frozen=True, kw_only=True):
    """What the account is proven with. `totp_since` is None without an authenticator."""

    totp_since: float | None
    passkeys: tuple[Passkey, ...]
    codes_left: int

    @property
    def is_enrolled(self) -> bool:
        """Whether there is anything but the password."""
        return self.totp_since is not None or self.passkeys != ()

    @property
    def runs_out(self) -> bool:
        """Whether whoever loses the factor may soon be left without a way in."""
        return self.is_enrolled and self.codes_left <= FEW_CODES


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What `/account` shows."""

    sessions: tuple[RunningSession, ...]
    trusted: tuple[TrustedDevice, ...]
    applications: tuple[ConnectedApplication, ...]
    activity: tuple[Activity, ...]
    proofs: Proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class Overviews:
    """Reads them."""

    database: Database
    sessions: Sessions
    session_clients: SessionClients
    consents: Consents
    clients: Clients
    factors: Factors
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    trusted_devices: TrustedDevices
    audit: AuditReader

    def of(self, person: Person) -> Overview:
        """All of it."""
        return self.database.read(lambda tx: self._read(tx, person))

    def sign_in(self, person: Person, event_id: str) -> tuple[Activity, SignIn] | None:
        """One of the person's own sign-ins that nobody has answered for yet; None for whatever else the id names."""
        overview = self.of(person)
        found = next((each for each in overview.activity if each.event_id == event_id and each.can_report), None)
        line = None if found is None else self.database.read(lambda tx: self._line(tx, person, event_id))
        sign_in = None if line is None else sign_in_of(line)
        return None if found is None or sign_in is None else (found, sign_in)

    def proofs(self, person: Person) -> Proofs:
        """What the account is proven with, alone."""
        return self.database.read(lambda tx: self._proofs(tx, person))

    def _read(self, tx: Transaction, person: Person) -> Overview:
        sessions = self.sessions.of_user(tx, person.user_id)
        running = [each for each in sessions if is_running(each, person.now)]
        parts = {each.session_id: tuple(self.session_clients.of(tx, each.session_id)) for each in running}
        trusted = [each for each in self.trusted_devices.of_user(tx, person.user_id) if person.now < each.expires_at]
        return Overview(
            sessions=self._running(tx, person, running, parts),
            trusted=tuple(trusted),
            applications=self._applications(tx, person, parts),
            activity=self._activity(tx, person, sessions),
            proofs=self._proofs(tx, person),
        )

    def _running(
        self, tx: Transaction, person: Person, running: list[Session], parts: dict[str, tuple[str, ...]]
    ) -> tuple[RunningSession, ...]:
        """One entry for each browser: a step-up there leaves the session before it running."""
        browsers: dict[str, list[Session]] = {}
        for session in running:
            browsers.setdefault(session.browser_id or session.session_id, []).append(session)
        shown = [self._entry(tx, each, parts, person) for each in browsers.values()]
        return tuple(sorted(shown, key=lambda entry: (not entry.is_this, -entry.seen_at)))

    def _entry(
        self, tx: Transaction, together: list[Session], parts: dict[str, tuple[str, ...]], person: Person
    ) -> RunningSession:
        is_this = person.session in together
        newest = person.session if is_this else together[0]
        ids = dict.fromkeys(client_id for each in together for client_id in parts[each.session_id])
        if newest.browser_id is None:
            ids[newest.client_id] = None
        return RunningSession(
            session_id=newest.session_id,
            user_agent=newest.user_agent,
            ip=newest.ip,
            place=newest.place or newest.country,
            began_at=min(each.created_at for each in together),
            seen_at=person.now if is_this else max(each.seen_at for each in together),
            is_this=is_this,
            applications=tuple(self._name(tx, client_id) for client_id in ids),
        )

    def _applications(
        self, tx: Transaction, person: Person, parts: dict[str, tuple[str, ...]]
    ) -> tuple[ConnectedApplication, ...]:
        running = dict.fromkeys(client_id for ids in parts.values() for client_id in ids)
        agreed = {consent.client_id: consent.scope for consent in self.consents.of_user(tx, person.user_id)}
        return tuple(
            ConnectedApplication(
                client_id=client_id,
                name=self._name(tx, client_id),
                scope=agreed.get(client_id, ""),
                is_running=client_id in running,
            )
            for client_id in sorted({**running, **agreed})
        )

    def _activity(self, tx: Transaction, person: Person, sessions: list[Session]) -> tuple[Activity, ...]:
        lines = self.audit.of_user(tx, person.user_id, since=person.now - SHOWN_SECONDS, limit=LINES_READ)
        by_id = {session.session_id: session for session in sessions}
        answered = {line.detail for line in lines if line.kind in ANSWERS}
        shown = [line for line in lines if is_shown(line)][:MOST_SHOWN]
        return tuple(_activity(line, by_id.get(line.session_id or ""), answered, now=person.now) for line in shown)

    def _line(self, tx: Transaction, person: Person, event_id: str) -> AuditEvent | None:
        lines = self.audit.of_user(tx, person.user_id, since=person.now - SHOWN_SECONDS, limit=LINES_READ)
        return next((line for line in lines if line.event_id == event_id and sign_in_of(line) is not None), None)

    def _proofs(self, tx: Transaction, person: Person) -> Proofs:
        totp = self.factors.find(tx, person.user_id)
        return Proofs(
            totp_since=None if totp is None else totp.created_at,
            passkeys=tuple(self.passkeys.of_user(tx, person.user_id)),
            codes_left=self.recovery_codes.left(tx, person.user_id),
        )

    def _name(self, tx: Transaction, client_id: str) -> str:
        client = self.clients.find(tx, client_id)
        return client_id if client is None else client.name


def _activity(line: AuditEvent, session: Session | None, answered: set[str | None], *, now: float) -> Activity:
    sign_in = sign_in_of(line)
    is_open = sign_in is not None and sign_in.scored_as not in answered and now - line.ts <= REPORTABLE_SECONDS
    return Activity(
        event_id=line.event_id,
        kind=line.kind,
        at=line.ts,
        about=about(line),
        place="" if session is None else session.place or session.country,
        user_agent="" if session is None else session.user_agent,
        can_report=is_open,
    )
