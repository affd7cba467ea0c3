"""Why a score is what it is: a closed vocabulary, points that add up to the score, sentences an analyst can read.

Deterministic: the same model, login and history give the same words in the same order.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from risk_scorer.contract.assessment import Reason
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.history import SECONDS_BITS, Seen, UserHistory
from risk_scorer.core.observation import Observation
from risk_scorer.core.pairs import PAUSE
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS, PLACE, Row
from risk_scorer.core.terms import HOUR, TERM, TERMS, UNUSUAL

NOUNS = {
    "country": "country", "asn": "network operator", "prefix": "network", "ip": "address",
    "device_type": "kind of device", "os": "operating system", "browser": "browser",
    "browser_version": "browser version", "device": "device", "ja4": "TLS fingerprint",
    "ja4h": "HTTP fingerprint", "ja4s": "server fingerprint",
}  # fmt: skip
RULE_TEXTS = {
    "listed_network": "The network is on a block list.",
    "bad_reputation": "The network has a bad reputation.",
    "tor_exit": "The address is a Tor exit.",
    "anonymous_vpn": "The address belongs to a VPN service that is not a usual network of this person.",
    "hosting_network": "The address belongs to a data centre that is not a usual network of this person.",
    "fingerprint_contradicts_browser": "The TLS handshake is not that of the browser which the user agent names.",
    "unparseable_fingerprint": "The TLS fingerprint has a form that no client has, and is not usual for this person.",
    "automated_client": "The client is a program, or names no browser that is known.",
    "impossible_travel": "Nobody travels as fast as from the place of this person's last login to this one.",
    "malicious_fingerprint": "The TLS handshake is one that only malware is known to have.",
    "stuffing_in_progress": "Passwords of many people are being tried from the same network or device.",
    "account_under_attack": "Logins to this account keep failing, and this one is from an unknown device and operator.",
    "confirmed_attacker": "An operator has confirmed an attack on this person from the same device or network.",
    "session_client_changed": "The request is from another client than the one that the session began with.",
    "session_network_changed": "The request is from another operator than the one that the session began with.",
}
BASELINE, NO_HISTORY, LONG_ABSENCE = "baseline", "no_history", "long_absence"
NO_HISTORY_TEXT = "Nothing is known of this person yet that could speak for this login."
BASELINE_TEXT = "What a login in which all is familiar would score, with all signals that are too small to list."
CODES = (
    UNUSUAL, *(f"{kind}_{level}" for level in LEVELS for kind in ("new", "rare")), NO_HISTORY, LONG_ABSENCE, HOUR,
    *RULES, BASELINE,
)  # fmt: skip
"""Every code there is. `new_*`: the person's history lacks the value; `rare_*`: it is seldom used by them or by all."""

NOT_GIVEN = "(not given)"
DAY_SECONDS = 86_400.0
_GAP, _GAP_USUAL, _HOUR_LOCAL = PLACE["gap"], PLACE["gap_usual"], PLACE["hour_local"]
_UNUSUAL_TERM, _PAUSE_TERM, _HOUR_TERM = TERM[UNUSUAL], TERM[PAUSE], TERM[HOUR]
_ATTRIBUTES = {**{level: level for level in LEVELS}, "device": "device_id", "asn": "asn_key"}
"""What an observation calls the value that it has at each level."""
_NEW, _RARE = {level: f"new_{level}" for level in LEVELS}, {level: f"rare_{level}" for level in LEVELS}


class Case(Struct, frozen=True, kw_only=True, gc=False):
    """One scored login: its numbers as a gathered row, how rare its combination is and how fast it came, km/h."""

    seen: Observation
    past: UserHistory
    encoders: Encoders
    row: Row
    surprise_nats: float
    speed_kmh: float


def reasons(case: Case, *, hundredths: float, told: Sequence[tuple[float, int]]) -> list[Reason]:
    """Ranked reasons whose points add up to `hundredths` / 100.

    `told` has (hundredths, term) for each term worth telling, in the term order of `terms.TERMS`.
    """
    if not told:
        return [Reason(code=BASELINE, points=hundredths / 100.0, observed="", usual="", text=BASELINE_TEXT)]
    ranked = sorted(told, key=lambda part: (-part[0], part[1])) if len(told) > 1 else told
    found = [_reason(part / 100.0, term, case) for part, term in ranked]
    rest = hundredths - sum(part for part, _ in ranked)
    found.append(Reason(code=BASELINE, points=rest / 100.0, observed="", usual="", text=BASELINE_TEXT))
    return found


