"""What the `standard` format tells of each type of event: one closed shape a type, from which its JSON schema and its
documentation are made.
"""

from typing import Annotated, Any, Final, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auth_gateway.core.event import VERSION, Event, Folded
from auth_gateway.core.folding import FOLDABLE
from auth_gateway.core.vocabulary import EventType
from risk_scorer.contract.assessment import Reason


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason of a score. Its words are told only to who is told full addresses: they quote them."""

    code: str
    points: float
    observed: str = ""
    usual: str = ""
    text: str = ""


class _Field(NamedTuple):
    """How one field is typed and explained."""

    kind: Any
    text: str


_TEXT, _TEXTS = str | UnsetType, tuple[str, ...]
_ALWAYS: Final[dict[str, _Field]] = {
    "event_id": _Field(str, "One event, the same however often and to whomever it is told."),
    "version": _Field(int, "Of this shape. Fields may be added to a version, never changed or taken away."),
    "tenant": _Field(str, "The tenant that the destination, or else the gateway, is set to."),
}
_FIELDS: Final[dict[str, _Field]] = {
    "user_id": _Field(_TEXT, "The person, as `sub` in tokens; absent where the destination gets `user_hash`."),
    "user_hash": _Field(_TEXT, "In place of `user_id`: HMAC-SHA256 (hex) under a key of this destination alone."),
    "username": _Field(_TEXT, "The name that the person logs in with; only where the destination asked for names."),
    "client_id": _Field(_TEXT, "The application."),
    "session_id": _Field(_TEXT, "The session, as `sid` in tokens."),
    "incident_id": _Field(_TEXT, "What a person who was refused was shown."),
    "challenge_id": _Field(_TEXT, "The challenge that awaits, or got, its second factor."),
    "ip": _Field(_TEXT, "The address; one of `ip`, `ip_prefix`, `ip_hash` at the most, as the destination chose."),
    "ip_prefix": _Field(_TEXT, "Its network: /24 of an IPv4 address, /48 of an IPv6 address."),
    "ip_hash": _Field(_TEXT, "HMAC-SHA256 (hex) of the address under a key of this destination alone."),
    "user_agent": _Field(_TEXT, "The browser's own words; only where the destination asked for them."),
    "browser": _Field(_TEXT, "The browser's name."),
    "os": _Field(_TEXT, "The system's name."),
    "device": _Field(_TEXT, "SHA-256 (hex) of the device's id; a keyed hash where the person is told as one."),
    "country": _Field(_TEXT, "Where the address is, as ISO 3166-1 alpha-2."),
    "region": _Field(_TEXT, "The region; not for destinations that get a hash of the address, or nothing of it."),
    "city": _Field(_TEXT, "The city; as `region`."),
    "asn": _Field(int | UnsetType, "The network operator's number."),
    "network_kind": _Field(_TEXT, "What the network is used for, as far as is known."),
    "is_listed": _Field(bool, "Whether the network is on a block list; absent means no."),
    "ja4": _Field(_TEXT, "The TLS client's fingerprint, from a trusted edge."),
    "decision": _Field(_TEXT, "`allow`, `challenge` or `deny`."),
    "rule": _Field(_TEXT, "The rule that decided, or the reason why."),
    "risk_score": _Field(float | UnsetType, "0 to 100; absent when there was no score."),
    "risk_level": _Field(_TEXT, "`low`, `medium` or `high`; of a person also `none`."),
    "risk_before": _Field(float | UnsetType, "Of a person: the risk that it was before."),
    "model_version": _Field(_TEXT, "The model that gave the score."),
    "reasons": _Field(tuple[Cause, ...], "Why the score is what it is; the points add up to it."),
    "new": _Field(_TEXTS, "What the person's history had never seen."),
    "demand": _Field(_TEXT, "Which factors would do: `any`, `enrolled` or `phishing_resistant`."),
    "factors": _Field(_TEXTS, "The kinds of factor that the person could show."),
    "method": _Field(_TEXT, "The factor that was shown."),
    "amr": _Field(_TEXTS, "How the person was recognised (RFC 8176)."),
    "began_as": _Field(_TEXT, "`event_id` of the login that this answers."),
    "techniques": _Field(_TEXTS, "MITRE ATT&CK techniques that it may be a sign of."),
    "by": _Field(_TEXT, "Who did it: an application's id, `operator` (a command on the machine) or `gateway`."),
    "detail": _Field(_TEXT, "What exactly: see the type."),
    "folded": _Field(Folded | UnsetType, "In a storm alone: the events that this message tells as one."),
    "replay_id": _Field(_TEXT, "The replay that tells it again; absent the first time."),
}
_PERSON = ("user_id", "user_hash", "username", "client_id")
_PLACE = ("ip", "ip_prefix", "ip_hash", "user_agent", "browser", "os", "device", "country", "region", "city", "asn")
_NETWORK = ("network_kind", "is_listed", "ja4")
_RISK = ("decision", "rule", "risk_score", "risk_level", "model_version", "reasons", "new", "techniques")
_LOGIN = (*_PERSON, *_PLACE, *_NETWORK, *_RISK, "session_id", "incident_id", "challenge_id", "demand", "factors", "amr")
_ANSWER = (*_LOGIN, "method", "began_as")
_SESSION = (*_PERSON, *_PLACE, "session_id", "rule")
_SIGNALLED = (*_PERSON, "session_id", *_RISK, "amr", "detail")
_REFRESH = (*_SESSION, *_NETWORK, *_RISK, "incident_id")
_ACCOUNT = (*_PERSON, *_PLACE, "session_id", "rule", "detail")
_ADMIN = ("client_id", "by", "rule", "detail")


class Shape(NamedTuple):
    """What a type of event means, and what is told of it."""

    text: str
    fields: tuple[str, ...]


SHAPES: Final[dict[EventType, Shape]] = {
    "login.allowed": Shape("Somebody was let in.", _LOGIN),
    "login.mfa_required": Shape("A login awaits its second factor.", _LOGIN),
    "login.denied": Shape("A login was refused for its risk.", _LOGIN),
    "login.failed": Shape(
        "A wrong password or passkey, a frozen account, or one that was asked too often; `rule` says which.", _LOGIN
    ),
    "login.high_risk": Shape("A login's score reached WEBHOOK_RISK_THRESHOLD, whatever was decided.", _LOGIN),
    "mfa.passed": Shape("A challenge was answered rightly.", _ANSWER),
    "mfa.failed": Shape("A challenge was answered wrongly.", _ANSWER),
    "token.refresh_reused": Shape("A spent refresh token came back: it was stolen, or is used twice.", _REFRESH),
    "token.denied": Shape("The risk ended a session when its token was to be refreshed.", _REFRESH),
    "token.code_reused": Shape("An authorization code came back that was spent: somebody has seen it.", _SESSION),
    "session.started": Shape("An application got its part in a session; `detail` is the grant.", (*_SESSION, "detail")),
    "session.revoked": Shape("A session is over; `rule` says why.", _SESSION),
    "session.risk_signalled": Shape(
        "What was done in a session, or by many together, is risky; `rule` is the response that its marks ask for, "
        "`detail` who saw it.",
        _SIGNALLED,
    ),
    "session.step_up_required": Shape("A session rests until its owner has shown a factor.", _SIGNALLED),
    "session.reset": Shape(
        "Somebody ended all sessions of a person, or the one of `session_id`; `detail` is how many, who and why.",
        (*_ACCOUNT, "by"),
    ),
    "account.created": Shape("An account came to be.", _ACCOUNT),
    "account.frozen": Shape("Nobody gets into the account any more.", _ACCOUNT),
    "account.unfrozen": Shape("The account is open again.", _ACCOUNT),
    "account.erased": Shape("The person asked to be forgotten: erase what you have of them.", _ACCOUNT),
    "account.recovered": Shape("Its owner set a new password by a link that was mailed.", (*_ACCOUNT, *_RISK)),
    "account.refused": Shape("The risk kept somebody who was signed in from the account's pages.", (*_ACCOUNT, *_RISK)),
    "credential.added": Shape("A factor was enrolled; `detail` is its kind.", _ACCOUNT),
    "credential.removed": Shape("A factor was removed; `detail` is its kind.", _ACCOUNT),
    "credential.refused": Shape("A passkey was shown that may not be used.", _ACCOUNT),
    "password.changed": Shape("The password was changed.", _ACCOUNT),
    "password.breached": Shape("A right password is on a list that others try first.", _ACCOUNT),
    "device.new": Shape("Somebody was let in on a device that their history had never seen.", _ANSWER),
    "device.trusted": Shape("A browser is trusted in place of a factor; `detail` is its id.", _ACCOUNT),
    "device.distrusted": Shape("A browser is trusted no more; `detail` is its id.", _ACCOUNT),
    "device.approved": Shape("A person let a device in by its code; `detail` is what it may.", _ACCOUNT),
    "device.denied": Shape("A person kept a device out.", _ACCOUNT),
    "sign_in.reported": Shape("The owner says: that was not me. `detail` is the login's event_id.", _ACCOUNT),
    "sign_in.confirmed": Shape("The owner says: that was me. `detail` is the login's event_id.", _ACCOUNT),
    "consent.given": Shape("A person let an application have what `detail` names.", _ACCOUNT),
    "consent.withdrawn": Shape("A person took that back; `detail` is the application.", _ACCOUNT),
    "risk.user_raised": Shape(
        "A person's own risk has risen to `risk_score`; `rule` is why.", (*_ACCOUNT, *_RISK, "risk_before")
    ),
    "risk.user_lowered": Shape(
        "A person's own risk has fallen, or an analyst spoke: risk_score and risk_level are it, `rule` is why.",
        (*_ACCOUNT, *_RISK, "risk_before"),
    ),
    "client.added": Shape("An application was registered.", _ADMIN),
    "client.removed": Shape("An application was removed.", _ADMIN),
    "client.secret_rotated": Shape("An application got a new secret.", _ADMIN),
    "key.added": Shape("There is a new signing key; `detail` is its id.", _ADMIN),
    "key.retired": Shape("A signing key signs nothing more, from when `detail` says after its id.", _ADMIN),
    "vault.rotated": Shape("What is sealed at rest has a new key.", _ADMIN),
    "webhook.added": Shape("A destination of events was added; `detail` is its id.", _ADMIN),
    "webhook.changed": Shape(
        "A destination's terms or address changed; `detail` is its id and then what changed, by name.", _ADMIN
    ),
    "webhook.removed": Shape("A destination of events was removed; `detail` is its id.", _ADMIN),
    "webhook.secret_rotated": Shape("A destination got a new secret; `detail` is its id.", _ADMIN),
    "webhook.disabled": Shape("A destination gets nothing more; `detail` is its id, `rule` why.", _ADMIN),
    "webhook.enabled": Shape("A destination is told of events again; `detail` is its id.", _ADMIN),
    "webhook.tested": Shape("A test message was sent to a destination; `detail` is its id.", _ADMIN),
    "webhook.retried": Shape(
        "Messages are tried again; `detail` is the destination's id and the message's, or `dead` and how many.", _ADMIN
    ),
    "webhook.replayed": Shape("A destination is told a span again; `detail` is its id and the replay's.", _ADMIN),
    "webhook.replay_stopped": Shape("A replay was ended; `detail` is the destination's id and the replay's.", _ADMIN),
    "stream.added": Shape("An application made a stream of Shared Signals; `detail` is its id.", _ADMIN),
    "stream.changed": Shape("What a stream delivers, or where, was changed; `detail` is its id.", _ADMIN),
    "stream.removed": Shape("A stream was removed; `detail` is its id.", _ADMIN),
    "transmitter.added": Shape("Another provider's events are taken from now on; `detail` is its name.", _ADMIN),
    "transmitter.changed": Shape(
        "What another provider's events do here was changed, or whether they are taken; `detail` is its name.", _ADMIN
    ),
    "transmitter.removed": Shape("Another provider's events are taken no more; `detail` is its name.", _ADMIN),
    "signal.received": Shape(
        "Another provider told something about a person; `rule` is its event, `detail` says who told it, the token's "
        "`jti` and what was done.",
        _ACCOUNT,
    ),
    "policy.changed": Shape(
        "Another policy document decides from now on; `detail` is its SHA-256 and how many rules it has, and of a "
        "saved one its version, who saved it and why.",
        _ADMIN,
    ),
    "policy.refused": Shape("An edit of the policy document is wrong, and the last good one decides on.", _ADMIN),
    "webhook.test": Shape("Nothing has happened: somebody tries whether events arrive.", _ADMIN),
}


def told(event: Event) -> msgspec.Struct:
    """The data of one event in the shape of its type; what is not known is left out."""
    facts, found = event.facts, {}
    shape = STRUCTS[event.type]
    for name in shape.__struct_fields__:
        source = event if name in _OF_EVENT else facts
        value = getattr(source, _NAMES.get(name, name))
        if value or value == 0 or name in _ALWAYS:
            found[name] = tuple(map(_cause, value)) if name == "reasons" else value
    return shape(**found)


def schemas() -> dict[str, Any]:
    """The JSON schema of each type's data."""
    return {name: msgspec.json.schema(shape) for name, shape in STRUCTS.items()}


