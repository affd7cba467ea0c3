"""The simulated world: the same bytes for a seed, and people and attackers as the read-me of the sample says."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from training.personas import COLUMNS, counts_by_label, simulate, write_csv
from training.refusals import WrongInputError
from training.simulator.days import Login
from training.simulator.world import SPAN_ENDS, SPAN_STARTS, load_world
from training.sources import read_events

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample_logins.csv"


@pytest.fixture(scope="module")
def logins() -> list[Login]:
    return simulate(20_000, 7)


def test_the_committed_sample_is_what_the_simulator_writes(logins: list[Login], tmp_path: Path) -> None:
    """`risk-training simulate --rows 20000 --seed 7` gives the committed file to the byte."""
    write_csv(logins, tmp_path / "again.csv")
    again = (tmp_path / "again.csv").read_bytes()
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(SAMPLE.read_bytes()).hexdigest()


def test_another_seed_is_another_world() -> None:
    """The seed is not decoration."""
    assert simulate(500, 1) != simulate(500, 2)


@pytest.mark.parametrize("rows", [500, 501, 1999])
def test_exactly_the_rows_asked_for(rows: int) -> None:
    """Rounding never adds or loses a row."""
    assert len(simulate(rows, 3)) == rows


@pytest.mark.parametrize("rows", [-1, 0, 499, 5_000_001])
def test_impossible_sizes_are_refused(rows: int) -> None:
    """Too few rows hold no world; a negative number of them is a slip."""
    with pytest.raises(WrongInputError) as caught:
        simulate(rows, 7)
    assert caught.value.code == "bad_row_count"


def test_rows_are_in_order_and_within_the_span(logins: list[Login]) -> None:
    """2025-05-01 to 2025-08-09T12:00Z, sorted."""
    moments = [row.moment for row in logins]
    assert moments == sorted(moments)
    assert moments[0] >= SPAN_STARTS
    assert moments[-1] < SPAN_ENDS


def test_every_kind_of_attack_is_there_and_rare(logins: list[Login]) -> None:
    """Four labelled families, together one row in forty."""
    assert counts_by_label(logins) == {
        "honest": 19_500, "session_theft": 60, "spraying": 120, "stuffing": 200, "takeover": 120,
    }  # fmt: skip


def test_alice_logs_in_as_the_samples_say(logins: list[Login]) -> None:
    """Her usual login is the reference's sample event; she stays within her provider's network."""
    hers = [row for row in logins if row.user_id == "alice"]
    assert 100 <= len(hers) <= 140
    assert all(row.ip.startswith("198.51.100.") for row in hers)
    usual = sum(row.ip == "198.51.100.9" for row in hers)
    assert len(hers) * 0.8 < usual < len(hers)
    assert {(row.device_id, row.software.user_agent, row.software.ja4, row.network.asn) for row in hers} == {
        ("dev-1", "Mozilla/5.0 (Macintosh; Intel Mac OS X)", "t13d301000_1234_5678", 64500)
    }
    hours = {row.moment // 3600 % 24 for row in hers}
    assert set(range(12, 20)) <= hours


def test_nobody_attacks_the_demos_people(logins: list[Login]) -> None:
    """Alice and Bob start the demo with a clean history."""
    assert {row.label for row in logins if row.user_id in ("alice", "bob")} == {""}


def test_people_change_but_not_all_the_time(logins: list[Login]) -> None:
    """New devices and foreign countries are a few in a hundred honest logins: real novelty for the step-up budget."""
    seen: dict[str, set[str]] = {}
    new = total = 0
    for row in logins:
        if row.label or not row.success:
            continue
        known = seen.setdefault(row.user_id, set())
        values = {f"device {row.device_id}", f"country {row.network.country}"}
        if len(known) > 3:
            total, new = total + 1, new + bool(values - known)
        known |= values
    assert 0.01 < new / total < 0.05


def test_addresses_are_shared_as_they_are_in_life(logins: list[Login]) -> None:
    """Offices and mobile operators put many people behind one address; homes do not."""
    people: dict[tuple[str, str], set[str]] = {}
    for row in logins:
        if not row.label:
            people.setdefault((row.network.kind, row.ip), set()).add(row.user_id)
    shared = Counter(kind for (kind, _), users in people.items() if len(users) > 1)
    assert shared["mobile"] > 50
    assert shared["office"] > 20
    assert shared["home"] < 20


def test_attackers_use_what_the_rules_look_for(logins: list[Login]) -> None:
    """Tor, hosting and VPN networks, programs, broken and foreign fingerprints: no rule is dead on the sample."""
    hostile = [row for row in logins if row.label]
    assert {"tor", "hosting", "vpn", "proxy"} <= {row.network.kind for row in hostile}
    assert any(row.software.user_agent.startswith("python-requests") for row in hostile)
    assert any(row.software.ja4 == "t13d_none" for row in hostile)
    assert any("Chrome/" in row.software.user_agent and "t13d141000" in row.software.ja4 for row in hostile)


def test_a_stolen_session_keeps_the_browsers_name_and_the_device(logins: list[Login]) -> None:
    """Session theft replays what the victim's browser says, from somewhere else."""
    for row in logins:
        if row.label == "session_theft":
            honest = [own for own in logins if own.user_id == row.user_id and not own.label]
            assert row.device_id in {own.device_id for own in honest}
            assert row.software.user_agent in {own.software.user_agent for own in honest}


def test_every_city_has_every_kind_of_network() -> None:
    """Nobody lives where they cannot log in from."""
    world = load_world()
    for city in world.cities:
        for kind in ("home", "office", "hotel", "mobile"):
            assert world.of(kind, city.name), (city.name, kind)


def test_the_importer_reads_every_simulated_row(logins: list[Login], tmp_path: Path) -> None:
    """Nothing of the sample is dropped, and every column of our schema is present."""
    write_csv(logins, tmp_path / "log.csv")
    table = read_events(tmp_path / "log.csv")
    assert table.dropped == {}
    assert len(table) == 20_000
    assert {*COLUMNS} - {"label"} == table.present


def test_an_unwritable_file_is_told_by_name(tmp_path: Path) -> None:
    """A folder in the way gives one clear message and leaves nothing behind."""
    (tmp_path / "log.csv").mkdir()
    with pytest.raises(WrongInputError) as caught:
        write_csv([], tmp_path / "log.csv")
    assert caught.value.code == "unwritable_output"
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
