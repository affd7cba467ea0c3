"""Trees are walked by compiled code that checks no bounds, so whatever could make it leave its arrays is named."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from risk_scorer.core.trees import depth, problem

INPUTS = 4


@dataclass(frozen=True)
class Plain:
    """Two trees: a root with an inner right child, and a root with two leaves."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    child: NDArray[np.int32]
    root: NDArray[np.int32]
    depth: int


SOUND = Plain(
    feature=np.array([0, 0, 3, 0, 0, 2, 0, 0], np.int32),
    threshold=np.array([1.0, np.inf, 2.0, np.inf, np.inf, 0.5, np.inf, np.inf]),
    child=np.array([1, 1, 3, 3, 4, 6, 6, 7], np.int32),
    root=np.array([0, 5, 8], np.int32),
    depth=2,
)
VALUES = np.linspace(-1.0, 1.0, 8)


def said(trees: Plain, *values: NDArray[np.float64], trees_said: int = 2) -> str | None:
    return problem(trees, values or (VALUES,), trees_said=trees_said, inputs=INPUTS)


def with_entry(name: str, place: int, value: float) -> Plain:
    array = getattr(SOUND, name).copy()
    array[place] = value
    return replace(SOUND, **{name: array})


def test_sound_trees_have_no_problem() -> None:
    """The largest input, the deepest leaf and a tree of one leaf among them."""
    assert said(SOUND) is None
    leaf = Plain(np.zeros(1, np.int32), np.array([np.inf]), np.zeros(1, np.int32), np.array([0, 1], np.int32), depth=0)
    assert said(leaf, np.zeros(1), trees_said=1) is None


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("feature", 0, -1, "feature that is not there"),
        ("feature", 2, INPUTS, "feature that is not there"),
        ("feature", 4, INPUTS, "feature that is not there"),  # a leaf is asked too: the walk has a fixed length
        ("child", 2, 1, "after its parent"),
        ("child", 2, -3, "after its parent"),
        ("child", 2, 4, "after its parent"),  # its right child would be the next tree's root
        ("child", 0, 6, "after its parent"),
        ("child", 5, 7, "after its parent"),  # its right child would be past the end
        ("child", 5, 10**6, "after its parent"),
        ("child", 4, 3, "after its parent"),
        ("threshold", 0, np.nan, "threshold"),
        ("threshold", 2, np.inf, "threshold"),
        ("threshold", 2, -np.inf, "threshold"),
        ("threshold", 4, 0.0, "threshold"),
        ("threshold", 4, -np.inf, "threshold"),
        ("threshold", 4, np.nan, "threshold"),
        ("root", 0, 1, "tile"),
        ("root", 1, 0, "tile"),
        ("root", 1, 8, "tile"),
        ("root", 1, 10**6, "tile"),
        ("root", 2, 9, "tile"),
        ("root", 2, 7, "tile"),
    ],
)
def test_a_walk_that_could_leave_its_arrays_is_named(name: str, place: int, value: float, expected: str) -> None:
    """One wrong entry is enough."""
    assert expected in (said(with_entry(name, place, value)) or "")


@pytest.mark.parametrize("name", ["feature", "threshold", "child"])
@pytest.mark.parametrize("more", [-1, 1])
def test_arrays_of_different_length_are_named(name: str, more: int) -> None:
    """One node too few or too many in any of them."""
    array = np.resize(getattr(SOUND, name), len(SOUND.feature) + more)
    assert said(replace(SOUND, **{name: array})) is not None


@pytest.mark.parametrize("length", [7, 9])
def test_what_leaves_hold_is_as_long_as_the_nodes(length: int) -> None:
    """Every one of the arrays of values, not only the first."""
    assert said(SOUND, np.zeros(length)) == said(SOUND, VALUES, np.zeros(length)) == "its arrays differ in length"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_leaves_hold_is_finite(value: float) -> None:
    """An infinite leaf would decide alone, and two of them nothing."""
    bad = np.where(np.arange(8) == 3, value, VALUES)
    assert said(SOUND, VALUES, bad) == said(SOUND, bad) == "a walk does not end where it should"


@pytest.mark.parametrize("trees_said", [0, 1, 3])
def test_there_are_as_many_trees_as_the_manifest_says(trees_said: int) -> None:
    """Neither fewer nor more."""
    assert said(SOUND, trees_said=trees_said) == "its trees do not tile its nodes"


@pytest.mark.parametrize("steps", [0, 1, 3, 64])
def test_a_walk_is_as_long_as_the_manifest_says(steps: int) -> None:
    """A shorter one would end inside a tree, a longer one costs time for nothing."""
    assert said(replace(SOUND, depth=steps)) == "a walk does not end where it should"


def chain(steps: int) -> Any:
    """One tree in which every right child asks again; a root and so many steps."""
    nodes = 2 * steps + 1
    inner = np.arange(0, nodes - 1, 2)
    child = np.arange(nodes)
    child[inner] = inner + 1
    feature, threshold = np.zeros(nodes, np.int32), np.full(nodes, np.inf)
    threshold[inner] = 0.0
    return Plain(feature, threshold, child.astype(np.int32), np.array([0, nodes], np.int32), depth=steps)


@pytest.mark.parametrize(("steps", "found"), [(0, 0), (1, 1), (64, 64), (65, -1)])
def test_the_longest_walk_is_measured_up_to_a_limit(steps: int, found: int) -> None:
    """64 steps are walked, more are refused whatever the manifest says."""
    tree = chain(steps)
    assert depth(tree.root, tree.child) == found
    assert (said(tree, np.zeros(2 * steps + 1), trees_said=1) is None) is (steps <= 64)


def test_a_number_so_large_that_a_sum_would_wrap_around_is_refused() -> None:
    """The largest int32 plus one is negative, and a walk would follow it."""
    assert said(with_entry("child", 0, 2**31 - 1)) is not None
    assert said(replace(SOUND, root=np.array([0, 2**31 - 1, -2, 8], np.int32)), trees_said=3) is not None
