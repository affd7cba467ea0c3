"""Which campaign of before a found one is."""

from itertools import count

import msgspec
import pytest

from risk_scorer.core.campaigns.continuity import QUIET_SECONDS, Continued, KnownCampaign, continued
from risk_scorer.core.campaigns.found import FoundCampaign, Member, SharedSignal

NOW = 1_760_000_000.0
SIGNALS = ("ja4:bot", "rhythm:30")


def found(members: str, signals: tuple[str, ...] = SIGNALS, *, score: float = 80.0, last: float = NOW) -> FoundCampaign:
    """One whose members are these letters."""
    return FoundCampaign(
        score=score,
        overlap=1.0,
        marks=(),
        members=tuple(Member(user_id=each, marks=(), first_seen=last, last_seen=last) for each in members),
        members_in_all=len(members),
        signals=tuple(SharedSignal(kind=each.split(":")[0], value=each.split(":")[1], accounts=4) for each in signals),
        first_seen=last,
        last_seen=last,
    )


def known(campaign_id: str, members: str, signals: tuple[str, ...] = SIGNALS, **changes: object) -> KnownCampaign:
    one = KnownCampaign(
        campaign_id=campaign_id,
        state="open",
        revision=1,
        score=80.0,
        first_seen=NOW,
        last_seen=NOW,
        opened_at=NOW,
        members=frozenset(members),
        signals=frozenset((each.split(":")[0], each.split(":")[1]) for each in signals),
    )
    return msgspec.structs.replace(one, **changes)


def changes(now_found: list[FoundCampaign], before: list[KnownCampaign], *, now: float = NOW) -> list[Continued]:
    numbers = count(1)
    return continued(now_found, before, now=now, new_id=lambda: f"new{next(numbers)}")


def told(of: list[Continued]) -> list[tuple[str, str]]:
    return [(each.campaign_id, each.state) for each in of]


@pytest.mark.parametrize(
    ("members", "signals", "kept"),
    [
        ("abcdefgh", SIGNALS, True),  # grown to twice its size
        ("cdef", ("ja4:new", "rhythm:7"), True),  # half of the members, with other tools
        ("wxyz", SIGNALS, True),  # other accounts with all the same tools
        ("dxyz", ("ja4:new", "rhythm:7"), False),  # one account that was in another
        ("wxyz", ("ja4:bot", "rhythm:7"), False),  # half of the tools alone
    ],
)
def test_an_id_stays_with_half_the_members_or_all_the_signals(
    members: str, signals: tuple[str, ...], kept: bool
) -> None:
    """Less than that is another campaign."""
    [change] = changes([found(members, signals)], [known("old", "abcd")])
    assert change.campaign_id == ("old" if kept else "new1")


def test_what_falls_apart_keeps_its_id_once() -> None:
    """The largest piece goes on, the other one is new."""
    parts = [found("ab", ("ja4:bot",)), found("cdefg", ("ja4:two",))]
    [new] = changes(parts, [known("old", "abcdefg", ("ja4:bot", "ja4:two"))])
    assert (new.campaign_id, new.found) == ("new1", parts[0])


def test_of_two_that_become_one_the_other_is_closed() -> None:
    """One id goes on, and nobody is in two open campaigns for the same thing."""
    of = changes([found("abcdefgh")], [known("one", "abcde"), known("two", "fgh", ("ja4:two",))])
    assert sorted(told(of)) == [("one", "open"), ("two", "closed")]


@pytest.mark.parametrize(("quiet", "state"), [(QUIET_SECONDS - 1.0, "open"), (QUIET_SECONDS, "closed")])
def test_one_ends_when_nothing_of_it_was_seen_for_six_hours(quiet: float, state: str) -> None:
    """Whether the window still has it or not."""
    still = [each.state for each in changes([found("abcd")], [known("old", "abcd")], now=NOW + quiet)]
    gone = [each.state for each in changes([], [known("old", "abcd")], now=NOW + quiet)]
    assert (still, gone) == ((["closed"], ["closed"]) if state == "closed" else ([], []))


def test_one_that_comes_back_is_the_same_again() -> None:
    """Its id opens once more."""
    old = known("old", "abcd", state="closed", last_seen=NOW - 86_400.0)
    assert told(changes([found("abcd")], [old])) == [("old", "open")]


def test_what_ended_before_anybody_looked_is_not_opened() -> None:
    """An attack of yesterday in a window of a week is no news."""
    assert changes([found("abcd")], [], now=NOW + QUIET_SECONDS) == []
