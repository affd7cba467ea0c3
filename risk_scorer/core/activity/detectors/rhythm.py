"""Whether a session goes on like clockwork, though its person does not.

Pauses of people are heavy-tailed (Barabási 2005, "The origin of bursts and heavy tails in human dynamics"); a loop
waits the same time again and again. Each pause is held against the mean of the last ones, as a machine would repeat it,
and against the person's own pauses: an application that polls has taught those, and is no machine of somebody else's.
"""

import math
from typing import ClassVar

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm, length_nats
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled, part_in
from risk_scorer.core.activity.seen import Seen

TOGETHER_SECONDS, AWAY_SECONDS = 0.25, 3_600.0
"""Requests closer together are of one page; who was away longer begins anew."""
BINS, PER_OCTAVE = 32, 2.0
BIN_NATS = math.log(2.0) / PER_OCTAVE
"""Width of a bin of pauses, as a logarithm: 32 half octaves from a quarter of a second to four hours."""
OWN_ENOUGH, GROUP_ENOUGH = 40, 200
OWN_STRENGTH, GROUP_STRENGTH, EVEN_STRENGTH = 20.0, 20.0, 40.0
"""Pauses' worth of back-off; longer for evenness, so that the first pauses of a loop do not make it a habit."""
HALVED_AT = 1_000
JITTERS = (0.12, 0.02)
"""Deviations of a machine's pauses as a logarithm, one as likely as the other: loops drawn from ±20 % have the first
(0.4 / √12), those that sleep as long each time the second: requests are on their way for some hundredths of it."""
FAR = 5.0
"""Deviations of the first at which no machine comes."""
EVEN_WITHIN, EVEN_USUAL = 2.0, 0.05
"""Deviations of the second within which a pause repeats those before, and the share of people's that do by chance."""
SLOW_TAIL, SLOW_SHARE = 0.1, 1.0 / 8.0
"""A pause is long for somebody if a tenth of theirs are as long, and its length is no sign then: whoever goes slower
than ever has pauses all over four octaves, for they are heavy-tailed. Only that they repeat speaks for a loop."""
FOLLOWS = 0.3
SLACK_NATS, LOWEST, HIGHEST = 0.5, -3.0, 2.5
START_NATS = 2.5
"""Three pauses that happen to agree are no rhythm."""

_ROOT = math.sqrt(2.0 * math.pi)


class Pauses(Part):
    """How long the pauses were, of a person or a group: events in each bin, and how many repeated those before them."""

    most_bytes: ClassVar[int] = BINS * 5 + 21
    events: int = 0
    bins: list[int] = []
    even: int = 0


class Beat(Part):
    """The session's last event, the mean of its last pauses as a logarithm, how many there were, and its sum."""

    most_bytes: ClassVar[int] = 40
    at: float = 0.0
    mean: float = 0.0
    pauses: int = 0
    sum: float = 0.0


class Rhythm(Detector):
    """A loop in a person's session."""

    name = "rhythm"
    family = "automation"
    warm_up = "40 pauses of the person, or 200 of people with the same roles"
    texts = {"machine_rhythm": "Requests come as evenly as a program sends them, and this person's do not."}
    parts = {"person": Pauses, "peers": Pauses, "session": Beat}

    def __init__(self) -> None:
        self._found: tuple[Seen | None, float, float] = (None, 0.0, math.nan)  # spares the same again

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        beat: Beat | None = around.session.get("rhythm")
        if beat is None:
            return None
        log = _log(seen, beat)
        after = _after(log, beat, around)
        self._found = (seen, after or 0.0, log)
        if after is None:
            return UNKNOWN
        if after <= START_NATS:
            return None
        nats = after - START_NATS - length_nats(around.session)
        if nats <= 0.0:
            return None
        return Finding("machine_rhythm", nats, f"every {math.exp(beat.mean):.1f} s", "uneven")

    def learn(self, seen: Seen, around: Around) -> None:
        beat: Beat | None = around.session.get("rhythm")
        if beat is None:
            return
        after, log = self._again(seen, beat, around)
        if math.isnan(log):
            return
        place, is_even = _bin(log), after <= START_NATS and _is_even(log, beat)
        _add(part_in(around.person, "rhythm", Pauses), place, is_even=is_even)
        if not is_calm(around.session):
            return
        peers = part_in(around.peers, "rhythm", Pauses)
        if peers.events < GROUP_ENOUGH or is_sampled(seen.ts):
            _add(peers, place, is_even=is_even)

    def note(self, seen: Seen, around: Around) -> None:
        beat = part_in(around.session, "rhythm", Beat)
        pause = seen.ts - beat.at
        if pause > AWAY_SECONDS:
            beat.pauses, beat.sum = 0, 0.0
        elif pause >= TOGETHER_SECONDS:
            beat.sum, log = self._again(seen, beat, around)
            beat.pauses += 1
            beat.mean += (log - beat.mean) * max(FOLLOWS, 1.0 / beat.pauses)
        beat.at = max(beat.at, seen.ts)

    def _again(self, seen: Seen, beat: Beat, around: Around) -> tuple[float, float]:
        """What `look` made of it: the session's sum, and the pause's logarithm."""
        known, after, log = self._found
        if known is seen:
            return after, log
        log = _log(seen, beat)
        return _after(log, beat, around) or 0.0, log


