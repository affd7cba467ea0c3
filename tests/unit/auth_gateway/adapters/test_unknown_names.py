"""How much is told of names that nobody has."""

from auth_gateway.adapters.unknown_names import Allowance


def test_a_burst_is_told_and_a_flood_is_not() -> None:
    """Three at once, then one each two seconds; never more than three after a pause."""
    allowance = Allowance(burst=3, per_second=0.5)
    assert [allowance.takes(1000.0) for _ in range(5)] == [True, True, True, False, False]
    assert [allowance.takes(1001.9), allowance.takes(1002.0), allowance.takes(1002.0)] == [False, True, False]
    assert [allowance.takes(9000.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_set_back_gives_nothing_twice() -> None:
    """Time that was counted is not counted again."""
    allowance = Allowance(burst=1, per_second=1)
    assert allowance.takes(1000.0)
    assert not allowance.takes(900.0)
    assert not allowance.takes(1000.5)
    assert allowance.takes(1001.0)
