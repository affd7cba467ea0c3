"""Shares and how sure one can be of them."""

import pytest

from auth_gateway.core.share import share


@pytest.mark.parametrize(
    ("count", "among", "least", "most"),
    [
        # Source: Newcombe 1998, table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_is_the_published_one(count: int, among: int, least: float, most: float) -> None:
    """Of Wilson's score, for 95 %."""
    found = share(count, among)
    assert found.share == count / among
    assert (round(found.least or 0.0, 4), round(found.most or 0.0, 4)) == (least, most)


def test_of_nothing_nothing_is_known() -> None:
    """No share, and no interval."""
    found = share(0, 0)
    assert (found.share, found.least, found.most) == (None, None, None)
