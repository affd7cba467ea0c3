"""What an operator's verdict on a login changes in the person's history. Every change can be taken back.

A confirmed compromise is first unlearned, then its context condemned; a confirmed safe login is pardoned. What a
pardon or a condemnation is worth is for rules to say.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from risk_scorer.core.clusters import without_place
from risk_scorer.core.history import (
    EMPTY,
    SECONDS_BITS,
    Seen,
    UserHistory,
    last_seen_at,
    learn_taught,
    logins_with,
    place_key,
    turned,
    vector_of,
    with_value,
)
from risk_scorer.core.lessons import OWN, Taught, decode_taught, encode_taught, taught_by
from risk_scorer.core.observation import Observation

__all__ = [
    "Taught",
    "condemn",
    "decode_taught",
    "encode_taught",
    "excuse",
    "is_condemned",
    "is_pardoned_client",
    "learn_taught",
    "pardon",
    "pardoned_network",
    "taught_by",
    "uncondemn",
    "unlearn",
    "unpardon",
]

LEVEL_OF_KEY = {
    "ip": "ip", "prefix": "prefix", "asn": "asn_key", "device": "device_id", "ja4": "ja4",
    "browser_version": "browser_version",
}  # fmt: skip
"""The kinds of key that verdicts remember, which are names of a history's values, and where a lesson has the value."""
OF_A_NETWORK = ("prefix:", "asn:")
OWN_LOGINS = 3
"""So many logins, or a third of fewer, make a value the person's own."""


def unlearn(history: UserHistory, taught: Taught) -> UserHistory:
    """The history without the evidence of this one lesson; of what has been forgotten meanwhile, nothing is taken.

    When values were last seen before it is not known any more and stays; gaps between logins stay as well.
    """
    return _without_own(history, taught) if taught.outcome in OWN else _without_failure(history)


def condemn(history: UserHistory | None, taught: Taught) -> UserHistory:
    """Remembers the context of a confirmed compromise, as far as it is not the person's own or pardoned.

    Unlearn the login first if it was learned, or its values would pass for the person's own.
    """
    past = history or EMPTY
    condemned = past.condemned
    for key in _keys(taught):
        if key in condemned or not (_is_own(past, key) or key in past.pardoned):
            condemned = with_value(condemned, key, int(taught.ts))
    return replace(past, condemned=condemned)


def uncondemn(history: UserHistory, taught: Taught) -> UserHistory:
    """Takes one such condemnation back."""
    return replace(history, condemned=_without_keys(history.condemned, taught))


def pardon(history: UserHistory | None, taught: Taught) -> UserHistory:
    """Remembers the network and the client of a confirmed safe login, and learns of it what had not been learned."""
    past = history or EMPTY
    if taught.outcome not in OWN:
        past = learn_taught(past, _as_own(taught))
    elif not taught.taught_network:
        past = learn_taught(unlearn(past, taught), _as_own(taught))
    return excuse(past, taught)


def excuse(history: UserHistory, taught: Taught) -> UserHistory:
    """Remembers the network and the client of a confirmed safe login and learns nothing.

    Of a network that is anybody's only the address is excused: the next exit beside it belongs to the next stranger.
    """
    is_anybodys = taught.is_shared or not taught.taught_network
    pardoned = history.pardoned
    for key in (*_keys(taught), *_blanks(taught)):
        if not (is_anybodys and key.startswith(OF_A_NETWORK)):
            pardoned = with_value(pardoned, key, int(taught.ts))
    return replace(history, pardoned=pardoned)


def unpardon(history: UserHistory, taught: Taught) -> UserHistory:
    """Takes one such pardon back, with what it taught beyond what the login itself had."""
    past = replace(history, pardoned=_without_keys(history.pardoned, taught))
    if taught.outcome not in OWN:
        return unlearn(past, _as_own(taught))
    return past if taught.taught_network else learn_taught(unlearn(past, _as_own(taught)), taught)


def pardoned_network(history: UserHistory, seen: Observation) -> float:
    """1.0 when the login's own address or network is pardoned, 0.5 when only its operator is, else 0.0."""
    if f"prefix:{seen.prefix}" in history.pardoned or f"ip:{seen.ip}" in history.pardoned:
        return 1.0
    return 0.5 if f"asn:{seen.asn_key}" in history.pardoned else 0.0


def is_pardoned_client(history: UserHistory, seen: Observation) -> bool:
    """Whether its device and TLS fingerprint are pardoned; without either of them, its browser must be too.

    What is not given is pardoned only where it was not given then: many share a browser, and a device can be left out.
    """
    pardoned, device, ja4 = history.pardoned, seen.device_id, seen.ja4
    if not pardoned or f"device:{device}" not in pardoned or f"ja4:{ja4}" not in pardoned:
        return False
    return bool(device or ja4) or (seen.browser_version != "" and f"browser_version:{seen.browser_version}" in pardoned)


