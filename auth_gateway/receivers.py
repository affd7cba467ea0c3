"""Who is told what, and where they are: endpoints of the outbox made of settings and registrations. No rules."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from auth_gateway.assembly import Gateway
from auth_gateway.core.provider.logout import address_of
from auth_gateway.flows.recording import Announcing, EndpointName, Recorder
from auth_gateway.flows.session_notices import SESSIONS_ENDPOINT
from auth_gateway.settings import Settings
from plumbing.bodies import FORM_TYPE
from plumbing.kafka_properties import properties_of
from risk_scorer.contract.feedback import Outcome
from webhooks.delivery import Endpoint, Receiver
from webhooks.signing import Signer, bearer_signer, standard_signer
from webhooks.transport import Attempt

# What a person's next login should know of this one is there long before they can log in again.
OUTCOMES_LINGER_SECONDS = 0.25
# Applications are many and their notices few: a handful of connections for each is enough.
LOGOUT_CONCURRENCY = 4
_told = msgspec.json.Decoder(Outcome)
NOT_FOUND = 404
OLD_SCORER_REMEDY = "the scorer is older than this gateway and does not know what to do with this: upgrade it"
SCORER_REMEDY = (
    "the scorer refuses RISK_API_CREDENTIAL here: make one that may do it with "
    "`risk-scorer credentials add NAME --scope score,outcomes,feedback,erase,read`, set it, and restart the gateway"
)


def endpoints_of(settings: Settings, *, scorer_tls: ssl.SSLContext | None = None) -> dict[EndpointName, Receiver]:
    """The receivers that settings name, under the names that the flows know them by."""
    found: dict[EndpointName, Receiver] = {}
    targets: dict[EndpointName, str | None] = {"mfa": settings.mfa_target, "webhook": settings.webhook_url}
    for name, url in targets.items():
        if url is not None:
            signer = standard_signer(
                settings.webhook_keys, plain_header=settings.mfa_hmac_header, plain_key=settings.plain_key
            )
            # The demo's receiver listens on this machine; elsewhere a webhook never enters our own network.
            found[name] = Endpoint(name=name, url=url, signer=signer, allow_private=settings.is_demo)
    if settings.risk_api_credential is not None:
        signer = bearer_signer(settings.risk_api_credential.get_secret_value())
        # The scorer is ours, and the operator says where it is.
        url = f"{settings.risk_api_url}/outcomes"
        found["scorer"] = Endpoint(
            name="scorer",
            url=url,
            signer=signer,
            allow_private=True,
            tls=scorer_tls,
            merge=_as_list,
            linger_seconds=OUTCOMES_LINGER_SECONDS,
            remedy=SCORER_REMEDY,
        )
        # Verdicts are taken all or none, so each travels alone: one about a login that the scorer has forgotten must
        # hold up no other.
        verdicts = f"{settings.risk_api_url}/feedback"
        found["scorer-feedback"] = Endpoint(
            name="scorer-feedback",
            url=verdicts,
            signer=signer,
            allow_private=True,
            tls=scorer_tls,
            remedy=SCORER_REMEDY,
        )
        erasures = f"{settings.risk_api_url}/people/erase"
        found["scorer-erasure"] = Endpoint(
            name="scorer-erasure", url=erasures, signer=signer, allow_private=True, remedy=SCORER_REMEDY
        )
        risk_api = settings.risk_api_url
        found[SESSIONS_ENDPOINT] = _waiting_endpoint(SESSIONS_ENDPOINT, f"{risk_api}/sessions", signer, scorer_tls)
        decisions = _waiting_endpoint("scorer-decisions", f"{risk_api}/decisions", signer, scorer_tls)
        found["scorer-decisions"] = replace(decisions, merge=_as_one_list)
    if settings.kafka_broker is not None and settings.kafka_topic_outcomes is not None:
        found["scorer"] = _outcomes_topic(settings, settings.kafka_broker, settings.kafka_topic_outcomes)
    return found


def _waiting_endpoint(name: EndpointName, url: str, signer: Signer, tls: ssl.SSLContext | None) -> Endpoint:
    """What an older scorer does not take has a lane of its own, which waits and holds up no outcome."""
    return Endpoint(
        name=name,
        url=url,
        signer=signer,
        allow_private=True,
        tls=tls,
        merge=_as_list,
        linger_seconds=OUTCOMES_LINGER_SECONDS,
        judge=_judged_notice,
    )


def _judged_notice(attempt: Attempt) -> Attempt:
    """Whoever does not know the address yet may after an upgrade: nothing is thrown away, and nothing more is tried for
    a while."""
    if attempt.status == NOT_FOUND:
        return replace(attempt, remedy=OLD_SCORER_REMEDY)
    return replace(attempt, remedy=SCORER_REMEDY) if attempt.is_sender_refused else attempt


def _outcomes_topic(settings: Settings, brokers: str, topic: str) -> Receiver:
    """Outcomes by Kafka in place of `POST /outcomes`, one person's in one partition."""
    from webhooks.kafka import KafkaReceiver  # needs its extra

    properties = properties_of(settings.kafka_config)
    return KafkaReceiver(name="scorer", brokers=brokers, topic=topic, key_of=person_of, properties=properties)


def person_of(outcome: bytes) -> bytes | None:
    """The key of an outcome's record: whose login it was."""
    return _told.decode(outcome).event.user_id.encode()


def recorder(gateway: Gateway) -> Recorder:
    """What writes steps of logins down, and tells those in the settings."""
    settings = gateway.settings
    return Recorder(
        audit=gateway.audit,
        outbox=gateway.outbox,
        announcing=Announcing(
            tenant=settings.mfa_tenant,
            risk_threshold=settings.webhook_risk_threshold,
            endpoints=frozenset(endpoints_of(settings)),
        ),
    )


def logout_receivers(compose: Callable[[bytes], bytes], *, allow_private: bool) -> Callable[[str], Endpoint | None]:
    """Applications that are told of ended sessions, by the names that their notices have in the outbox.

    The returned function raises TargetRefused for an address that we never send to.
    """
    return partial(_logout_receiver, compose=compose, allow_private=allow_private)


def _logout_receiver(name: str, *, compose: Callable[[bytes], bytes], allow_private: bool) -> Endpoint | None:
    address = address_of(name)
    if address is None:
        return None
    return Endpoint(
        name=name,
        url=address,
        signer=_proved_by_its_content,
        allow_private=allow_private,
        concurrency=LOGOUT_CONCURRENCY,
        content_type=FORM_TYPE,
        compose=compose,
    )


def _proved_by_its_content(_message_id: str, _timestamp: int, _body: bytes) -> Mapping[str, str]:
    """A logout token is signed itself."""
    return {}


def _as_list(outcomes: Sequence[bytes]) -> bytes:
    """Several outcomes as the list that the scorer takes."""
    return b"[" + b",".join(outcomes) + b"]"


def _as_one_list(lists: Sequence[bytes]) -> bytes:
    """Several lists, none of them empty, as one."""
    return b"[" + b",".join(each[1:-1] for each in lists) + b"]"