def _log(seen: Seen, beat: Beat) -> float:
    """The pause as a logarithm; NaN for what is of one page, or after an absence."""
    pause = seen.ts - beat.at
    return math.log(pause) if TOGETHER_SECONDS <= pause <= AWAY_SECONDS else math.nan


def _after(log: float, beat: Beat, around: Around) -> float | None:
    """The session's sum with this pause; None while warming up."""
    own: Pauses | None = around.person.get("rhythm")
    peers: Pauses | None = around.peers.get("rhythm")
    if (own is None or own.events < OWN_ENOUGH) and (peers is None or peers.events < GROUP_ENOUGH):
        return None
    if not beat.pauses or math.isnan(log):
        return beat.sum
    return max(0.0, beat.sum + _ratio(log, beat, own, peers))


def _ratio(log: float, beat: Beat, own: Pauses | None, peers: Pauses | None) -> float:
    """Nats for a machine that repeats the mean and against the person, less what chance gives.

    The person repeats it as well, as often as they have: an application that polls does nothing else.
    """
    unsure = _unsure(beat)
    off, loose = log - beat.mean, JITTERS[0] * unsure
    if not -FAR * loose < off < FAR * loose:
        return LOWEST
    place, tight = _bin(log), _density(off, JITTERS[1] * unsure)
    others = _share(peers, place, 1.0 / BINS, GROUP_STRENGTH)
    share = _share(own, place, others, OWN_STRENGTH)
    if share < SLOW_SHARE and _is_slow(own, peers, place):
        share = SLOW_SHARE
    even = _even(own, _even(peers, EVEN_USUAL))
    mine = (1.0 - even) * share / BIN_NATS + even * tight
    nats = math.log(0.5 * (_density(off, loose) + tight) / mine) - SLACK_NATS
    return LOWEST if nats < LOWEST else HIGHEST if nats > HIGHEST else nats


def _is_slow(own: Pauses | None, peers: Pauses | None, place: int) -> bool:
    """Whether so long a pause is seldom with the person, or with their peers while the person is little known."""
    usual = own if own is not None and own.events >= OWN_ENOUGH else peers
    return usual is not None and sum(usual.bins[place:]) <= SLOW_TAIL * usual.events


def _unsure(beat: Beat) -> float:
    """By how much a pause strays farther from the mean of the last ones than from the true one."""
    return math.sqrt(1.0 + max(FOLLOWS / (2.0 - FOLLOWS), 1.0 / beat.pauses))


def _density(off: float, deviation: float) -> float:
    return math.exp(-0.5 * (off / deviation) ** 2) / (deviation * _ROOT)


def _is_even(log: float, beat: Beat) -> bool:
    return beat.pauses > 0 and abs(log - beat.mean) < EVEN_WITHIN * JITTERS[1] * _unsure(beat)


def _even(pauses: Pauses | None, others: float) -> float:
    """How often the person, or a group, repeats a pause."""
    return others if pauses is None else (pauses.even + EVEN_STRENGTH * others) / (pauses.events + EVEN_STRENGTH)


def _bin(log: float) -> int:
    return min(max(int(log / BIN_NATS) + 4, 0), BINS - 1)


def _share(pauses: Pauses | None, place: int, others: float, strength: float) -> float:
    if pauses is None or not pauses.bins:
        return others
    return (pauses.bins[place] + strength * others) / (pauses.events + strength)


def _add(pauses: Pauses, place: int, *, is_even: bool) -> None:
    if not pauses.bins:
        pauses.bins = [0] * BINS
    pauses.bins[place] += 1
    pauses.events += 1
    pauses.even += is_even
    if pauses.events >= HALVED_AT:
        pauses.bins = [(count + 1) // 2 for count in pauses.bins]
        pauses.events, pauses.even = sum(pauses.bins), pauses.even // 2