def is_condemned(history: UserHistory, seen: Observation) -> bool:
    """Whether it comes from a condemned device, address or network, or from a condemned operator and client together.

    Operators and clients are shared by many, the person's next new telephone among them: neither condemns alone.
    """

    def is_held(key: str) -> bool:
        return key in history.condemned and key not in history.pardoned

    if any(map(is_held, (f"device:{seen.device_id}", f"ip:{seen.ip}", f"prefix:{seen.prefix}"))):
        return True
    is_client = is_held(f"ja4:{seen.ja4}") or is_held(f"browser_version:{seen.browser_version}")
    return is_client and is_held(f"asn:{seen.asn_key}")


def _as_own(taught: Taught) -> Taught:
    return replace(taught, outcome="success", taught_network=True)


def _keys(taught: Taught) -> Iterator[str]:
    for level, field in LEVEL_OF_KEY.items():
        value = getattr(taught, field)
        if value:
            yield f"{level}:{value}"


def _blanks(taught: Taught) -> Iterator[str]:
    """What the login did not give and a pardon has to remember as not given."""
    if not taught.device_id:
        yield "device:"
    if not taught.ja4:
        yield "ja4:"


def _is_own(history: UserHistory, key: str) -> bool:
    """Whether the person has the value from several logins, or from a good part of few.

    One other login with it may be the intruder's as well, whom nobody has noticed there yet.
    """
    level, _, value = key.partition(":")
    known: Seen = getattr(history, level)
    logins = logins_with(known, value)
    return logins >= OWN_LOGINS or logins * OWN_LOGINS >= history.logins > 0


def _without_keys(seen: Seen, taught: Taught) -> Seen:
    for key in _keys(taught):
        seen = _without(seen, key)
    return seen


def _without(seen: Seen, value: str) -> Seen:
    """One login less with this value, in its place in the order of forgetting; gone at none."""
    if value not in seen:
        return seen
    if logins_with(seen, value) > 1:
        return {**seen, value: seen[value] - (1 << SECONDS_BITS)}
    return {key: packed for key, packed in seen.items() if key != value}


def _without_failure(past: UserHistory) -> UserHistory:
    # the heat is left to cool by itself: it does within hours
    return replace(
        past,
        failures=max(0, past.failures - 1),
        failures_since_success=max(0, past.failures_since_success - 1),
    )


def _without_own(past: UserHistory, taught: Taught) -> UserHistory:
    second = int(taught.ts)
    device = _without(past.device, taught.device_id)
    changed: dict[str, object] = {
        "logins": max(0, past.logins - 1),
        "hours": _without_hour(past, taught),
        "device": device,
        **{name: _without(getattr(past, name), getattr(taught, name)) for name in ALWAYS_LEARNED},
    }
    if past.logins <= 1:
        changed["first_seen"] = changed["last_seen"] = 0
    elif past.last_seen == second:
        changed["last_seen"] = max((last_seen_at(device, value) for value in device), default=past.first_seen)
    vector = vector_of(taught)
    if vector is not None and past.placed:
        changed["placed"] = past.placed - 1
        sums = (past.east - vector[0], past.north - vector[1], past.up - vector[2]) if past.placed > 1 else (0.0,) * 3
        changed["east"], changed["north"], changed["up"] = sums
        changed["place"] = _without(past.place, place_key(taught))
    if taught.taught_network:
        changed |= _without_network(past, taught)
    return _at_home(replace(past, **changed))


ALWAYS_LEARNED = ("country", "device_type", "os", "browser", "browser_version", "ja4", "ja4h", "ja4s")


def _without_network(past: UserHistory, taught: Taught) -> dict[str, object]:
    changed: dict[str, object] = {
        "ip": _without(past.ip, taught.ip),
        "prefix": _without(past.prefix, taught.prefix),
        "asn": _without(past.asn, taught.asn_key),
        "zone": _without(past.zone, taught.zone) if taught.zone else past.zone,
    }
    vector, second = vector_of(taught), int(taught.ts)
    if vector is not None:
        changed["clusters"] = without_place(past.clusters, vector, second)
        last = past.last_place
        if last is not None and last[:2] == (taught.latitude, taught.longitude) and last[3] == second:
            changed["last_place"] = None  # unknown, never impossible
    return changed


def _at_home(history: UserHistory) -> UserHistory:
    """Hours go back to UTC when no login is left in the zone they were told in; the next one finds a new home."""
    if not history.home or history.home in history.zone:
        return history
    return replace(history, home="", home_offset_s=0, hours=turned(history.hours, -history.home_offset_s))


def _without_hour(past: UserHistory, taught: Taught) -> tuple[int, ...]:
    """One less at its hour, or at a neighbouring one where daylight saving or a move has shifted it."""
    offset = taught.utc_offset_s if taught.zone == past.home else past.home_offset_s
    at = int(int(taught.ts) + offset) // 3600 % 24
    for hour in (at, (at + 1) % 24, (at - 1) % 24):
        if past.hours[hour]:
            return (*past.hours[:hour], past.hours[hour] - 1, *past.hours[hour + 1 :])
    return past.hours
