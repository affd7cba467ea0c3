"""The evidence of one session from two who judged it at once: of each detector the stronger, and all events counted.

What else the two remember of the session is that of the first; it is short-lived, and both saw most of it.
"""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Raw, msgpack

from risk_scorer.core.activity.evidence import MOST_MET, NAME, Evidence, fade, pardon, standing_nats
from risk_scorer.core.activity.memory import Memory, Part

SIGNALLED: Final = "signalled"
"""Under which a session's memory has what the gateway was told, beside the detectors' parts."""


class Signalled(Part):
    """How strong a response the gateway was told of (0 none to 4 freeze), whether a risk of the session is on the disk,
    and how often its person has shown a factor: what rises afterwards is told anew.
    """

    most_bytes: ClassVar[int] = 8
    rank: int = 0
    is_kept: bool = False
    pardons: int = 0


_outer = msgpack.Decoder(dict[str, Raw])
_evidence = msgpack.Decoder(Evidence)
_signalled = msgpack.Decoder(Signalled)


def joined(first: bytes, second: bytes) -> dict[str, object]:
    """The first memory, with the second's evidence in it. Raises msgspec.DecodeError for what no scorer packed."""
    one, other = _outer.decode(first), _outer.decode(second)
    together: dict[str, object] = dict(one)
    if NAME in other:
        together[NAME] = stronger(
            _evidence.decode(one[NAME]) if NAME in one else Evidence(), _evidence.decode(other[NAME])
        )
    if SIGNALLED in other:
        mine = _signalled.decode(one[SIGNALLED]) if SIGNALLED in one else Signalled()
        theirs = _signalled.decode(other[SIGNALLED])
        together[SIGNALLED] = _later(mine, theirs)
    return together


def _later(one: Signalled, other: Signalled) -> Signalled:
    """What was told since the person last showed a factor."""
    pardons = max(one.pardons, other.pardons)
    rank = max(each.rank for each in (one, other) if each.pardons == pardons)
    return Signalled(rank=rank, is_kept=one.is_kept or other.is_kept, pardons=pardons)


def pardoned(session: Memory) -> None:
    """The person of this session has just shown a factor: what was found counts no more, and what rises is told."""
    pardon(session)
    told: Signalled = session.get(SIGNALLED) or Signalled()
    session[SIGNALLED] = Signalled(rank=0, is_kept=told.is_kept, pardons=told.pardons + 1)


def stronger(one: Evidence, other: Evidence) -> Evidence:
    """Of each detector the stronger finding, both faded to the later moment."""
    at = max(one.at, other.at)
    fade(one, at)
    fade(other, at)
    for name, held in other.held.items():
        mine = one.held.get(name)
        if mine is None:
            one.held[name] = held
        else:
            mine.pardoned = held.pardoned = max(mine.pardoned, held.pardoned)
            mine.forgiven = held.forgiven = sorted({*mine.forgiven, *held.forgiven})[:MOST_MET]
            mine.met = sorted({*mine.met, *held.met})[:MOST_MET]
            if standing_nats(held) > standing_nats(mine):
                mine.nats, mine.code, mine.about = held.nats, held.code, held.about
                mine.observed, mine.usual = held.observed, held.usual
    one.began = min(filter(None, (one.began, other.began)), default=0.0)
    one.events = max(one.events, other.events) + 1
    one.nats = max(one.nats, other.nats)
    return one
