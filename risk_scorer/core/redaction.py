"""What may be told of a scored login outside the house: patterns of ours let a value through, everything else stays.

A stranger types user agents, places and device names. A value leaves only in a form too narrow to hold a sentence or
to name a person; of any other, how long it is. A code that is not known here tells its points and no values.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from risk_scorer.contract.assessment import Reason, RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.narrative import NarrativeFacts, ReasonFact

NOT_GIVEN: Final = "(not given)"
NOT_TOLD: Final = "(not told)"
DISTANCE_STEP_KM: Final = 50
MOST_OPERATOR: Final = 64
MOST_REASONS: Final = 40

_COUNTRY = re.compile(r"[A-Z]{2}")
_ASN = re.compile(r"(?:AS)?([0-9]{1,10})")
_WORD = re.compile(r"[a-z_]{1,24}")
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+/-]{0,39}")
_CLIENT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,31}/[0-9][0-9.]{0,15}(?=\s|$)")
# The part before the first "_" names protocol versions and counts; what follows digests the client's own values.
_FINGERPRINT = re.compile(r"([a-z0-9]{7,12})(?:_|$)")
_NUMBER = r"[0-9][0-9,]{0,12}(?:\.[0-9]{1,4})?%?"
_UNIT = r"of|in|at|to|about|logins?|hours?|minutes?|seconds?|days?|km|km/h|failures?|people|UTC|local"
_QUANTITY = re.compile(rf"(?:{_NUMBER}|[0-9]{{2}}:[0-9]{{2}})(?: (?:{_NUMBER}|[0-9]{{2}}:[0-9]{{2}}|{_UNIT})){{0,7}}")

Redact = Callable[[str], str]


def _matching(pattern: re.Pattern[str]) -> Redact:
    return lambda text: text if pattern.fullmatch(text) else withheld(text)


def withheld(text: str) -> str:
    """What stands for a value that is not told."""
    return f"(text of {len(text)} characters)"


def network_of(text: str) -> str:
    """The /24 or /48 of an address or network, "AS" and number, or a country code."""
    if _COUNTRY.fullmatch(text):
        return text
    asn = _ASN.fullmatch(text)
    if asn:
        return f"AS{asn[1]}"
    try:
        network = ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return withheld(text)
    widest = 24 if network.version == 4 else 48
    return str(network.supernet(new_prefix=widest) if network.prefixlen > widest else network)


def _client(text: str) -> str:
    found = _CLIENT.match(text)
    return found[0] if found else withheld(text)


def _fingerprint(text: str) -> str:
    found = _FINGERPRINT.match(text)
    return found[1] if found else withheld(text)


def _device(_text: str) -> str:
    return "a device"


def _nothing(_text: str) -> str:
    return NOT_TOLD


_product, _quantity = _matching(_PRODUCT), _matching(_QUANTITY)
OF_LEVEL: Final[dict[str, Redact]] = {
    "country": _matching(_COUNTRY), "asn": network_of, "prefix": network_of, "ip": network_of,
    "device_type": _matching(_WORD), "os": _product, "browser": _product, "browser_version": _product,
    "device": _device, "ja4": _fingerprint, "ja4h": _fingerprint, "ja4s": _fingerprint,
}  # fmt: skip
"""How a value of each level is told; the codes `new_*` and `rare_*` end in one."""
OF_CODE: Final[dict[str, Redact]] = {
    "baseline": _quantity, "unusual_combination": _quantity, "no_history": _quantity, "long_absence": _quantity,
    "listed_network": network_of, "bad_reputation": _quantity, "tor_exit": network_of, "anonymous_vpn": network_of,
    "hosting_network": network_of, "fingerprint_contradicts_browser": _fingerprint,
    "unparseable_fingerprint": _fingerprint, "automated_client": _client,
    "impossible_travel": _quantity, "unusual_hour": _quantity, "malicious_fingerprint": _fingerprint,
    "stuffing_in_progress": network_of, "account_under_attack": network_of, "confirmed_attacker": _nothing,
    "session_client_changed": _nothing, "session_network_changed": network_of,
}  # fmt: skip
"""How the values of every other code are told."""


def redacted(event: LoginEvent, score: RiskScore) -> NarrativeFacts:
    """Everything that may leave about this login; deterministic."""
    explain = score.explain
    distance = explain.geo_distance_km
    return NarrativeFacts(
        kind=event.kind,
        success=event.success,
        score=score.risk_score,
        level=score.risk_level,
        reasons=tuple(_reason(reason) for reason in score.reasons[:MOST_REASONS]),
        network=network_of(event.ip),
        asn=explain.asn,
        operator=plain(explain.asn_name or "")[:MOST_OPERATOR],
        country=_if_given(OF_LEVEL["country"], explain.country),
        network_kind=_if_given(OF_LEVEL["device_type"], explain.network_kind),
        is_listed=explain.is_listed,
        reputation=round(explain.ip_rep),
        browser=_if_given(_product, explain.browser),
        os=_if_given(_product, explain.os),
        device_type=_if_given(OF_LEVEL["device_type"], explain.device_type),
        hour_utc=explain.hour,
        day_of_week=explain.day_of_week,
        known_logins=explain.known_logins,
        distance_km=None if distance is None else DISTANCE_STEP_KM * round(distance / DISTANCE_STEP_KM),
        new=tuple(level for level in explain.new if level in OF_LEVEL),
    )


def _reason(reason: Reason) -> ReasonFact:
    level = reason.code.partition("_")[2] if reason.code.startswith(("new_", "rare_")) else ""
    redact = OF_LEVEL.get(level) or OF_CODE.get(reason.code) or _nothing
    observed, usual = _if_given(redact, reason.observed), _if_given(redact, reason.usual)
    if level and not reason.observed:
        observed = NOT_GIVEN
    if observed == usual and reason.observed != reason.usual:
        usual = "(another one)"
    return ReasonFact(code=reason.code, points=round(reason.points, 2), observed=observed, usual=usual)


def _if_given(redact: Redact, text: str) -> str:
    return redact(text) if text else ""


def plain(text: str) -> str:
    """One line of the text without control characters, direction marks or anything else that nobody sees."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
