"""Which refusals are written down."""

import pytest

from auth_gateway.adapters.recent_lines import MemoryLines


@pytest.mark.parametrize(("elapsed", "is_due"), [(0.0, False), (59.9, False), (60.0, True), (-1.0, True)])
def test_a_line_a_minute(elapsed: float, is_due: bool) -> None:
    """And no silence because the clock was set back."""
    lines = MemoryLines()
    lines.written(("f1", "revoked"), 1000.0)
    assert lines.is_due(("f1", "revoked"), 1000.0 + elapsed) is is_due
    assert lines.is_due(("f1", "expired"), 1000.0)
    assert lines.is_due(("f2", "revoked"), 1000.0)


def test_the_oldest_is_forgotten_first() -> None:
    """The memory is bounded."""
    lines = MemoryLines(most_keys=2)
    for family in ("f1", "f2", "f1", "f3"):
        lines.written((family, "revoked"), 1000.0)
    assert [family for family in ("f1", "f2", "f3") if lines.is_due((family, "revoked"), 1000.0)] == ["f2"]
