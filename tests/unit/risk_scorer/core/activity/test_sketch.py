"""Sketches: what was put in is found, what was not seldom is, and no number of names makes them grow."""

from risk_scorer.core.activity.sketch import MOST_COUNT, add, count_of, digest_of, halve, is_marked, mark


def test_what_was_marked_is_marked_and_little_else_is() -> None:
    """Forty endpoints in 128 bytes leave fewer than one in fifty others looking known."""
    bits = bytearray(128)
    for number in range(40):
        mark(bits, digest_of(f"known {number}"))
    assert all(is_marked(bits, digest_of(f"known {number}")) for number in range(40))
    assert sum(is_marked(bits, digest_of(f"other {number}")) for number in range(1000)) < 20
    assert len(bits) == 128


def test_a_count_is_never_less_than_what_was_added() -> None:
    """Others may raise it, nothing lowers it but time."""
    counts = bytearray(4096)
    for number in range(1000):
        add(counts, digest_of(f"device {number}"), 1 + number % 3)
    found = [count_of(counts, digest_of(f"device {number}")) for number in range(1000)]
    assert all(count >= 1 + number % 3 for number, count in enumerate(found))
    assert sum(count > 1 + number % 3 for number, count in enumerate(found)) < 200


def test_a_count_has_an_end_and_time_halves_it() -> None:
    """The largest count stays the largest, whatever is added."""
    counts = bytearray(16)
    for _ in range(300):
        add(counts, 5, 3)
    assert count_of(counts, 5) == MOST_COUNT
    halve(counts)
    assert count_of(counts, 5) == MOST_COUNT // 2
    assert len(counts) == 16


def test_a_digest_is_the_same_in_every_process() -> None:
    """Memories outlive the process that wrote them."""
    assert digest_of("Chrome") == 3758340001825008317
