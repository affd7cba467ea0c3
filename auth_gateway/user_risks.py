"""What is held against people: the gateway's parts become what policy and operators ask. No rules."""

from auth_gateway.adapters.scorer_activity import ScorerActivity
from auth_gateway.adapters.storage.provider.browsers import StoredSessionClients
from auth_gateway.adapters.storage.recoverable import StoredRecoverables
from auth_gateway.adapters.storage.session_signals import StoredSessionSignals
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.assembly import Gateway
from auth_gateway.flows.account_desk import AccountDesk
from auth_gateway.flows.forced_reset import ForcedReset
from auth_gateway.flows.ports.session_risk import Behaviours, NobodyKnows
from auth_gateway.flows.risk_desk import RiskDesk
from auth_gateway.flows.session_end import SessionEnd
from auth_gateway.flows.user_risk import RisksNow
from auth_gateway.followers import risk_follower
from auth_gateway.receivers import recorder
from auth_gateway.settings import Settings
from plumbing.tls import Certified


def risks_now(gateway: Gateway) -> RisksNow:
    """What is left of people's risks."""
    half_life = gateway.settings.user_risk_half_life_seconds
    return RisksNow(database=gateway.database, book=StoredUserRisks(), half_life_seconds=half_life)


def scorer_behaviours(settings: Settings, tls: Certified | None) -> ScorerActivity:
    """The scorer, asked what people do."""
    credential = settings.risk_api_credential
    return ScorerActivity(
        base_url=settings.risk_api_url,
        credential=None if credential is None else credential.get_secret_value(),
        tls=None if tls is None else tls.context,
    )


def account_desk(gateway: Gateway, behaviours: Behaviours | None = None) -> AccountDesk:
    """Where reviewers work."""
    return AccountDesk(
        database=gateway.database,
        clock=gateway.clock,
        users=gateway.users,
        sessions=gateway.sessions,
        session_clients=StoredSessionClients(),
        signals=StoredSessionSignals(),
        book=StoredUserRisks(),
        accounts=gateway.accounts,
        behaviours=behaviours or NobodyKnows(),
        half_life_seconds=gateway.settings.user_risk_half_life_seconds,
    )


def forced_reset(gateway: Gateway) -> ForcedReset:
    """How reviewers have passwords renewed."""
    return ForcedReset(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        recoverables=StoredRecoverables(),
        sessions=gateway.sessions,
        trusted_devices=StoredTrustedDevices(),
        ending=gateway.ending,
        post_office=gateway.post_office,
        recorder=recorder(gateway),
    )


def session_end(gateway: Gateway) -> SessionEnd:
    """How reviewers end one session."""
    return SessionEnd(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        sessions=gateway.sessions,
        audit=gateway.audit,
        ending=gateway.ending,
    )


def risk_desk(gateway: Gateway) -> RiskDesk:
    """Where analysts work."""
    return RiskDesk(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        sessions=gateway.sessions,
        trusted_devices=StoredTrustedDevices(),
        ending=gateway.ending,
        book=StoredUserRisks(),
        follower=risk_follower(gateway.settings),
        recorder=recorder(gateway),
    )
