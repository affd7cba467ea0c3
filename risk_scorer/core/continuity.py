"""Whether a later request of a session comes from where it began and from what it began with. Unknown is no change."""

from risk_scorer.core.facts import SessionFacts
from risk_scorer.core.observation import Observation

_JA4_LENGTH, _JA4_BREAKS = 36, (10, 23)


def client_change(began: SessionFacts | None, seen: Observation) -> float:
    """1.0 for another browser, operating system, device or TLS stack, else 0.0. A browser may be updated meanwhile.

    A user agent that is left out is another one: every client gives its own, and it would be the easiest to hide.
    """
    if began is None:
        return 0.0
    if any(before and before != now for before, now in ((began.browser, seen.browser), (began.os, seen.os))):
        return 1.0
    if began.device_id and seen.device_id and began.device_id != seen.device_id:
        return 1.0
    return 1.0 if began.ja4 and seen.ja4 and is_another_stack(began.ja4, seen.ja4) else 0.0


def network_change(began: SessionFacts | None, seen: Observation) -> float:
    """0.0 for the same operator, 0.5 for another one of the same country, 1.0 for one of another country.

    Both sides are as we looked them up: what an event says of its own network was not said of the session's.
    """
    if began is None or (began.prefix and began.prefix == seen.prefix):
        return 0.0
    operator, country = str(seen.network.asn or ""), seen.network.country
    if began.asn_key and began.asn_key == operator:
        return 0.0
    if began.country and country and began.country != country:
        return 1.0
    return 0.5 if began.asn_key and operator else 0.0


def is_another_stack(before: str, now: str) -> bool:
    """Whether two JA4 cannot be of one client: its ciphers stay for years, while its extensions change with updates.

    Over QUIC a browser offers other ciphers than over TCP, so those two cannot be compared.
    Source: FoxIO, "JA4 Technical Details": protocol first, then the hash of the ciphers, then that of the extensions.
    """
    if not (_has_its_form(before) and _has_its_form(now)):
        return before != now
    first, last = _JA4_BREAKS
    return before[0] == now[0] and before[first:last] != now[first:last]


def _has_its_form(ja4: str) -> bool:
    return len(ja4) == _JA4_LENGTH and all(ja4[at] == "_" for at in _JA4_BREAKS)