def _reason(points: float, term: int, case: Case) -> Reason:
    name = TERMS[term]
    if name in NOUNS:
        return _level(points, name, case.seen, case.past, case.encoders)
    if term == _UNUSUAL_TERM:
        return _unusual(points, case.surprise_nats)
    if term == _PAUSE_TERM:
        return _pause(points, case)
    if term == _HOUR_TERM:
        return _hour(points, case)
    observed = f"{case.speed_kmh:.0f} km/h" if name == "impossible_travel" else _matched(name, case.seen)
    return Reason(code=name, points=points, observed=observed, usual="", text=RULE_TEXTS[name])


def _pause(points: float, case: Case) -> Reason:
    if not case.past.logins:
        return Reason(code=NO_HISTORY, points=points, observed="0 logins", usual="", text=NO_HISTORY_TEXT)
    away, usual = case.row[_GAP] / DAY_SECONDS, case.row[_GAP_USUAL] / DAY_SECONDS
    observed = f"{away:.1f} days"
    text = f"The last login of this person was {observed} ago; {case.past.logins} are known."
    return Reason(
        code=LONG_ABSENCE,
        points=points,
        observed=observed,
        usual="" if math.isnan(usual) else f"{usual:.1f} days",
        text=text,
    )


def _hour(points: float, case: Case) -> Reason:
    hour, hours = int(case.row[_HOUR_LOCAL]), case.past.hours
    most = hours.index(max(hours))
    text = (
        f"This person seldom logs in around {hour:02}:00 of their own time: {hours[hour]} of {sum(hours)} logins "
        f"were in that hour."
    )
    return Reason(code=HOUR, points=points, observed=f"{hour:02}:00", usual=f"{most:02}:00", text=text)


def _unusual(points: float, surprise_nats: float) -> Reason:
    share = f"1 login in {math.exp(min(surprise_nats, 20.0)):.0f}"
    text = f"A combination of signals as unusual as this is seen in about {share}."
    return Reason(code=UNUSUAL, points=points, observed=share, usual="", text=text)


def _level(points: float, level: str, seen: Observation, past: UserHistory, encoders: Encoders) -> Reason:
    value: str = getattr(seen, _ATTRIBUTES[level])
    known: Seen = getattr(past, level)
    own, logins = known.get(value, 0) >> SECONDS_BITS, past.logins
    everyone, noun, shown = getattr(encoders, level).get(value, 0), NOUNS[level], _shown(level, value, seen)
    code = _RARE[level]
    if logins and not own:
        code = _NEW[level]
        text = (
            f"First login of this person with {noun} {shown}; {everyone} of {encoders.total} logins in the training "
            "log have it."
        )
    elif not logins:
        text = f"Few have {noun} {shown}: {everyone} of {encoders.total} logins in the training log."
    elif 2 * own < logins:
        text = f"This person seldom has {noun} {shown}: {own} of {logins} logins."
    else:
        text = (
            f"{own} of {logins} logins of this person have {noun} {shown}; so have {everyone} of "
            f"{encoders.total} in the training log."
        )
    usual = max(known, key=known.__getitem__) if known else ""
    return Reason(code=code, points=points, observed=value, usual=usual, text=text)


def value_at(seen: Observation, level: str) -> str:
    """What the login has at one of `LEVELS`, as histories and encoders key it."""
    value: str = getattr(seen, _ATTRIBUTES[level])
    return value


def _shown(level: str, value: str, seen: Observation) -> str:
    if not value:
        return NOT_GIVEN
    if level == "asn":
        return f"AS{value} {seen.network.asn_name}".rstrip() if seen.asn == seen.network.asn else f"AS{value}"
    return value


def _matched(rule: str, seen: Observation) -> str:
    if rule == "bad_reputation":
        return f"{seen.ip_rep:g} of 100"
    if rule in ("fingerprint_contradicts_browser", "unparseable_fingerprint", "malicious_fingerprint"):
        return seen.ja4
    return seen.user_agent if rule in ("automated_client", "session_client_changed") else seen.ip
