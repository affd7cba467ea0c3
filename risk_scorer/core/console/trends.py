"""Weekly figures of the named views as bars and tables: which they are, which weeks, and where each bar stands.

A week without rows is empty, which is not the same as nought; the week that still runs is marked, for it will grow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from msgspec import Struct

from risk_scorer.core.console.pictures import Bar, round_above

WEEK_SECONDS: Final = 604_800.0
TO_MONDAY: Final = 259_200.0
"""From a Monday to the Thursday that 1 January 1970 was."""
MOST_WEEKS: Final = 26
CHOICES: Final = (4, 12, MOST_WEEKS)
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420.0, 150.0, 36.0, 8.0, 20.0
TICKS: Final = 4
MOST_LABELS: Final = 6
HOUR_SECONDS: Final = 3600.0

Unit = Literal["count", "hours", "percent"]
Rows = Sequence[Mapping[str, Any]]


class Series(Struct, frozen=True, kw_only=True):
    """One column of a view as a figure: of rows of that `cohort` where one is named, over another column where it is a
    share."""

    words: str
    column: str
    over: str = ""
    cohort: str = ""


class Wanted(Struct, frozen=True, kw_only=True):
    """One chart: the named view behind it, and what of it is drawn."""

    title: str
    text: str
    view: str
    series: tuple[Series, ...]
    unit: Unit = "count"


CHARTS: Final = (
    Wanted(
        title="Attacks",
        text="Logins that were refused or judged to be somebody else's, without those judged safe.",
        view="weekly_decisions",
        series=(Series(words="attacks", column="attacks"), Series(words="refused", column="denied")),
    ),
    Wanted(
        title="Prompts",
        text="Logins that were asked for a factor.",
        view="weekly_decisions",
        series=(Series(words="prompted", column="prompts"), Series(words="factor not shown", column="failed")),
    ),
    Wanted(
        title="False alarms",
        text="Prompts that were passed and not judged to be somebody else's, and what was judged safe though prompted"
        " or refused.",
        view="weekly_decisions",
        series=(Series(words="false alarms", column="false_alarms"), Series(words="judged by people", column="judged")),
    ),
    Wanted(
        title="Time to remediate",
        text="The median, in hours, by the week of the detection: to the first word about a login, and to the end of an"
        " incident.",
        view="weekly_remediation",
        series=(
            Series(words="to the first word", column="verdict_seconds"),
            Series(words="to the end of an incident", column="close_seconds"),
        ),
        unit="hours",
    ),
    Wanted(
        title="New and aged accounts",
        text="Accounts that did something; new are those in the first 14 days after they were first seen.",
        view="weekly_cohorts",
        series=(
            Series(words="new", column="accounts", cohort="new"),
            Series(words="aged", column="accounts", cohort="aged"),
        ),
    ),
    Wanted(
        title="Refused, by age of account",
        text="Of what accounts did, how much was refused or failed.",
        view="weekly_cohorts",
        series=(
            Series(words="new", column="failures", over="events", cohort="new"),
            Series(words="aged", column="failures", over="events", cohort="aged"),
        ),
        unit="percent",
    ),
    Wanted(
        title="Sessions at their marks",
        text="Sessions that came to 60 (a step-up is asked) and to 80 (they end).",
        view="weekly_sessions",
        series=(Series(words="60 or above", column="prompted"), Series(words="80 or above", column="reset")),
    ),
)
VIEWS: Final = tuple(dict.fromkeys(each.view for each in CHARTS))


class Week(Struct, frozen=True, kw_only=True):
    """One week, Monday to Sunday, UTC: `label` is short for an axis, `x` its middle there."""

    at: float
    words: str
    label: str
    x: float
    is_running: bool
    values: tuple[str, ...]
    is_empty: bool


class Drawn(Struct, frozen=True, kw_only=True):
    """A bar, which series it is of, and whether its week still runs."""

    bar: Bar
    series: int
    is_running: bool


class Trend(Struct, frozen=True, kw_only=True):
    """A chart with everything that is drawn and said."""

    wanted: Wanted
    weeks: tuple[Week, ...]
    bars: tuple[Drawn, ...]
    ticks: tuple[tuple[str, float], ...]
    last: tuple[str, ...]
    before: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no week has anything."""
        return all(week.is_empty for week in self.weeks)


