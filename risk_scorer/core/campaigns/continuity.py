"""Which campaign of before one that was found is: the one it shares most members and signals with.

An id stays while the campaign grows, shrinks or moves to other proxies. When one falls apart, the likest part keeps
the id; when two become one, one id stays and the other is closed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.core.campaigns.found import FoundCampaign

State = Literal["open", "closed"]

QUIET_SECONDS: Final = 6 * 3600.0
"""A campaign of which nothing was seen for so long has ended."""
REOPENS_SECONDS: Final = 7 * 86_400.0
"""For so long after its end the same attackers are the same campaign."""
NEWS_POINTS: Final = 1.0
NEWS_SECONDS: Final = 300.0
SAME_FROM: Final = 0.5
SIGNALS_COUNT: Final = 0.5
"""Members say who it is, signals with what: half of the members are enough, and signals alone at their fullest."""


_Pair = tuple[float, int, int, int]
"""How alike they are, how many members they share, the place among the found and the place among the known."""


class KnownCampaign(Struct, frozen=True, kw_only=True):
    """A campaign as it was last written; `revision` counts how often."""

    campaign_id: str
    state: State
    revision: int
    score: float
    first_seen: float
    last_seen: float
    opened_at: float
    members: frozenset[str]
    signals: frozenset[tuple[str, str]]


class Continued(Struct, frozen=True, kw_only=True):
    """What is to be written of a campaign: `before` None is a new one, `found` None one that was not found again."""

    campaign_id: str
    state: State
    before: KnownCampaign | None
    found: FoundCampaign | None


def continued(
    found: Sequence[FoundCampaign], known: Sequence[KnownCampaign], *, now: float, new_id: Callable[[], str]
) -> list[Continued]:
    """Every campaign that changes: found ones under their ids, and those that end."""
    before = _matched(found, known)
    changes = []
    for at, each in enumerate(found):
        old = before.get(at)
        is_over = now - each.last_seen >= QUIET_SECONDS
        if is_over and (old is None or old.state == "closed"):
            continue
        state: State = "closed" if is_over else "open"
        if old is None or old.state != state or _has_news(each, old):
            campaign_id = new_id() if old is None else old.campaign_id
            changes.append(Continued(campaign_id=campaign_id, state=state, before=old, found=each))
    kept = {each.campaign_id for each in before.values()}
    for old in known:
        ended = now - old.last_seen >= QUIET_SECONDS or _is_within(old, found)
        if old.state == "open" and old.campaign_id not in kept and ended:
            changes.append(Continued(campaign_id=old.campaign_id, state="closed", before=old, found=None))
    return changes


def _has_news(found: FoundCampaign, old: KnownCampaign) -> bool:
    """Whether it is worth writing and telling: somebody or something joined, it is clearer, or it goes on."""
    return (
        any(member.user_id not in old.members for member in found.members)
        or any((signal.kind, signal.value) not in old.signals for signal in found.signals)
        or found.score >= old.score + NEWS_POINTS
        or found.last_seen >= old.last_seen + NEWS_SECONDS
    )


def _is_within(old: KnownCampaign, found: Sequence[FoundCampaign]) -> bool:
    """Whether most of its members are in one of those now."""
    return any(_shared_members(each, old) * 2 > len(old.members) for each in found)


def _shared_members(found: FoundCampaign, old: KnownCampaign) -> int:
    return sum(member.user_id in old.members for member in found.members)


def _matched(found: Sequence[FoundCampaign], known: Sequence[KnownCampaign]) -> dict[int, KnownCampaign]:
    """The best pairs, one for each."""
    pairs = _overlapping(found, known)
    pairs.sort(key=lambda pair: (-pair[0], -pair[1], known[pair[3]].opened_at, known[pair[3]].campaign_id, pair[2]))
    taken: dict[int, KnownCampaign] = {}
    gone: set[int] = set()
    for likeness, _, at, of in pairs:
        if likeness >= SAME_FROM and at not in taken and of not in gone:
            taken[at] = known[of]
            gone.add(of)
    return taken


def _overlapping(found: Sequence[FoundCampaign], known: Sequence[KnownCampaign]) -> list[_Pair]:
    """All that share anything."""
    by_member, by_signal = defaultdict(list), defaultdict(list)
    for of, old in enumerate(known):
        for member in old.members:
            by_member[member].append(of)
        for signal in old.signals:
            by_signal[signal].append(of)
    pairs = []
    for at, each in enumerate(found):
        signals = {(signal.kind, signal.value) for signal in each.signals}
        members = Counter(of for member in each.members for of in by_member.get(member.user_id, ()))
        shared = Counter(of for signal in signals for of in by_signal.get(signal, ()))
        for of in members.keys() | shared.keys():
            same_members = members[of] / max(1, min(len(each.members), len(known[of].members)))
            same_signals = shared[of] / max(1, min(len(signals), len(known[of].signals)))
            pairs.append((same_members + SIGNALS_COUNT * same_signals, members[of], at, of))
    return pairs
