"""The window of events: what is forgotten, what is bounded, and what counts as one network or one rhythm."""

import random

import numpy as np
import pytest

from risk_scorer.core.campaigns.edges import MOST_SIGNALS, graph_of
from risk_scorer.core.campaigns.names import NONE, network_of
from risk_scorer.core.campaigns.rhythm import rhythms_of
from risk_scorer.core.campaigns.sighting import ADDRESS, DEVICE, Sighting
from risk_scorer.core.campaigns.window import Window
from tests.campaign_crowds import BOT_JA4, DAY, NOW, bots, people


def test_what_is_older_than_the_window_is_forgotten_with_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is that of the window, however long the process lives."""
    monkeypatch.setattr("risk_scorer.core.campaigns.window.SPARE_NAMES", 10)
    window = Window()
    for hour in range(100):
        window.add([Sighting(f"a{hour}-{n}", NOW + 3600 * hour, f"10.{hour}.{n}.1", f"d{hour}-{n}") for n in range(20)])
        window.expire(NOW + 3600 * (hour - 2))
    columns = window.columns()
    assert len(columns) == 60
    assert len(window.names) < 4 * 60 * 4
    kept = {window.names.accounts[number] for number in columns.account}
    assert kept == {f"a{hour}-{n}" for hour in (97, 98, 99) for n in range(20)}
    assert {window.names.values[number] for number in columns.signals[DEVICE]} == {
        each.replace("a", "d") for each in kept
    }


def test_a_window_that_was_empty_fills_again() -> None:
    """Nothing at first, nothing after a while, and then something."""
    window = Window()
    for hour, crowd in enumerate(([], [Sighting("a", NOW)], [], [Sighting("b", NOW + 3 * 3600)])):
        window.add(crowd)
        window.expire(NOW + 3600 * (hour - 1))
        assert len(window.columns()) == (0, 1, 0, 1)[hour]


def test_more_events_than_may_be_push_out_the_oldest() -> None:
    """A flood costs memory up to a bound, and no more."""
    window = Window(most_events=100)
    for number in range(40):
        window.add([Sighting("a", NOW + number, "10.0.0.1")] * 10)
    assert len(window) <= 110
    for number in range(40, 80):
        window.columns()
        window.add([Sighting("a", NOW + number, "10.0.0.1")] * 10)
        window.expire(NOW)
        assert len(window) == 100
    assert (window.columns().moment.min(), window.columns().moment.max()) == (NOW + 70, NOW + 79)


@pytest.mark.parametrize(
    ("address", "host", "prefix"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("010.0.0.1", "", ""),
        ("fe80::1%eth0", "", ""),
        ("proxy.example", "", ""),
    ],
)
def test_a_host_is_an_address_or_the_half_that_its_network_gave_it(address: str, host: str, prefix: str) -> None:
    """A machine changes the rest of its IPv6 address at will."""
    assert network_of(address) == (host, prefix)


def test_what_is_unknown_connects_nobody() -> None:
    """No device and no fingerprint are not one device and one fingerprint."""
    window = Window()
    window.add([Sighting("a", NOW), Sighting("b", NOW)])
    assert (window.columns().signals == NONE).all()


def test_an_account_counts_with_its_most_used_signals_alone() -> None:
    """Thousands of addresses of one account make no thousands of edges."""
    window = Window()
    window.add([Sighting("a", NOW - 5, f"10.0.{n // 250}.{n % 250}") for n in range(500)])
    window.add([Sighting("a", NOW - 5, "10.0.0.77")] * 2)
    columns = window.columns()
    graph = graph_of(
        columns, rhythms_of(columns, 1), accounts=1, signals=len(window.names.values), began=NOW - DAY, seconds=DAY
    )
    addresses = graph.edges.signal[graph.edges.kind == ADDRESS]
    assert len(addresses) == MOST_SIGNALS
    assert "10.0.0.77" in {window.names.values[number] for number in addresses}


@pytest.mark.parametrize(
    ("crowd", "machines"),
    [
        (bots(6, random.Random(1), every=0.5), 6),
        (bots(6, random.Random(1), every=3000.0, began=NOW - 80_000.0), 6),
        (bots(6, random.Random(1), every=0.05), 0),  # the parts of one page
        (bots(3, random.Random(1), events=7), 0),  # six gaps tell nothing, and neither do three who have them
        (people(300, random.Random(1)), 6),  # chance: at most two of a hundred
    ],
)
def test_a_rhythm_is_a_machines(crowd: list[Sighting], machines: int) -> None:
    """Even gaps, neither too few nor too short; people have them hardly ever."""
    window = Window()
    window.add(list(crowd))
    found = rhythms_of(window.columns(), len(window.names.accounts))
    count = len(np.unique(found.account))
    assert count == machines if machines == 0 or len(window.names.accounts) == 6 else count <= machines


def even(count: int, every: float = 20.0, *, events: int = 4, name: str = "bot", ja4: str = BOT_JA4) -> list[Sighting]:
    return list(bots(count, random.Random(1), name=name, every=every, events=events, ja4=ja4))


@pytest.mark.parametrize(
    ("crowd", "machines"),
    [
        (even(4), 4),
        (even(3), 0),  # chance
        (even(4, events=3), 0),
        (even(4, 500.0), 4),
        (even(4, 700.0), 0),  # it is told by eight events alone
        ([*even(2, ja4="one"), *even(2, ja4="two", name="other")], 0),  # no program that four of them use
        ([each for n in range(4) for each in even(1, 10.0 * 2**n, name=f"own{n}")], 0),  # a rhythm of his own each
        ([*even(4), *people(4, random.Random(1), name="user", ja4=BOT_JA4)], 4),
        ([*even(4), *people(40, random.Random(1), name="user", ja4=BOT_JA4)], 0),  # among many it is chance
    ],
)
def test_four_of_one_program_show_their_rhythm_after_four_events_each(crowd: list[Sighting], machines: int) -> None:
    """Pooled: most who use the program have the same even gaps; no single account shows a rhythm so early."""
    window = Window()
    window.add(crowd)
    found = rhythms_of(window.columns(), len(window.names.accounts))
    assert {window.names.accounts[at][:3] for at in found.account} == ({"bot"} if machines else set())
    assert len(np.unique(found.account)) == machines