def monday(moment: float) -> float:
    """When the week of that moment began."""
    return (moment + TO_MONDAY) // WEEK_SECONDS * WEEK_SECONDS - TO_MONDAY


def weeks_until(now: float, weeks: int) -> tuple[float, ...]:
    """When each of so many weeks began; the last is the one that runs."""
    last = monday(now)
    return tuple(last - back * WEEK_SECONDS for back in range(weeks - 1, -1, -1))


def trend(wanted: Wanted, rows: Rows, starts: Sequence[float]) -> Trend:
    """The chart of these rows over these weeks, the last of which still runs."""
    values = [[_value(wanted, series, rows, start) for start in starts] for series in wanted.series]
    least = TICKS if wanted.unit == "count" else 0.0
    top = round_above(max((value for of_one in values for value in of_one if value is not None), default=0.0))
    top = max(top, least)
    step = (WIDTH - LEFT) / len(starts)
    labelled = max(1, -(-len(starts) // MOST_LABELS))
    weeks = tuple(
        Week(
            at=start,
            words=f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}",
            label=f"{datetime.fromtimestamp(start, UTC):%d %b}" if (len(starts) - 1 - at) % labelled == 0 else "",
            x=round(LEFT + (at + 0.5) * step, 2),
            is_running=at == len(starts) - 1,
            values=tuple(words(of_one[at], wanted.unit) for of_one in values),
            is_empty=all(of_one[at] is None for of_one in values),
        )
        for at, start in enumerate(starts)
    )
    bars = tuple(_bars(values, top=top, step=step))
    ticks = tuple(
        (short(top * at / TICKS, wanted.unit), round(_y(top * at / TICKS, top), 2)) for at in range(TICKS + 1)
    )
    full = [week.values for week in weeks if not week.is_running]
    nothing = tuple("" for _ in wanted.series)
    last, before = ([nothing, nothing, *full][-1], [nothing, nothing, *full][-2])
    return Trend(wanted=wanted, weeks=weeks, bars=bars, ticks=ticks, last=last, before=before)


def words(value: float | None, unit: Unit) -> str:
    """A value as a table has it; "" for none."""
    if value is None:
        return ""
    if unit == "hours":
        return f"{value:,.1f} h"
    return f"{value:.2f} %" if unit == "percent" else f"{value:,.0f}"


def short(value: float, unit: Unit) -> str:
    """A value as an axis has it."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    text = f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"
    return text + {"count": "", "hours": " h", "percent": " %"}[unit]


def _value(wanted: Wanted, series: Series, rows: Rows, start: float) -> float | None:
    found = [row for row in rows if row["week_at"] == start and row.get("cohort", "") in ("", series.cohort or "")]
    if not found or found[0][series.column] is None:
        return None
    value = float(found[0][series.column])
    if series.over:
        among = float(found[0][series.over])
        return 100.0 * value / among if among else None
    return value / HOUR_SECONDS if wanted.unit == "hours" else value


def _bars(values: Sequence[Sequence[float | None]], *, top: float, step: float) -> list[Drawn]:
    width = 0.8 * step / len(values)
    found = []
    for which, of_one in enumerate(values):
        for at, value in enumerate(of_one):
            if value:
                x, y = LEFT + (at + 0.1) * step + which * width, _y(value, top)
                bar = Bar(round(x, 2), round(y, 2), round(width, 2), round(HEIGHT - BOTTOM - y, 2))
                found.append(Drawn(bar=bar, series=which, is_running=at == len(of_one) - 1))
    return found


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)
