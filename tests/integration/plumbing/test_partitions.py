"""A table kept by months on a real server: converted with what it holds, made ahead, healed, dropped by the month."""
# ruff: noqa: S608 - statements of our own

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from plumbing.partitions import Months, after, begins, changing, convert, dropped, month_of, old_months
from plumbing.postgresql_store import open_engine
from plumbing.refusals import Refused

DAY = 86_400.0
MONTHS = Months("lines", "ts")
TABLE = """
CREATE TABLE lines (seq BIGSERIAL PRIMARY KEY, ts FLOAT NOT NULL, kind TEXT);
CREATE INDEX ix_lines_kind ON lines (kind, ts) WHERE kind IS NOT NULL
"""


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    """A database with such a table, as a release before made it."""
    found = open_engine(postgresql_url)
    with found.begin() as connection:
        connection.exec_driver_sql(TABLE)
    yield found
    found.dispose()


def run(engine: Engine, sql: str) -> list[Any]:
    with engine.begin() as connection:
        result = connection.exec_driver_sql(sql)
        return [tuple(row) for row in result] if result.returns_rows else []


def converted(engine: Engine) -> None:
    with engine.begin() as connection:
        convert(connection, "lines", column="ts", key="seq")


def places(engine: Engine) -> dict[str, int]:
    rows = run(engine, "SELECT tableoid::regclass::text, count(*) FROM lines GROUP BY 1")
    return {name.removeprefix("lines_"): count for name, count in rows}


def now_of(engine: Engine) -> float:
    return float(run(engine, "SELECT extract(epoch FROM now())::float8")[0][0])


@pytest.mark.parametrize(
    ("moment", "month", "next_one"),
    [("2026-11-30T23:59:59", (2026, 11), (2026, 12)), ("2026-12-01T00:00:00", (2026, 12), (2027, 1))],
)
def test_months_begin_in_utc(moment: str, month: tuple[int, int], next_one: tuple[int, int]) -> None:
    """The last second belongs to the old month, the first to the new one."""
    found = month_of(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())
    assert (found, after(found)) == (month, next_one)
    assert month_of(begins(month)) == month
    assert month_of(begins(month) - 1) != month


def test_a_table_with_lines_is_converted_and_loses_none(engine: Engine) -> None:
    """What was there is the first partition with its keys and indexes; the next lines go on counting."""
    now = now_of(engine)
    run(engine, f"INSERT INTO lines (ts, kind) SELECT {now} - n * {DAY}, 'old' FROM generate_series(1, 400) AS n")
    converted(engine)
    assert run(engine, f"INSERT INTO lines (ts, kind) VALUES ({now + 45 * DAY}, 'new') RETURNING seq") == [(401,)]
    month = month_of(now + 45 * DAY)
    assert places(engine) == {"before": 400, f"{month[0]}_{month[1]:02}": 1}
    indexes = {row[0] for row in run(engine, "SELECT indexname FROM pg_indexes WHERE tablename = 'lines'")}
    assert indexes == {"lines_pkey", "ix_lines_kind"}
    plan = str(run(engine, "EXPLAIN SELECT seq FROM lines WHERE kind = 'old' AND ts < 1"))
    assert "before" in plan
    assert "default" not in plan


def test_an_empty_table_is_converted_too(engine: Engine) -> None:
    """As on the first start: this month and the two after it are there."""
    converted(engine)
    for days in (0, 31, 59):
        run(engine, f"INSERT INTO lines (ts) VALUES ({begins(month_of(now_of(engine))) + days * DAY})")
    assert "default" not in places(engine)
    assert sum(places(engine).values()) == 3


def test_what_strayed_gets_months_of_its_own(engine: Engine) -> None:
    """A service that comes back after half a year refuses nothing, and its upkeep makes up for what it missed."""
    converted(engine)
    later = now_of(engine) + 200 * DAY
    run(engine, f"INSERT INTO lines (ts) VALUES ({later}), ({later + 40 * DAY}), ({later + 41 * DAY})")
    assert places(engine) == {"default": 3}
    assert old_months(engine, MONTHS, now=later, before=None) == []
    assert "default" not in places(engine)
    assert sum(places(engine).values()) == 3
    assert old_months(engine, MONTHS, now=later, before=None) == []


def test_a_month_goes_as_a_whole_and_only_once_all_of_it_is_old(engine: Engine) -> None:
    """Both sides of its last moment."""
    now = now_of(engine)
    run(engine, f"INSERT INTO lines (ts) VALUES ({now})")
    converted(engine)
    border = begins(after(month_of(now)))
    run(engine, f"INSERT INTO lines (ts) VALUES ({border})")
    assert old_months(engine, MONTHS, now=now, before=border - 0.001) == []
    [old] = old_months(engine, MONTHS, now=now, before=border)
    assert old == ("lines_before", border)
    assert dropped(engine, MONTHS, old)
    assert not dropped(engine, MONTHS, old)
    assert list(places(engine).values()) == [1]


def test_one_process_at_a_time_changes_them(engine: Engine) -> None:
    """The other leaves it, without waiting."""
    converted(engine)
    with changing(engine) as ours:
        assert ours is not None
        with changing(engine) as theirs:
            assert theirs is None
        assert old_months(engine, MONTHS, now=now_of(engine), before=float("inf")) == []


def test_a_table_that_somebody_holds_is_left_for_the_next_turn(engine: Engine, postgresql_url: str) -> None:
    """Dropping waits two seconds at most, and nothing has gone."""
    run(engine, f"INSERT INTO lines (ts) VALUES ({now_of(engine)})")
    converted(engine)
    [old, *_] = old_months(engine, MONTHS, now=now_of(engine), before=float("inf"))
    with psycopg.connect(postgresql_url) as holder:
        holder.execute("SELECT count(*) FROM lines")
        with pytest.raises(Refused):
            dropped(engine, MONTHS, old)
    assert sum(places(engine).values()) == 1
    assert dropped(engine, MONTHS, old)
