"""What the flows need from the world, as small Protocols. Implementations live in `adapters`; `app` joins the two.

One module for each part of the world; whoever needs a port takes it from here. `Clock` and `Randomness` come from
plumbing and are named here so that a reader finds every port in one place. Repositories take the running transaction:
a flow opens it, says what belongs together, and ends it.
"""

from auth_gateway.flows.ports.clients import Clients
from auth_gateway.flows.ports.events import (
    DeliveryLog,
    Destinations,
    EndpointStandings,
    EventLog,
    Logged,
    Replays,
    SealedSecrets,
)
from auth_gateway.flows.ports.factors import Guesses, MailedCodes, Passkeys, RecoveryCodes, TrustedDevices
from auth_gateway.flows.ports.keys import SealedValue, SealedValues, Sealer, SigningKeyRecord, SigningKeys, TokenCodec
from auth_gateway.flows.ports.mail import Aftermath, MailLinks, NothingFollows, PostOffice
from auth_gateway.flows.ports.people import (
    Blocklist,
    Factors,
    KnownDevices,
    NewHashes,
    PasswordCheck,
    PasswordHashes,
    Passwords,
    Users,
)
from auth_gateway.flows.ports.policy import (
    NobodyAtRisk,
    NoDocument,
    PolicyDocuments,
    PolicyVersions,
    RecordedDecisions,
    UserRisks,
)
from auth_gateway.flows.ports.records import AuditReader, AuditTrail, OutboxWriter
from auth_gateway.flows.ports.recovery import Recoverables
from auth_gateway.flows.ports.risk import UNSCORED, Reservation, Scorer, Throttle
from auth_gateway.flows.ports.sessions import PendingLogins, RefreshTokens, Sessions
from auth_gateway.flows.ports.signals import Fetched, RemoteStreams, SetReader, Transmitters
from auth_gateway.flows.ports.streams import Collected, Mailbox, SetCodec, Streams
from auth_gateway.flows.ports.user_risk import AuditFollower, NotedChange, RiskBook, RiskTrail
from auth_gateway.flows.ports.webauthn import WebAuthn
from plumbing.clock import Clock
from plumbing.randomness import Randomness

__all__ = [
    "UNSCORED",
    "Aftermath",
    "AuditFollower",
    "AuditReader",
    "AuditTrail",
    "Blocklist",
    "Clients",
    "Clock",
    "Collected",
    "DeliveryLog",
    "Destinations",
    "EndpointStandings",
    "EventLog",
    "Factors",
    "Fetched",
    "Guesses",
    "KnownDevices",
    "Logged",
    "MailLinks",
    "Mailbox",
    "MailedCodes",
    "NewHashes",
    "NoDocument",
    "NobodyAtRisk",
    "NotedChange",
    "NothingFollows",
    "OutboxWriter",
    "Passkeys",
    "PasswordCheck",
    "PasswordHashes",
    "Passwords",
    "PendingLogins",
    "PolicyDocuments",
    "PolicyVersions",
    "PostOffice",
    "Randomness",
    "RecordedDecisions",
    "Recoverables",
    "RecoveryCodes",
    "RefreshTokens",
    "RemoteStreams",
    "Replays",
    "Reservation",
    "RiskBook",
    "RiskTrail",
    "Scorer",
    "SealedSecrets",
    "SealedValue",
    "SealedValues",
    "Sealer",
    "Sessions",
    "SetCodec",
    "SetReader",
    "SigningKeyRecord",
    "SigningKeys",
    "Streams",
    "Throttle",
    "TokenCodec",
    "Transmitters",
    "TrustedDevices",
    "UserRisks",
    "Users",
    "WebAuthn",
]