def _cause(reason: Reason) -> Cause:
    return Cause(code=reason.code, points=reason.points, observed=reason.observed, usual=reason.usual, text=reason.text)


def _struct(name: EventType) -> type[msgspec.Struct]:
    shape = SHAPES[name]
    fields: list[Any] = [(each, _annotated(field)) for each, field in _ALWAYS.items()]
    for each in dict.fromkeys((*shape.fields, "replay_id", *(("folded",) if name in FOLDABLE else ()))):
        kind = _FIELDS[each].kind
        empty: Any = () if kind in {_TEXTS, tuple[Cause, ...]} else False if kind is bool else UNSET
        fields.append((each, _annotated(_FIELDS[each]), empty))
    title = "".join(part.capitalize() for part in name.replace(".", "_").split("_"))
    made = msgspec.defstruct(
        title, fields, kw_only=True, frozen=True, omit_defaults=True, namespace={"__doc__": shape.text}
    )
    made.__module__ = __name__
    return made


def _annotated(field: _Field) -> Any:
    return Annotated[field.kind, Meta(description=field.text)]


_NAMES: Final = {"risk_score": "score", "risk_level": "level"}
_OF_EVENT: Final = frozenset({*Event.__struct_fields__, "risk_score", "risk_level", "challenge_id"}) - {"facts"}
STRUCTS: Final[dict[EventType, type[msgspec.Struct]]] = {name: _struct(name) for name in get_args(EventType)}
"""The shape of each type."""

assert VERSION == 1, "a new version has shapes of its own, beside these"  # noqa: S101 - said to whoever changes it
