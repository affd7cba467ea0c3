"""What is counted for metrics and told to the log, without a flood of lines."""

import structlog

from plumbing.clock import FixedClock
from plumbing.tally import QUIET_SECONDS, Tally


def test_the_log_hears_of_each_kind_once_a_minute() -> None:
    """Every one is counted; a line says how many there were until then."""
    clock = FixedClock(0)
    with structlog.testing.capture_logs() as lines:
        tally = Tally("edge_unbelieved", clock)
        for _ in range(3):
            tally.add("a")
        tally.add("b")
        clock.advance(QUIET_SECONDS - 1)
        tally.add("a")
        clock.advance(1)
        tally.add("a")
    assert [(line["kind"], line["count"]) for line in lines] == [("a", 1), ("b", 1), ("a", 5)]
    assert list(tally.readings()) == [(("a",), 5.0), (("b",), 1.0)]
    assert tally.count("c") == 0
