"""What is counted and learned in columns is what the small way counts and learns login by login."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from risk_scorer.adapters.time_zones import TimeZones
from risk_scorer.core.encoders import kinds
from risk_scorer.core.facts import AgentFacts, IpFacts
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.signals import PLACE
from tests.unit.training.logs import LOOKUPS, log, network, objects
from training.columns import people_sample
from training.columns.clocks import clocks_of
from training.columns.counts import Counts
from training.columns.facts import facts_of
from training.columns.log import CodedLog
from training.columns.people import write_histories
from training.columns.people_sample import sampled_rows
from training.columns.places import write_places
from training.columns.reading import coded_log
from training.columns.sweep import sweep_sample
from training.log_files import open_log
from training.lookups import Lookups
from training.observations import observations
from training.outputs import write_events
from training.sources import EventTable
from training.sweep import sweep

ROWS = 1500


def doubtful(ip: str) -> IpFacts:
    """Every kind of network: relays, listed ones, places without an accuracy, none at all."""
    facts, last = network(ip), int(ip.rpartition(".")[2])
    kind = ("unknown", "vpn", "tor", "hosting")[last % 4] if last >= 50 else "residential"
    place = {} if last % 9 else {"latitude": None, "longitude": None}
    return msgspec.structs.replace(
        facts, kind=kind, is_listed=last % 11 == 0, accuracy_km=[None, 5.0, 700.0][last % 3], **place
    )


def agent(text: str) -> AgentFacts:
    """A browser by its user agent."""
    name, _, version = text.removeprefix("Agent of ").partition(" ")
    return AgentFacts(browser=name, browser_version=version, os="" if version == "84" else name, device_type="desktop")


LOOKUPS_OF = {
    "nothing": Lookups(),
    "places": replace(LOOKUPS, local_time=TimeZones().local),
    "everything": Lookups(network=doubtful, agent=agent, local_time=TimeZones().local),
}


@lru_cache(maxsize=1)
def table() -> EventTable:
    """Sixty days with a spring forward among them, some probes, countries and operators left to be looked up."""
    found = log(ROWS, people=9)
    chance = np.random.default_rng(8)
    country = np.where(chance.random(ROWS) < 0.3, "", found.country).astype(object)
    return replace(
        found,
        timestamp=found.timestamp - 90 * 86_400.0,
        country=country,
        asn=np.where(chance.random(ROWS) < 0.3, 0, found.asn),
        device_id=objects([f"{who}-{number % 50}" for number, who in enumerate(found.device_id)]),
        probe=objects(["naive" if each < 0.02 else "" for each in chance.random(ROWS)]),
        present=found.present | {"probe"},
    )


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> CodedLog:
    """The same log in columns."""
    path = tmp_path_factory.mktemp("columns") / "log.parquet"
    write_events(table(), path)
    return coded_log(open_log(path))


@pytest.mark.parametrize("known", LOOKUPS_OF)
def test_histories_are_those_that_are_learned_login_by_login(coded: CodedLog, tmp_path: Path, known: str) -> None:
    """To the byte: values that are forgotten, places, clocks put forward, failures, relays."""
    lookups = LOOKUPS_OF[known]
    facts = facts_of(coded, lookups)
    stored = write_histories(facts, clocks_of(facts, lookups.local_time), tmp_path / "histories")
    histories: dict[str, UserHistory] = {}
    small = coded.table()
    for seen, probe in zip(observations(small, lookups), small.probe, strict=True):
        if not probe:
            histories[seen.user_id] = learn(histories.get(seen.user_id), seen, "success" if seen.success else "failure")
    assert max(len(history.device) for history in histories.values()) == 32
    expected = msgspec.msgpack.encode(dict(sorted(histories.items())))
    assert (tmp_path / "histories").read_bytes() == expected
    assert (stored.size, stored.people) == (len(expected), len(histories))
    assert stored.best_known == max(histories.values(), key=lambda history: history.logins)


@pytest.mark.parametrize("known", LOOKUPS_OF)
def test_numbers_of_every_login_and_stranger_are_those_of_the_small_sweep(coded: CodedLog, known: str) -> None:
    """Where everybody is drawn: signals, frequencies, what rarity is worth, what is being tried around."""
    lookups = LOOKUPS_OF[known]
    facts = facts_of(coded, lookups)
    found = sweep_sample(facts, np.arange(len(coded)), lookups, seed=3)
    expected = sweep(coded.table(), lookups, seed=3)
    assert found.encoders == expected.encoders
    for mine, theirs in zip(found.fitting + found.held_out, expected.fitting + expected.held_out, strict=True):
        np.testing.assert_array_equal(mine.signals, theirs.signals)
        np.testing.assert_array_equal(mine.strangers, theirs.strangers)
        assert mine.stranger_kinds.tolist() == theirs.stranger_kinds.tolist()
        assert mine.succeeded.tolist() == theirs.succeeded.tolist()
        assert mine.scales.kinds.tolist() == theirs.scales.kinds.tolist()
        assert np.array(mine.rarity).tolist() == np.array(theirs.rarity).tolist()
    assert found.held_out[0].signals[:, PLACE["network_people"]].any()


def test_drawn_people_are_measured_against_everybody(coded: CodedLog) -> None:
    """Their numbers are those that they have where everybody is drawn, but for the strangers in their places."""
    facts, rows = facts_of(coded, LOOKUPS), sampled_rows(coded, 1, most=ROWS // 3)
    some = sweep_sample(facts, rows, LOOKUPS, seed=3)
    everybody = sweep_sample(facts, np.arange(len(coded)), LOOKUPS, seed=3)
    drawn = np.isin(coded.timestamp, coded.timestamp[rows])
    for mine, all_of_them in zip(some.fitting, everybody.fitting, strict=True):
        is_drawn = np.isin(all_of_them.signals[:, PLACE["ts"]], coded.timestamp[drawn])
        np.testing.assert_array_equal(mine.signals, all_of_them.signals[is_drawn])


def test_whole_people_are_drawn_by_their_ids_alone(coded: CodedLog) -> None:
    """Each with every login, at most so many together, others for another seed, all of a small log."""
    rows = sampled_rows(coded, 1, most=ROWS // 3 * 100)
    assert rows.tolist() == list(range(len(coded)))
    small = _drawn(coded, 1)
    users = coded.codes["user_id"]
    assert 0 < len(small) <= ROWS // 3
    assert np.isin(users, np.unique(users[small])).sum() == len(small)
    assert any(_drawn(coded, seed).tolist() != small.tolist() for seed in (2, 3, 4))


def _drawn(coded: CodedLog, seed: int) -> np.ndarray:
    return sampled_rows(coded, seed, most=ROWS // 3)


def test_the_most_frequent_values_are_listed_and_the_others_summed_up(coded: CodedLog) -> None:
    """None is preferred to another with as many logins; how many there are is known all the same."""
    facts = facts_of(coded, LOOKUPS)
    whole, bounded = Counts(facts, ()), Counts(facts, (), most=20)
    for counts in (whole, bounded):
        counts.add(0, len(coded))
    every, some = whole.encoders(), bounded.encoders()
    assert len(every.device) > 20 >= len(some.device)
    assert min(some.device.values(), default=99) > max(
        count for value, count in every.device.items() if value not in some.device
    )
    assert isinstance(some.rest, dict)
    assert some.rest["device"].values + len(some.device) == len(every.device)
    assert some.rest["device"].logins + sum(some.device.values()) == every.total == some.total
    assert kinds(some).tolist() == kinds(every).tolist() == bounded.kinds().tolist()
    assert some.country == every.country
    assert "country" not in some.rest


def test_usual_places_are_those_of_the_small_sweep(coded: CodedLog, tmp_path: Path) -> None:
    """To a ten-thousandth of a degree, in the same order; none where no address is known."""
    facts = facts_of(coded, LOOKUPS)
    write_places(facts, tmp_path / "geo.json")
    found = msgspec.json.decode((tmp_path / "geo.json").read_bytes())
    expected = sweep(coded.table(), LOOKUPS).places
    assert list(found) == list(expected)
    for user, (latitude, longitude) in expected.items():
        assert found[user] == pytest.approx({"latitude": latitude, "longitude": longitude}, abs=1e-4)
    write_places(facts_of(coded, Lookups()), tmp_path / "none.json")
    assert (tmp_path / "none.json").read_bytes() == b"{}"


@pytest.mark.parametrize(("share", "come_in"), [(0.1, 0), (0.3, 1)])
def test_labelled_people_are_drawn_first_as_far_as_their_share(
    coded: CodedLog, share: float, come_in: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label says something beside its person's other logins; a flood of labels draws few others out.

    A tenth of this sample is less than one person has, three tenths are one person's.
    """
    monkeypatch.setattr(people_sample, "MOST_FIRST", share)

    def drawn(first: set[str]) -> set[str]:
        return set(coded.table(sampled_rows(coded, 1, most=ROWS // 2, first=first)).user_id)

    usual = drawn(set())
    left_out = set(coded.table().user_id) - usual
    assert len(drawn({min(left_out)}) & left_out) == come_in
    assert len(drawn(left_out) & left_out) == come_in
