"""Each baseline ranks what it is for, learns nothing from judged rows that it should not, and needs no label."""

from pathlib import Path

import numpy as np
import pytest

from training.baselines import BASELINES, Baseline, LogColumns, asn_rarity, freeman
from training.baselines.log_columns import coded, log_columns
from training.lookup_files import open_lookups
from training.lookups import Lookups
from training.sources import read_events

HOME, ABROAD = 1, 2


def log(rows: list[tuple[int, int, int, bool]]) -> LogColumns:
    """Rows of user, place, client and whether it teaches; every level of place and client goes together."""
    user, place, client, teaches = (np.array(column) for column in zip(*rows, strict=True))
    return LogColumns(
        user=user,
        ip=place,
        asn=place,
        country=place,
        device=np.zeros(len(user), int),
        user_agent=client,
        browser=client,
        os=client,
        device_type=client,
        hour=np.arange(len(user)) % 24,
        teaches=teaches.astype(bool),
    )


CROWD = [(user, HOME, user % 3, True) for _ in range(4) for user in range(30)]


def judged_last(columns: LogColumns, count: int) -> np.ndarray:
    return np.arange(len(columns)) >= len(columns) - count


def test_an_operator_is_rarer_the_fewer_had_it_before() -> None:
    """One login from abroad was seen, none from the third place; what is judged does not count."""
    columns = log([*CROWD, (1, ABROAD, 1, True), (2, HOME, 2, True), (2, ABROAD, 2, True), (2, 7, 2, True)])
    usual, once, never = asn_rarity.score(columns, judged_last(columns, 3))[-3:]
    assert usual < once < never


def test_a_stranger_in_the_house_is_less_likely_than_the_person() -> None:
    """Freeman's ratio rises with a new place, and with a new place and client further."""
    columns = log([*CROWD, (1, HOME, 1, False), (1, ABROAD, 1, False), (1, ABROAD, 2, False)])
    same, moved, stranger = freeman.score(columns, judged_last(columns, 3))[-3:]
    assert same < moved < stranger


def test_of_a_person_without_a_login_nothing_is_held_against_the_place() -> None:
    """Two newcomers from two places are equally unknown."""
    columns = log([*CROWD, (77, HOME, 1, False), (78, ABROAD, 2, False)])
    first, second = freeman.score(columns, judged_last(columns, 2))[-2:]
    assert first == pytest.approx(second)


def test_what_does_not_teach_changes_nobody() -> None:
    """A failed login from abroad before the same login again: Freeman sees both alike."""
    columns = log([*CROWD, (1, ABROAD, 1, False), (1, ABROAD, 1, False)])
    first, second = freeman.score(columns, judged_last(columns, 2))[-2:]
    assert first == pytest.approx(second)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
def test_every_baseline_scores_every_judged_row_and_repeats_itself(baseline: Baseline) -> None:
    """One finite number a row, the same each time."""
    columns = log([*CROWD, *CROWD, (1, ABROAD, 2, True)])
    judged = judged_last(columns, 40)
    first = baseline.score(columns, judged)
    assert first.shape == (len(columns),)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, baseline.score(columns, judged))
    assert baseline.source


def test_columns_that_the_log_lacks_are_looked_up(tmp_path: Path) -> None:
    """A browser from the user agent, nothing from look-ups that are not there; equal values share a number."""
    chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
    lines = [
        f'2025-01-0{day},u{day},203.0.113.{day},"{agent}"'
        for day, agent in enumerate([chrome.format("109.0.0.0"), chrome.format("109.0.0.1"), "curl/8.7.1"], start=1)
    ]
    path = tmp_path / "log.csv"
    path.write_text("timestamp,user_id,ip,user_agent\n" + "\n".join(lines) + "\n")
    known = log_columns(read_events(path), open_lookups())
    assert known.user_agent.tolist() == [0, 1, 2]
    assert known.browser.tolist() == [0, 0, 1]
    unknown = log_columns(read_events(path), Lookups())
    assert unknown.browser.tolist() == unknown.country.tolist() == [0, 0, 0]
    assert known.teaches.all()


def test_equal_values_share_a_number() -> None:
    """In the order of their first coming."""
    assert coded(np.array(["b", "a", "b", "", "a"], object)).tolist() == [0, 1, 0, 2, 1]
