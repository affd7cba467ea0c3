"""What the gates read off a comparison."""

from training.comparing.comparison import (
    FORMAT,
    MARKS,
    NOTHING_KNOWN,
    Caught,
    Comparison,
    Interval,
    MarkName,
    Prompts,
    Source,
)


def caught(source: Source, low: float, high: float, kind: str = "") -> Caught:
    """Recall of which nothing but the difference matters."""
    return Caught(
        source=source,
        kind=kind,
        attacks=10,
        active=5,
        candidate=5,
        only_active=0,
        only_candidate=0,
        difference=Interval(value=(low + high) / 2, low=low, high=high),
        p_value=1.0,
    )


def prompts(mark: MarkName, upper: float) -> Prompts:
    """Prompts of which nothing but the upper limit matters."""
    nothing = Interval(value=0.0, low=0.0, high=0.0)
    return Prompts(
        mark=mark,
        score=MARKS[mark],
        logins=100,
        active=1,
        candidate=1,
        only_active=0,
        only_candidate=0,
        active_a_day=1.0,
        candidate_a_day=1.0,
        a_day_difference=nothing,
        share_difference=nothing,
        candidate_upper=upper,
    )


def comparison(*found: Caught) -> Comparison:
    """A comparison with these attacks."""
    return Comparison(
        format=FORMAT,
        active="a",
        candidate="b",
        source="log.csv",
        rows=100,
        people=10,
        first=0.0,
        last=86_400.0,
        days=1.0,
        prompts=(prompts("step_up", 0.03), prompts("deny", 0.002)),
        caught=found,
        differing=0,
        events=(),
        notes=(),
    )


def test_the_difference_that_a_gate_reads_is_the_one_that_speaks_most_against_the_candidate() -> None:
    """Better at strangers does not make up for worse at compromises; a single kind does not count for a source."""
    told = comparison(
        caught("simulated", 0.1, 0.2), caught("confirmed", -0.5, -0.1), caught("simulated", -1, -0.9, "x")
    )
    assert told.recall_difference == Interval(value=-0.3, low=-0.5, high=-0.1)


def test_without_attacks_nothing_is_known() -> None:
    """The interval then spans everything, so that it proves nothing."""
    assert comparison().recall_difference == NOTHING_KNOWN
    assert comparison(caught("simulated", 0, 1)).caught_of("confirmed") is None


def test_the_upper_limits_are_those_of_the_marks() -> None:
    """60 for prompts, 80 for denials."""
    told = comparison()
    assert (told.false_positive_upper, told.denied_upper) == (0.03, 0.002)
