"""What an event of another provider does here: the operator says so for each transmitter and type of event.

An event only ever makes it harder to get in. What is good news (an account enabled again, a risk that fell) does
nothing: whoever has a transmitter's key must not open with it what we closed. Why so: docs/decisions/0025.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from auth_gateway.core.detections import Level
from auth_gateway.core.ssf import event_types as types
from auth_gateway.core.ssf.set_error import SetRefused
from plumbing.refusals import Refused

SIGNAL_RECEIVED: Final = "signal_received"
"""Why a session is over or an account frozen that another provider's event ended or froze."""

RiskLevel = Literal["", "low", "medium", "high"]
_LEVELS: Final[tuple[RiskLevel, ...]] = get_args(RiskLevel)


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What is done: the person's risk is raised to `raises` ("" not at all), their sessions end, their account is
    frozen (and then their sessions end too)."""

    raises: RiskLevel = ""
    revokes: bool = False
    freezes: bool = False

    @property
    def level(self) -> Level | None:
        """How far the person's risk is raised; None for not at all."""
        return self.raises or None

    @property
    def text(self) -> str:
        """As operators write it."""
        words = [f"raise:{self.raises}"] if self.raises else []
        words += ["revoke"] if self.revokes else []
        words += ["freeze"] if self.freezes else []
        return ",".join(words) or "ignore"


IGNORE: Final = Effects()
_REVOKE: Final = Effects(revokes=True)

USUAL: Final[Mapping[str, Effects]] = {
    types.SESSION_REVOKED: _REVOKE,
    types.SESSIONS_REVOKED: _REVOKE,
    types.CREDENTIAL_COMPROMISE: Effects(raises="high", revokes=True),
    types.CREDENTIAL_CHANGE_REQUIRED: Effects(raises="medium"),
    types.CREDENTIAL_CHANGE: IGNORE,
    types.ACCOUNT_DISABLED: Effects(raises="medium", revokes=True),
    types.ACCOUNT_PURGED: _REVOKE,
    types.ACCOUNT_ENABLED: IGNORE,
    types.RISK_LEVEL_CHANGE: Effects(raises="high"),
    types.ASSURANCE_LEVEL_CHANGE: Effects(raises="low"),
    types.DEVICE_COMPLIANCE_CHANGE: Effects(raises="medium"),
    types.RECOVERY_ACTIVATED: Effects(raises="low"),
    types.RECOVERY_INFORMATION_CHANGED: Effects(raises="low"),
    types.TOKEN_CLAIMS_CHANGE: IGNORE,
    types.SESSION_ESTABLISHED: IGNORE,
    types.SESSION_PRESENTED: IGNORE,
    types.IDENTIFIER_CHANGED: IGNORE,
    types.IDENTIFIER_RECYCLED: IGNORE,
    types.OPT_IN: IGNORE,
    types.OPT_OUT_INITIATED: IGNORE,
    types.OPT_OUT_CANCELLED: IGNORE,
    types.OPT_OUT_EFFECTIVE: IGNORE,
}
"""Where the operator says nothing. Every event that we understand is here; no other one does anything."""

OF_STREAM: Final = frozenset({types.VERIFICATION, types.STREAM_UPDATED})
"""Events about the stream itself: they are about nobody."""


def short(event_type: str) -> str:
    """The last part of an event type's name, as operators write it."""
    return event_type.rpartition("/")[2]


_BY_SHORT: Final[Mapping[str, str]] = {short(name): name for name in USUAL}


def understood(event_type: str) -> bool:
    """Whether we know what such an event means."""
    return event_type in USUAL or event_type in OF_STREAM


def effects_said(name: str, text: str) -> tuple[str, Effects]:
    """The event type that an operator means, and what it shall do: `ignore`, or `raise:LEVEL`, `revoke` and `freeze`
    with commas between.

    Raises: Refused `invalid_effects` (400).
    """
    event_type = _BY_SHORT.get(name)
    if event_type is None:
        raise _unsound(f"an event is one of {', '.join(sorted(_BY_SHORT))}")
    words = text.split(",")
    if words == ["ignore"]:
        return event_type, IGNORE
    raises = [level for level in _LEVELS if level and f"raise:{level}" in words]
    said = Effects(raises=raises[0] if raises else "", revokes="revoke" in words, freezes="freeze" in words)
    if len(raises) > 1 or sorted(said.text.split(",")) != sorted(words):
        raise _unsound("effects are `ignore`, or `raise:low|medium|high`, `revoke` and `freeze` with commas between")
    return event_type, said


def effects_of(event_type: str, payload: Mapping[str, Any], said: Mapping[str, Effects]) -> Effects:
    """What this very event does; `said` is what the operator said of types.

    Raises: SetRefused `invalid_request` when it lacks what decides that.
    """
    effects = said.get(event_type, USUAL.get(event_type, IGNORE))
    if event_type == types.RISK_LEVEL_CHANGE:
        return _by_level(effects, payload)
    is_bad_news = _IS_BAD_NEWS.get(event_type)
    return effects if is_bad_news is None or is_bad_news(payload) else IGNORE


def _by_level(effects: Effects, payload: Mapping[str, Any]) -> Effects:
    """No more is raised than was said. A low risk is no reason for anything.

    Source: OpenID CAEP 1.0, section 3.8; groups and organizations are no persons.
    """
    said = _text(payload, "current_level").lower()
    if said not in _LEVELS or not said:
        raise SetRefused("invalid_request", "current_level is LOW, MEDIUM or HIGH.")
    if said == "low" or payload.get("principal", "USER") not in ("USER", "SESSION", "DEVICE"):
        return IGNORE
    told = _LEVELS[_LEVELS.index(said)]
    return msgspec.structs.replace(effects, raises=min(effects.raises, told, key=_LEVELS.index))


def _is_decrease(payload: Mapping[str, Any]) -> bool:
    return payload.get("change_direction") == "decrease"


def _is_not_compliant(payload: Mapping[str, Any]) -> bool:
    status = _text(payload, "current_status")
    if status not in {"compliant", "not-compliant"}:
        raise SetRefused("invalid_request", "current_status is compliant or not-compliant.")
    return status == "not-compliant"


_IS_BAD_NEWS: Final = {
    types.ASSURANCE_LEVEL_CHANGE: _is_decrease,
    types.DEVICE_COMPLIANCE_CHANGE: _is_not_compliant,
}


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _unsound(text: str) -> Refused:
    return Refused("invalid_effects", text, status=400)
