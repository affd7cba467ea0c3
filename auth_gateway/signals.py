"""Other providers' events: the gateway's parts become what takes them and what operators ask. No rules."""

from collections.abc import Callable

from auth_gateway.adapters.ssf.reading import SignedSetReader
from auth_gateway.adapters.ssf.remote_keys import RemoteKeys
from auth_gateway.adapters.ssf.remote_streams import PolledStreams
from auth_gateway.adapters.storage.recoverable import StoredRecoverables
from auth_gateway.adapters.storage.transmitters import StoredTransmitters
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.assembly import Gateway
from auth_gateway.flows.ssf.collecting import Collecting
from auth_gateway.flows.ssf.consequences import Consequences
from auth_gateway.flows.ssf.receiving import Receiving
from auth_gateway.flows.ssf.transmitters import SignalSources
from auth_gateway.followers import risk_follower
from plumbing.refusals import Refused
from webhooks.fetching import Fetcher
from webhooks.targets import TargetRefused, parse_target


def fetcher(gateway: Gateway) -> Fetcher:
    """Fetches what other providers publish; a demo's may be on this machine."""
    return Fetcher(allow_private=gateway.settings.is_demo)


def receiving(gateway: Gateway, *, told: Callable[[], None]) -> Receiving:
    """What takes their tokens."""
    return Receiving(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        transmitters=StoredTransmitters(),
        seen=gateway.provider.seen_once,
        read=SignedSetReader(RemoteKeys(fetcher(gateway), gateway.clock)),
        consequences=Consequences(
            users=gateway.users,
            recoverables=StoredRecoverables(),
            sessions=gateway.sessions,
            trusted_devices=StoredTrustedDevices(),
            ending=gateway.ending,
            audit=gateway.audit,
            follower=risk_follower(gateway.settings),
        ),
        issuer=gateway.settings.jwt_issuer,
        told=told,
    )


def collecting(gateway: Gateway, taking: Receiving) -> Collecting:
    """What fetches tokens that wait elsewhere."""
    return Collecting(
        database=gateway.database,
        clock=gateway.clock,
        transmitters=StoredTransmitters(),
        vault=gateway.vault,
        streams=PolledStreams(fetcher(gateway)),
        receiving=taking,
    )


def signal_sources(gateway: Gateway) -> SignalSources:
    """The operator's list of transmitters."""
    allow_private = gateway.settings.is_demo

    def check(url: str) -> None:
        try:
            parse_target(url, allow_private=allow_private)
        except TargetRefused as refused:
            text = f"the address is no place to connect to ({refused.code})"
            raise Refused("invalid_transmitter", text, status=400) from None

    return SignalSources(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        transmitters=StoredTransmitters(),
        vault=gateway.vault,
        audit=gateway.audit,
        check_url=check,
    )
